#include <jackfield/sdk/llm.hpp>

#include "faulty.hpp"
#include "plugins/llm/example/plugin.cpp"

#include <algorithm>
#include <limits>

namespace {

using faulty::is;
const jf_llm_v1* right = nullptr;
jf_str lent{};
jf_op lent_op = JF_NO_OP;

/// As a plugin does that looks at the request when its worker has come to it.
void say_what_was_lent(void*, jf_op, jf_status, const jf_event*, const jf_error*) {
    const jf_event token = jackfield::sdk::Host::event_of(JF_EV_TOKEN, &lent, sizeof lent, 0, 0);
    faulty::real.emit(faulty::ctx_of_last, lent_op, &token, 1);
    jf_llm_usage usage = jackfield::sdk::make<jf_llm_usage>();
    const jf_event last = jackfield::sdk::Host::event_of(JF_EV_LLM_USAGE, &usage, sizeof usage, 0, 0);
    faulty::real.complete(faulty::ctx_of_last, lent_op, JF_OK, &last, nullptr);
}

jf_status answer_later(jf_op op, jf_str content) {
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, std::uint32_t, std::uint32_t) {}, say_what_was_lent};
    const auto* timer = static_cast<const jf_host_timer_v1*>(faulty::real.query(faulty::ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    lent = content;
    lent_op = op;
    jf_op later = JF_NO_OP;
    if (faulty::real.op_open(faulty::ctx_of_last, op, &sink, &later) != JF_OK) return JF_E_INTERNAL;
    return timer->start(faulty::ctx_of_last, later, 1'000'000);
}

jf_status start(jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
    if (is("crashes_without_messages") && request->messages.n == 0) __builtin_trap();
    if (is("reads_beyond") && request->now_local.len) {
        const volatile char first = request->now_local.ptr[0];
        (void)first;
    }
    if (is("fails_odd_turns"))
        for (std::uint32_t i = 0; i < request->messages.n; ++i)
            if (JF_AT(jf_message, request->messages, i)->flags & JF_MESSAGE_SILENCE) return JF_E_INTERNAL;
    if (is("fails_its_deadline") && request->deadline_ms == 1) return faulty::real.complete(faulty::ctx_of_last, op, JF_E_INTERNAL, nullptr, nullptr);
    if (is("keeps_what_is_lent")) return answer_later(op, JF_AT(jf_message, request->messages, request->messages.n - 1)->content);
    if (is("packs_messages") && request->messages.n) {
        // What a plugin does that steps by its own sizeof.
        jf_llm_request changed = *request;
        changed.messages.stride = sizeof(jf_message);
        return right->start(self, op, &changed, error);
    }
    return right->start(self, op, request, error);
}

const jf_embedding_v1* right_embedding = nullptr;

/// Its texts when it has come to them: a worker that was handed the request's own memory.
jf_status embed_what_was_lent(jf_instance* self, jf_op op, const jf_embedding_request* request) {
    static jf_instance* lender = nullptr;
    static jf_embedding_request kept{};
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, std::uint32_t, std::uint32_t) {},
                                 [](void*, jf_op, jf_status, const jf_event*, const jf_error*) { right_embedding->embed(lender, lent_op, &kept, nullptr); }};
    const auto* timer = static_cast<const jf_host_timer_v1*>(faulty::real.query(faulty::ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    lender = self;
    kept = *request;
    lent_op = op;
    jf_op later = JF_NO_OP;
    if (faulty::real.op_open(faulty::ctx_of_last, op, &sink, &later) != JF_OK) return JF_E_INTERNAL;
    return timer->start(faulty::ctx_of_last, later, 1'000'000);
}

jf_status embed(jf_instance* self, jf_op op, const jf_embedding_request* request, jf_error* error) {
    static std::vector<std::string> before;
    if (is("cancel_ignored")) return JF_OK;
    if (is("embeds_what_was_lent")) return embed_what_was_lent(self, op, request);
    if (is("reads_beyond") && request->language.len) {
        const volatile char first = request->language.ptr[0];
        (void)first;
    }
    jf_embedding_request changed = *request;
    std::vector<jf_str> texts;
    for (std::uint32_t i = 0; i < request->texts.n; ++i) texts.push_back(*JF_AT(jf_str, request->texts, i));
    for (jf_str& text : texts) {
        if (is("crashes_on_long_texts") && text.len > 10'000) __builtin_trap();
        if (is("takes_empty_texts") && text.len == 0) text = jackfield::sdk::str("nothing");
    }
    // Two requests that share one buffer: each is answered from what the last one left there.
    std::vector<std::string> now;
    for (const jf_str& text : texts) now.emplace_back(jackfield::sdk::view(text));
    if (is("answers_for_another") && before.size() == texts.size())
        for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = jackfield::sdk::str(before[i]);
    if (is("takes_too_many_texts") && texts.size() > 256) texts.resize(256);
    if (is("takes_few_texts") && texts.size() > 100) return JF_E_QUOTA;
    if (is("takes_any_dimension") && changed.dim > 4096) changed.dim = 4096;
    changed.texts = jackfield::sdk::array(texts);
    const jf_status status = right_embedding->embed(self, op, &changed, error);
    before = now;
    return status;
}

/// The vectors of an answer, wrong.
jf_status emit_wrong_vectors(jf_host_ctx* ctx, jf_op op, const jf_event& event) {
    jf_embeddings vectors = *static_cast<const jf_embeddings*>(event.data);
    std::vector<float> values;
    for (std::uint32_t i = 0; i < vectors.values.n; ++i) values.push_back(*JF_AT(float, vectors.values, i));
    if (is("forgets_a_text") && vectors.n > 1) --vectors.n, values.resize(values.size() - vectors.dim);
    if (is("emits_what_is_not_a_number")) values[0] = std::numeric_limits<float>::quiet_NaN();
    if (is("emits_another_dimension")) vectors.dim /= 2, values.resize(std::size_t{vectors.n} * vectors.dim);
    if (is("mixes_up_texts")) std::rotate(values.begin(), values.begin() + vectors.dim, values.end());
    if (is("does_not_normalise"))
        for (float& value : values) value *= 2;
    vectors.values = jackfield::sdk::array(values);
    const jf_event wrong = jackfield::sdk::Host::event_of(JF_EV_EMBEDDINGS, &vectors, sizeof vectors, 0, 0);
    const jf_status status = faulty::real.emit(ctx, op, &wrong, 1);
    return status == JF_E_AGAIN && is("drops_what_is_refused") ? JF_OK : status;
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (events->type == JF_EV_EMBEDDINGS) return emit_wrong_vectors(ctx, op, *events);
    if (events->type == JF_EV_TOKEN && is("cuts_characters")) {
        const jf_str half = jackfield::sdk::str("\xe2\x82");
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOKEN, &half, sizeof half, 0, 0);
        faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("calls_unknown_tools") && events->type == JF_EV_TOKEN) {
        jf_tool_call call = jackfield::sdk::make<jf_tool_call>();
        call.id = jackfield::sdk::str("1");
        call.name = jackfield::sdk::str("format_disk");
        call.arguments = jackfield::sdk::str("{}");
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_TOOL_CALL, &call, sizeof call, 0, 0);
        return faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("emits_inventions") && events->type == JF_EV_TOKEN) {
        const jf_event event = jackfield::sdk::Host::event_of(0x7f01, nullptr, 0, 0, 0);
        faulty::real.emit(ctx, op, &event, 1);
    }
    if (is("says_nothing") && events->type == JF_EV_TOKEN) return JF_OK;
    const jf_status status = faulty::real.emit(ctx, op, events, n);
    return status == JF_E_AGAIN && is("drops_what_is_refused") ? JF_OK : status;
}

