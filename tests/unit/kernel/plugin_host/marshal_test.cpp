#include "plugin_host/marshal.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>

#include <jackfield/sdk/plugin.hpp>

#include "base/random.hpp"

namespace jackfield::plugin_host {
namespace {

using sdk::make;
using sdk::str;
using sdk::view;

template <typename T>
T at(const std::byte* where) {
    T value;
    std::memcpy(&value, where, sizeof value);
    return value;
}
template <typename T>
void set(std::byte* where, T value) {
    std::memcpy(where, &value, sizeof value);
}

/// Random structs of any layout, with writers that are older (shorter structs) or newer (longer) than this host.
class Builder {
  public:
    explicit Builder(std::uint64_t seed) : random_(seed) {}

    struct Made {
        std::byte* at;
        std::uint32_t size;
    };
    Made make(const Layout& layout, int depth = 0) {
        const std::uint32_t size = writers_size(layout);
        std::byte* const out = block(std::max(size, layout.size));
        fill(layout, out, size, depth);
        return {out, size};
    }

  private:
    std::uint32_t writers_size(const Layout& layout) {
        if (!layout.has_struct_size || layout.size < 16) return layout.size;
        switch (random_.next() % 4) {
            case 0: return layout.size + 8 * static_cast<std::uint32_t>(1 + random_.next() % 3);
            // Structs grow by whole members, so an older one ends between two words.
            case 1: return 8 + 8 * static_cast<std::uint32_t>(random_.next() % (layout.size / 8));
            default: return layout.size;
        }
    }
    void fill(const Layout& layout, std::byte* out, std::uint32_t size, int depth) {
        for (std::uint32_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(random_.next());
        if (layout.has_struct_size) set<std::uint32_t>(out, size);
        for (const Pointer& pointer : layout.pointers) {
            // What an older writer's struct does not reach stays away; half a member cannot occur.
            const std::uint32_t needed = pointer.offset + (pointer.kind == Pointer::Kind::object ? 8u : 16u);
            if (needed > size) {
                for (std::uint32_t i = pointer.offset; i < size; ++i) out[i] = std::byte{0};
                continue;
            }
            std::byte* const where = out + pointer.offset;
            const bool null = random_.next() % 4 == 0 || depth > 3;
            if (pointer.kind == Pointer::Kind::bytes) {
                const std::uint64_t n = null ? 0 : random_.next() % 40;
                set<jf_bytes>(where, {null ? nullptr : block(n + 1), n});
            } else if (pointer.kind == Pointer::Kind::object) {
                set<void*>(where, null ? nullptr : make(*pointer.element, depth + 1).at);
            } else {
                set<jf_array>(where, null ? jf_array{nullptr, 0, pointer.element->size} : make_array(*pointer.element, depth + 1));
            }
        }
    }
    jf_array make_array(const Layout& element, int depth) {
        const auto n = static_cast<std::uint32_t>(random_.next() % 4);
        const std::uint32_t stride = writers_size(element);
        std::byte* const out = block(std::size_t{std::max(stride, element.size)} * (n + 1));
        for (std::uint32_t i = 0; i < n; ++i) fill(element, out + std::size_t{i} * stride, stride, depth);
        return {out, n, stride};
    }
    std::byte* block(std::size_t n) {
        // Words, so that every struct is aligned; exactly as long as asked, so that sanitizers see a read too far.
        blocks_.push_back(std::make_unique<std::uint64_t[]>((n + 7) / 8));
        auto* out = reinterpret_cast<std::byte*>(blocks_.back().get());
        for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(random_.next());
        return out;
    }

    base::SeededRandom random_;
    std::deque<std::unique_ptr<std::uint64_t[]>> blocks_;
};

/// `copy` holds what `original`, `size` bytes long, says, as far as the layout goes; what is missing is zero.
void expect_same(const Layout& layout, const std::byte* original, std::uint32_t size, const std::byte* copy) {
    std::vector<bool> pointer_bytes(layout.size);
    const auto skip = [&](std::size_t from, std::size_t n) {
        for (std::size_t i = from; i < from + n; ++i) pointer_bytes[i] = true;
    };
    if (layout.has_struct_size) {
        EXPECT_EQ(at<std::uint32_t>(copy), layout.size);
        skip(0, 4);
    }
    for (const Pointer& pointer : layout.pointers) {
        const std::size_t width = pointer.kind == Pointer::Kind::object ? 8 : 16;
        skip(pointer.offset, width);
        const bool there = pointer.offset + width <= size;
        const std::byte* const to = copy + pointer.offset;
        if (pointer.kind == Pointer::Kind::bytes) {
            const auto from = there ? at<jf_bytes>(original + pointer.offset) : jf_bytes{};
            const auto got = at<jf_bytes>(to);
            ASSERT_EQ(got.len, from.len);
            EXPECT_EQ(got.ptr != nullptr, from.len != 0);
            EXPECT_EQ(view(got), view(from));
        } else if (pointer.kind == Pointer::Kind::object) {
            const auto* from = there ? at<const std::byte*>(original + pointer.offset) : nullptr;
            const auto* got = at<const std::byte*>(to);
            ASSERT_EQ(got != nullptr, from != nullptr);
            if (from) expect_same(*pointer.element, from, at<std::uint32_t>(from), got);
        } else {
            const auto from = there ? at<jf_array>(original + pointer.offset) : jf_array{};
            const auto got = at<jf_array>(to);
            ASSERT_EQ(got.n, from.n);
            if (from.n) {
                ASSERT_EQ(got.stride, pointer.element->size);
            }
            for (std::uint32_t i = 0; i < from.n; ++i)
                expect_same(*pointer.element, static_cast<const std::byte*>(from.ptr) + std::size_t{i} * from.stride, from.stride,
                            static_cast<const std::byte*>(got.ptr) + std::size_t{i} * got.stride);
        }
    }
    for (std::uint32_t i = 0; i < layout.size; ++i) {
        if (pointer_bytes[i]) continue;
        ASSERT_EQ(copy[i], i < size ? original[i] : std::byte{0}) << "byte " << i;
    }
}

void round_trip(const Layout& layout, std::uint64_t seed) {
    Builder builder(seed);
    const Builder::Made made = builder.make(layout);
    // Something stands before it, of odd length, as arguments do.
    std::vector<std::byte> out(seed % 13);

    pack(layout, made.at, made.size, out);
    const std::size_t start = (seed % 13 + 7) & ~std::size_t{7};
    // Elsewhere in memory: nothing may point back into the original or the first buffer.
    std::vector<std::uint64_t> moved((out.size() - start + 7) / 8);
    std::memcpy(moved.data(), out.data() + start, out.size() - start);
    std::fill(out.begin(), out.end(), std::byte{0xdd});
    auto* const copy = reinterpret_cast<std::byte*>(moved.data());
    unpack(layout, copy);

    expect_same(layout, made.at, made.size, copy);
}

std::vector<const Layout*> all_layouts() {
    std::vector<const Layout*> out{
        &layout_of<jf_frame>(),       &layout_of<jf_dial>(),        &layout_of<jf_answer>(),     &layout_of<jf_telephony_control>(),
        &layout_of<jf_bytes>(),       &layout_of<jf_str>(),         &layout_of<jf_incoming>(),   &layout_of<jf_hints>(),
        &layout_of<jf_stt_open>(),    &layout_of<jf_stt_control>(), &layout_of<jf_tts_open>(),   &layout_of<jf_tts_text>(),
        &layout_of<jf_llm_request>(), &layout_of<jf_collection>(),  &layout_of<jf_query>(),      &layout_of<jf_write>(),
        &layout_of<jf_array>(),       &layout_of<jf_rows>(),        &layout_of<jf_datagram>(),   &layout_of<jf_service_event>(),
        &layout_of<jf_tool_request>(), &layout_of<jf_embedding_request>(), &layout_of<jf_outbound_message>(),
        &layout_of<jf_vector_space>(), &layout_of<jf_vector_upsert>(), &layout_of<jf_vector_query>(), &layout_of<jf_vector_remove>(),
        &layout_of<jf_telemetry_batch>(), &layout_of<jf_http_request>()};
    for (std::uint32_t type = 0; type < 0x1000; ++type)
        if (const Layout* layout = layout_of_event(type)) out.push_back(layout);
    return out;
}

TEST(Marshal, BringsRandomTreesOfEveryLayoutOver) {
    for (const Layout* layout : all_layouts())
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            SCOPED_TRACE("layout of " + std::to_string(layout->size) + " bytes, seed " + std::to_string(seed));
            round_trip(*layout, seed);
            if (testing::Test::HasFailure()) return;
        }
}

/// Packs `value` and answers the copy, owned by `buffer`.
template <typename T>
const T& copied(const T& value, std::vector<std::byte>& buffer, std::uint64_t size = sizeof(T)) {
    pack(layout_of<T>(), &value, size, buffer);
    unpack(layout_of<T>(), buffer.data());
    return *reinterpret_cast<const T*>(buffer.data());
}

// The random trees follow the host's own layouts; these name every member by hand, so that a forgotten pointer shows.
TEST(Marshal, BringsALlmRequestOver) {
    std::string id = "t1", name = "book", arguments = "{\"n\":2}", hello = "hello", asked = "a table", schema = "{}";
    jf_tool_call call = make<jf_tool_call>();
    call.id = str(id);
    call.name = str(name);
    call.arguments = str(arguments);
    jf_message messages[2] = {make<jf_message>(), make<jf_message>()};
    messages[0].role = JF_ROLE_ASSISTANT;
    messages[0].content = str(hello);
    messages[0].tool_calls = sdk::array(&call, 1);
    messages[1].role = JF_ROLE_TOOL;
    messages[1].content = str(asked);
    messages[1].tool_call_id = str(id);
    jf_tool tool = make<jf_tool>();
    tool.flags = 1;
    tool.name = str(name);
    tool.description = str(hello);
    tool.parameters = str(schema);
    jf_llm_request request = make<jf_llm_request>();
    request.deadline_ms = 900;
    request.messages = sdk::array(messages, 2);
    request.tools = sdk::array(&tool, 1);
    request.reply_schema = str(schema);
    request.session = str(id);
    request.language = str(name);
    request.now_local = str(asked);
    std::vector<std::byte> buffer;

    const jf_llm_request& copy = copied(request, buffer);
    for (std::string* text : {&id, &name, &arguments, &hello, &asked, &schema}) text->assign(text->size(), '#');
    call = {};
    tool = {};
    messages[0] = messages[1] = {};

    EXPECT_EQ(copy.deadline_ms, 900u);
    ASSERT_EQ(copy.messages.n, 2u);
    const jf_message& first = *JF_AT(jf_message, copy.messages, 0);
    EXPECT_EQ(first.role, JF_ROLE_ASSISTANT);
    EXPECT_EQ(view(first.content), "hello");
    ASSERT_EQ(first.tool_calls.n, 1u);
    const jf_tool_call& tool_call = *JF_AT(jf_tool_call, first.tool_calls, 0);
    EXPECT_EQ(view(tool_call.id), "t1");
    EXPECT_EQ(view(tool_call.name), "book");
    EXPECT_EQ(view(tool_call.arguments), "{\"n\":2}");
    EXPECT_EQ(view(JF_AT(jf_message, copy.messages, 1)->content), "a table");
    EXPECT_EQ(view(JF_AT(jf_message, copy.messages, 1)->tool_call_id), "t1");
    ASSERT_EQ(copy.tools.n, 1u);
    const jf_tool& tool_copy = *JF_AT(jf_tool, copy.tools, 0);
    EXPECT_EQ(tool_copy.flags, 1u);
    EXPECT_EQ(view(tool_copy.name), "book");
    EXPECT_EQ(view(tool_copy.description), "hello");
    EXPECT_EQ(view(tool_copy.parameters), "{}");
    EXPECT_EQ(view(copy.reply_schema), "{}");
    EXPECT_EQ(view(copy.session), "t1");
    EXPECT_EQ(view(copy.language), "book");
    EXPECT_EQ(view(copy.now_local), "a table");
}

TEST(Marshal, BringsAToolRequestOver) {
    std::string name = "book", arguments = "{\"n\":2}", key = "01J:3:0", call = "01J", language = "de", now = "2026-11-20T09:30:00-05:00";
    jf_tool_request request = make<jf_tool_request>();
    request.deadline_ms = 8000;
    request.name = str(name);
    request.arguments = str(arguments);
    request.idempotency_key = str(key);
    request.call = str(call);
    request.language = str(language);
    request.now_local = str(now);
    std::vector<std::byte> buffer;

    const jf_tool_request& copy = copied(request, buffer);
    for (std::string* text : {&name, &arguments, &key, &call, &language, &now}) text->assign(text->size(), '#');

    EXPECT_EQ(copy.deadline_ms, 8000u);
    EXPECT_EQ(view(copy.name), "book");
    EXPECT_EQ(view(copy.arguments), "{\"n\":2}");
    EXPECT_EQ(view(copy.idempotency_key), "01J:3:0");
    EXPECT_EQ(view(copy.call), "01J");
    EXPECT_EQ(view(copy.language), "de");
    EXPECT_EQ(view(copy.now_local), "2026-11-20T09:30:00-05:00");
}

TEST(Marshal, BringsAWriteOver) {
    std::string tenant = "demo", id = "c1", text = "words", more_text = "two";
    jf_edit values[2] = {make<jf_edit>(), make<jf_edit>()};
    values[0].field = 8;
    values[0].value = {JF_VALUE_TEXT, 0, 0, 0, str(text)};
    values[1].field = 9;
    values[1].value = {JF_VALUE_INT, 0, -5, 0, {}};
    jf_edit edit = make<jf_edit>();
    edit.verb = JF_EDIT_APPEND;
    edit.value = {JF_VALUE_JSON, 0, 0, 0, str(more_text)};
    jf_value more[2] = {{JF_VALUE_REAL, 0, 0, 2.5, {}}, {JF_VALUE_TEXT, 0, 0, 0, str(more_text)}};
    jf_term term = make<jf_term>();
    term.verb = JF_TERM_IN;
    term.value = {JF_VALUE_TEXT, 0, 0, 0, str(text)};
    term.more = sdk::array(more, 2);
    jf_order order = make<jf_order>();
    order.descending = 1;
    jf_write write = make<jf_write>();
    write.verb = JF_WRITE_CLAIM;
    write.tenant = str(tenant);
    write.id = str(id);
    write.expect_rev = 3;
    write.values = sdk::array(values, 2);
    write.edits = sdk::array(&edit, 1);
    write.where = sdk::array(&term, 1);
    write.order = sdk::array(&order, 1);
    write.limit = 4;
    std::vector<std::byte> buffer;

    const jf_array batch = sdk::array(&write, 1);
    const jf_array& batch_copy = copied(batch, buffer);
    for (std::string* s : {&tenant, &id, &text, &more_text}) s->assign(s->size(), '#');
    const jf_write& copy = *JF_AT(jf_write, batch_copy, 0);

    EXPECT_EQ(view(copy.tenant), "demo");
    EXPECT_EQ(view(copy.id), "c1");
    EXPECT_EQ(copy.expect_rev, 3u);
    EXPECT_EQ(copy.limit, 4u);
    ASSERT_EQ(copy.values.n, 2u);
    EXPECT_EQ(view(JF_AT(jf_edit, copy.values, 0)->value.s), "words");
    EXPECT_EQ(JF_AT(jf_edit, copy.values, 1)->value.i, -5);
    EXPECT_EQ(view(JF_AT(jf_edit, copy.edits, 0)->value.s), "two");
    const jf_term& where = *JF_AT(jf_term, copy.where, 0);
    EXPECT_EQ(view(where.value.s), "words");
    ASSERT_EQ(where.more.n, 2u);
    EXPECT_EQ(JF_AT(jf_value, where.more, 0)->f, 2.5);
    EXPECT_EQ(view(JF_AT(jf_value, where.more, 1)->s), "two");
    EXPECT_EQ(JF_AT(jf_order, copy.order, 0)->descending, 1u);
}

TEST(Marshal, BringsRowsOver) {
    std::string text = "first";
    jf_value values[4] = {{JF_VALUE_TEXT, 0, 0, 0, str(text)}, {JF_VALUE_NULL, 0, 0, 0, {}}, {JF_VALUE_BOOL, 0, 1, 0, {}},
                          {JF_VALUE_TIME, 0, 17, 0, {}}};
    jf_rows rows = make<jf_rows>();
    rows.columns = 2;
    rows.values = sdk::array(values, 4);
    std::vector<std::byte> buffer;

    const jf_rows& copy = copied(rows, buffer);
    text = "#####";

    EXPECT_EQ(copy.columns, 2u);
    ASSERT_EQ(copy.values.n, 4u);
    EXPECT_EQ(view(JF_AT(jf_value, copy.values, 0)->s), "first");
    EXPECT_EQ(JF_AT(jf_value, copy.values, 3)->i, 17);
}

TEST(Marshal, FillsAnOlderWritersStructWithZeros) {
    jf_frame frame = make<jf_frame>();
    frame.rate_hz = 8000;
    frame.data = {"abc", 3};
    frame.struct_size = offsetof(jf_frame, data);
    std::vector<std::byte> buffer;

    const jf_frame& copy = copied(frame, buffer);

    EXPECT_EQ(copy.struct_size, sizeof(jf_frame));
    EXPECT_EQ(copy.rate_hz, 8000u);
    EXPECT_EQ(copy.data.ptr, nullptr);
    EXPECT_EQ(copy.data.len, 0u);
}

TEST(Marshal, StepsOverANewerWritersLongerElements) {
    struct NewerWord {
        jf_word word;
        std::uint64_t news[3];
    };
    NewerWord words[2]{};
    words[0].word = make<jf_word>();
    words[1].word = make<jf_word>();
    for (NewerWord& w : words) w.word.struct_size = sizeof(NewerWord);
    words[0].word.text = str("one");
    words[1].word.text = str("two");
    jf_text text = make<jf_text>();
    text.words = {words, 2, sizeof(NewerWord)};
    std::vector<std::byte> buffer;
    const Layout& layout = *layout_of_event(JF_EV_FINAL);

    pack(layout, &text, sizeof text, buffer);
    unpack(layout, buffer.data());
    const auto& copy = *reinterpret_cast<const jf_text*>(buffer.data());

    ASSERT_EQ(copy.words.n, 2u);
    EXPECT_EQ(copy.words.stride, sizeof(jf_word));
    EXPECT_EQ(view(JF_AT(jf_word, copy.words, 1)->text), "two");
    EXPECT_EQ(JF_AT(jf_word, copy.words, 1)->struct_size, sizeof(jf_word));
}

TEST(Marshal, CarriesASignallingMessage) {
    const std::string text = "BYE sip:a@b SIP/2.0\r\n\r\n";
    jf_signalling message = make<jf_signalling>();
    message.direction = JF_SIGNALLING_OUT;
    message.at_ns = 42;
    message.remote.port = 5060;
    message.data = sdk::bytes(text);
    std::vector<std::byte> buffer;
    const Layout& layout = *layout_of_event(JF_EV_SIGNALLING);

    pack(layout, &message, sizeof message, buffer);
    unpack(layout, buffer.data());
    const auto& copy = *reinterpret_cast<const jf_signalling*>(buffer.data());

    EXPECT_EQ(view(copy.data), text);
    EXPECT_EQ(copy.direction, JF_SIGNALLING_OUT);
    EXPECT_EQ(copy.at_ns, 42u);
    EXPECT_EQ(copy.remote.port, 5060);
}

TEST(Marshal, TakesAPointerToNothingAsNothing) {
    jf_llm_request request = make<jf_llm_request>();
    request.messages = {nullptr, 3, sizeof(jf_message)};
    request.session = {nullptr, 10};
    std::vector<std::byte> buffer;

    const jf_llm_request& copy = copied(request, buffer);

    EXPECT_EQ(copy.messages.n, 0u);
    EXPECT_EQ(copy.session.len, 0u);
}

TEST(Marshal, KnowsEveryEventThatTheHeadersName) {
    for (const std::uint32_t type : {JF_EV_CREDIT, JF_EV_MEDIA, JF_EV_PARTIAL, JF_EV_AUDIO, JF_EV_TOKEN, JF_EV_ROWS, JF_EV_RECORDS_DONE,
                                     JF_EV_DECLARED, JF_EV_CALL_ENDED, JF_EV_HTTP_REPLY})
        EXPECT_TRUE(is_known_event(type)) << type;
    EXPECT_FALSE(is_known_event(0));
    EXPECT_FALSE(is_known_event(0x7f01));
}

}  // namespace
}  // namespace jackfield::plugin_host