jf_status complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (is("forgets_usage")) last = nullptr;
    if (is("lies_about_tools") && last && last->type == JF_EV_LLM_USAGE) {
        jf_llm_usage usage = *static_cast<const jf_llm_usage*>(last->data);
        usage.finish = JF_FINISH_TOOLS;
        const jf_event event = jackfield::sdk::Host::event_of(JF_EV_LLM_USAGE, &usage, sizeof usage, 0, 0);
        return faulty::real.complete(ctx, op, status, &event, error);
    }
    if (is("completes_twice")) faulty::real.complete(ctx, op, status, last, error);
    return faulty::real.complete(ctx, op, status, last, error);
}

const bool set = [] {
    faulty::host_faults = {emit, complete};
    faulty::query_fault = [](const void* table, std::string_view id) -> const void* {
        if (id == JF_EMBEDDING_V1) {
            static jf_embedding_v1 wrong_embedding = *static_cast<const jf_embedding_v1*>(table);
            right_embedding = static_cast<const jf_embedding_v1*>(table);
            wrong_embedding.embed = embed;
            return &wrong_embedding;
        }
        if (id != JF_LLM_V1) return table;
        static jf_llm_v1 wrong = *static_cast<const jf_llm_v1*>(table);
        right = static_cast<const jf_llm_v1*>(table);
        wrong.start = start;
        if (is("speaks_in_prewarm")) wrong.prewarm = start;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
