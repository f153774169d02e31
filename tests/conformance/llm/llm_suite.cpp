#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <set>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::LlmPort;

/// A conversation that is passed whole, and what came of it.
class Generation {
  public:
    Generation(Bench& bench, std::shared_ptr<Bench::Instance> instance, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), language_(bench.target().language("llm")),
          record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.llm/1");
    }

    Generation& says(std::uint32_t role, std::string_view content, std::uint32_t flags = 0) {
        jf_message message = make<jf_message>();
        message.role = role;
        message.flags = flags;
        message.content = str(content);
        messages_.push_back(message);
        return *this;
    }
    Generation& tool(std::string_view name, std::string_view parameters) {
        jf_tool offered = make<jf_tool>();
        offered.name = str(name);
        offered.description = str("A tool of the conformance kit. Call it when you are asked to.");
        offered.parameters = str(parameters);
        tools_.push_back(offered);
        return *this;
    }
    std::vector<jf_message>& messages() { return messages_; }

    jf_llm_request request() const {
        jf_llm_request out = make<jf_llm_request>();
        out.messages = sdk::array(messages_);
        out.tools = sdk::array(tools_);
        out.session = str("verify");
        out.language = str(language_);
        out.now_local = str("2026-11-20T09:30:00-05:00");
        return out;
    }
    jf_status start(const jf_llm_request& wanted) {
        return bench_.begin(record_, *instance_, "start", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.start(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Generation& started() {
        const jf_status status = start(request());
        if (status != JF_OK) fail(fmt::format("start answered {}: {}", status_name(status), record_.error));
        return *this;
    }
    std::string reply() const {
        std::string out;
        for (const Heard& heard : record_.events)
            if (const auto* piece = heard.type() == JF_EV_TOKEN ? heard.as<jf_str>() : nullptr) out += view(*piece);
        return out;
    }
    void expect_done(milliseconds limit = patience * 3) {
        bench_.expect_done(record_, "the generation", limit);
        if (record_.status != JF_OK) fail(fmt::format("the generation completed with {}: {}", status_name(record_.status), record_.error));
    }
    OpRecord& record() { return record_; }
    const std::shared_ptr<Bench::Instance>& instance() const { return instance_; }
    const LlmPort& port() const { return port_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    LlmPort port_;
    std::string language_;
    std::vector<jf_message> messages_;
    std::vector<jf_tool> tools_;
    OpRecord& record_;
};

std::string question(const Target& target) { return target.verify("text").text_or("Hello! In one short sentence: what can you do for me?"); }

void ask(Bench& bench, Generation& generation) {
    generation.says(JF_ROLE_SYSTEM, "You answer in one short sentence.").says(JF_ROLE_USER, question(bench.target()));
}

void look_at(const Generation& generation, OpRecord& record) {
    require(record.last && record.last->type() == JF_EV_LLM_USAGE && record.last->as<jf_llm_usage>(), "the completion carries no LLM_USAGE");
    const jf_llm_usage& usage = *record.last->as<jf_llm_usage>();
    const bool called = record.count(JF_EV_TOOL_CALL) > 0;
    require(usage.finish <= JF_FINISH_REFUSED, fmt::format("the finish reason {} is unknown", usage.finish));
    require(called == (usage.finish == JF_FINISH_TOOLS), called ? "there were tool calls, and the finish reason is not TOOLS" : "the finish reason is TOOLS, and no tool was called");
    require(record.count(JF_EV_LLM_USAGE) == 0, "LLM_USAGE was emitted as an event: it is the completion's");
    require(base::is_valid_utf8(generation.reply()), "the pieces of the reply together are no UTF-8");
    for (const Heard& heard : record.events)
        if (heard.type() == JF_EV_TOKEN) {
            require(heard.as<jf_str>() != nullptr, "a TOKEN without jf_str");
            require(base::is_valid_utf8(view(*heard.as<jf_str>())), "a TOKEN cuts a character in two");
        }
}

void replies(Bench& bench) {
    Generation generation(bench, bench.start());
    ask(bench, generation);
    generation.started().expect_done();
    look_at(generation, generation.record());
    require(!generation.reply().empty() || generation.record().count(JF_EV_TOOL_CALL) > 0, "neither a word nor a tool call came");
}

void replies_again(Bench& bench) {
    auto instance = bench.start();
    Generation first(bench, instance);
    ask(bench, first);
    first.started().expect_done();
    const std::string reply = first.reply();
    Generation second(bench, instance);
    ask(bench, second);
    second.says(JF_ROLE_ASSISTANT, reply).says(JF_ROLE_USER, "Thank you.");
    second.started().expect_done();
    look_at(second, second.record());
}

void odd_turns(Bench& bench) {
    auto instance = bench.start();
    const std::pair<std::string_view, std::uint32_t> turns[] = {{"", JF_MESSAGE_SILENCE}, {"", JF_MESSAGE_NO_MATCH}, {"42#", JF_MESSAGE_DTMF}, {"", 0}, {"\xff broken", 0}, {"hello", 0xffffffff}};
    for (const auto& [content, flags] : turns) {
        Generation generation(bench, instance);
        ask(bench, generation);
        generation.says(JF_ROLE_ASSISTANT, "What is it about?", JF_MESSAGE_INTERRUPTED).says(JF_ROLE_USER, content, flags);
        const jf_status status = generation.start(generation.request());
        require_status("start with an odd turn", status, {JF_OK, JF_E_INVALID});
        if (status != JF_OK) continue;
        generation.expect_done();
        look_at(generation, generation.record());
    }
}

void empty_conversation(Bench& bench) {
    auto instance = bench.start();
    for (const bool system_only : {false, true}) {
        Generation generation(bench, instance);
        if (system_only) generation.says(JF_ROLE_SYSTEM, "You answer in one short sentence.");
        const jf_status status = generation.start(generation.request());
        require_status("start without a user's message", status, {JF_OK, JF_E_INVALID});
        if (status == JF_OK) bench.expect_done(generation.record(), "the generation", patience * 3);
    }
}

void tool_calls(Bench& bench) {
    if (!bench.target().capability("llm", "tools").boolean_or(false)) not_applicable("its capabilities say that it calls no tools");
    Generation generation(bench, bench.start());
    generation.says(JF_ROLE_SYSTEM, "Use the tools that you have.").says(JF_ROLE_USER, bench.target().verify("tool_text").text_or("Please look the weather up in Utrecht."));
    generation.tool("weather", R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})")
        .tool("hang_up", R"({"type":"object","properties":{}})");
    generation.started().expect_done();
    look_at(generation, generation.record());
    std::set<std::string> ids;
    for (const Heard& heard : generation.record().events) {
        if (heard.type() != JF_EV_TOOL_CALL) continue;
        const auto* call = heard.as<jf_tool_call>();
        require(call != nullptr, "a TOOL_CALL without jf_tool_call");
        require(view(call->name) == "weather" || view(call->name) == "hang_up", fmt::format("it calls '{}', which was not offered", view(call->name)));
        require(call->id.len > 0 && ids.emplace(view(call->id)).second, "a tool call's id is empty or comes twice");
        const auto arguments = base::JsonDocument::parse(view(call->arguments));
        require(arguments && arguments->root().is_object(), fmt::format("the arguments are no JSON object: {}", view(call->arguments)));
    }
}

void tool_results(Bench& bench) {
    if (!bench.target().capability("llm", "tools").boolean_or(false)) not_applicable("its capabilities say that it calls no tools");
    Generation generation(bench, bench.start());
    generation.says(JF_ROLE_SYSTEM, "Use the tools that you have.").says(JF_ROLE_USER, "Please look the weather up in Utrecht.");
    generation.tool("weather", R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})");
    jf_tool_call call = make<jf_tool_call>();
    call.id = str("call-1");
    call.name = str("weather");
    call.arguments = str(R"({"city":"Utrecht"})");
    generation.says(JF_ROLE_ASSISTANT, "").says(JF_ROLE_TOOL, R"({"sky":"clear"})");
    generation.messages()[2].tool_calls = sdk::array(&call, 1);
    generation.messages()[3].tool_call_id = str("call-1");
    generation.started().expect_done();
    look_at(generation, generation.record());
}

void refuses_tools(Bench& bench) {
    if (bench.target().capability("llm", "tools").boolean_or(false)) not_applicable("it calls tools");
    Generation generation(bench, bench.start());
    ask(bench, generation);
    generation.tool("weather", R"({"type":"object","properties":{}})");
    const jf_status status = generation.start(generation.request());
    require_status("start with tools", status, {JF_OK, JF_E_UNSUPPORTED});
    if (status != JF_OK) return;
    generation.expect_done();
    require(generation.record().count(JF_EV_TOOL_CALL) == 0, "it called a tool, and its capabilities say that it can't");
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    for (const bool at_once : {true, false}) {
        Generation generation(bench, instance);
        ask(bench, generation);
        generation.started();
        if (!at_once) bench.wait([&] { return generation.record().count(JF_EV_TOKEN) > 0 || generation.record().done(); });
        bench.cancel(generation.record());
        bench.cancel(generation.record());
        bench.expect_done(generation.record(), "the cancelled generation", milliseconds(1500));
        require_status("the cancelled generation", generation.record().status, {JF_E_CANCELLED, JF_OK});
        require(bench.spy().completions_of(generation.record().op) == 1, "the plugin did not complete the cancelled generation itself");
        require_status("cancel after the completion", bench.plugin_cancel(*instance, generation.record().op), {JF_E_INVALID});
    }
}

void keeps_its_deadline(Bench& bench) {
    Generation generation(bench, bench.start());
    ask(bench, generation);
    jf_llm_request request = generation.request();
    request.deadline_ms = 1;
    const jf_status status = generation.start(request);
    require_status("start with a deadline of 1 ms", status, {JF_OK, JF_E_TIMEOUT});
    if (status != JF_OK) return;
    bench.expect_done(generation.record(), "a generation with a deadline of 1 ms", patience * 3);
    require_status("a generation with a deadline of 1 ms", generation.record().status, {JF_OK, JF_E_TIMEOUT});
    if (generation.record().status == JF_E_TIMEOUT) require(generation.record().count(JF_EV_TOKEN) == 0, "TIMEOUT came although there were tokens");
}

void prewarms(Bench& bench) {
    auto instance = bench.start();
    Generation generation(bench, instance);
    if (!JF_HAS(generation.port().table(), jf_llm_v1, prewarm) || !generation.port().table()->prewarm) not_applicable("its prewarm is null");
    ask(bench, generation);
    const jf_llm_request request = generation.request();
    jf_error error = make<jf_error>();
    require_status("prewarm", bench.begin(generation.record(), *instance, "prewarm", [&] { return generation.port().prewarm(generation.record().op, request, &error); }), {JF_OK});
    bench.expect_done(generation.record(), "prewarm");
    require_status("prewarm", generation.record().status, {JF_OK});
    require(generation.record().count(JF_EV_TOKEN) == 0, "prewarm spoke");
}

void slow_host(Bench& bench) {
    auto instance = bench.start();
    Generation calm(bench, instance);
    ask(bench, calm);
    calm.started().expect_done();
    Generation slow(bench, instance);
    ask(bench, slow);
    bench.spy().refuse_emits(3);
    slow.started().expect_done();
    bench.spy().refuse_emits(0);
    look_at(slow, slow.record());
    require(calm.reply().empty() == slow.reply().empty(), "the reply was lost while the host took nothing");
    // A model may answer differently each time; one that answers the same must not lose a piece.
    Generation again(bench, instance);
    ask(bench, again);
    again.started().expect_done();
    if (again.reply() == calm.reply()) require(slow.reply() == calm.reply(), fmt::format("a piece was lost while the host took nothing: '{}' became '{}'", calm.reply(), slow.reply()));
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    std::vector<std::unique_ptr<Generation>> all;
    for (unsigned i = 0; i < 4; ++i) {
        all.push_back(std::make_unique<Generation>(bench, instance, i % 2));
        ask(bench, *all.back());
    }
    for (const auto& one : all) one->started();
    for (const auto& one : all) {
        one->expect_done();
        look_at(*one, one->record());
    }
}

void borrows_only(Bench& bench) {
    auto instance = bench.start();
    Generation generation(bench, instance);
    std::string words = question(bench.target());
    generation.says(JF_ROLE_SYSTEM, "You answer in one short sentence.").says(JF_ROLE_USER, words);
    jf_llm_request request = generation.request();
    require_status("start", bench.begin(generation.record(), *instance, "start", [&] {
        jf_error error = make<jf_error>();
        const jf_status status = generation.port().start(generation.record().op, request, &error);
        // Everything was lent until start returned.
        std::fill(words.begin(), words.end(), '\xee');
        for (jf_message& message : generation.messages()) std::memset(&message, 0xee, sizeof message);
        std::memset(static_cast<void*>(&request), 0xee, sizeof request);
        return status;
    }), {JF_OK});
    generation.expect_done();
    look_at(generation, generation.record());
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    Generation shorter(bench, instance);
    ask(bench, shorter);
    jf_llm_request request = shorter.request();
    request.struct_size = offsetof(jf_llm_request, reply_schema);
    request.reply_schema = request.session = request.language = request.now_local = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    const jf_status taken = shorter.start(request);
    require_status("start with a jf_llm_request without its last members", taken, {JF_OK, JF_E_INVALID});
    if (taken == JF_OK) {
        shorter.expect_done();
    }

    Generation longer(bench, instance);
    ask(bench, longer);
    struct {
        jf_llm_request known;
        std::uint64_t appended[4];
    } later{longer.request(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("start with a longer jf_llm_request that ends in zeros", longer.start(later.known), {JF_OK});
    longer.expect_done();

    // Messages are stepped by their stride: a newer host's are longer.
    struct Longer {
        jf_message known;
        std::uint64_t appended[2];
    };
    Generation strides(bench, instance);
    ask(bench, strides);
    std::vector<Longer> messages;
    for (const jf_message& message : strides.messages()) {
        messages.push_back({message, {0, 0}});
        messages.back().known.struct_size = sizeof(Longer);
    }
    jf_llm_request wide = strides.request();
    wide.messages = {messages.data(), static_cast<std::uint32_t>(messages.size()), sizeof(Longer)};
    require_status("start with longer messages", strides.start(wide), {JF_OK});
    strides.expect_done();
    look_at(strides, strides.record());
}

void refuses_while_quiescing(Bench& bench) {
    auto instance = bench.start();
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    Generation late(bench, instance);
    ask(bench, late);
    require_status("start after quiesce", late.start(late.request()), {JF_E_STATE});
}

void mid_op(Bench& bench) {
    auto* const generation = new Generation(bench, bench.start());
    ask(bench, *generation);
    generation->started();
}

constexpr Check checks[] = {
    {"llm.replies", "A question gets tokens or a tool call, then one usage with a finish reason", "Complete with LLM_USAGE as `last`, its finish TOOLS exactly when tools were called.", replies, 60},
    {"llm.replies_again", "The conversation is passed whole each time", "Keep no conversation of your own: what was interrupted was never said.", replies_again, 90},
    {"llm.odd_turns", "Silence, keys, no match and broken text are turns like others", "Look at the flags of jf_message, and replace what is no UTF-8.", odd_turns, 120},
    {"llm.empty_conversation", "A conversation without a user's message is answered or refused", "Answer INVALID, or begin the conversation.", empty_conversation, 60},
    {"llm.tool_calls", "Tool calls name an offered tool, an id and a JSON object", "Emit TOOL_CALL whole, after its arguments have been put together.", tool_calls, 60},
    {"llm.tool_results", "The outcome of a tool call continues the conversation", "Map JF_ROLE_TOOL and tool_call_id to what the vendor wants.", tool_results, 60},
    {"llm.refuses_tools", "A model without tools calls none", "Answer UNSUPPORTED to a request with tools, or leave them aside.", refuses_tools, 60},
    {"llm.cancels", "cancel completes a generation at once, and only once", "Complete from cancel(), and drop what the vendor still sends.", cancels, 60},
    {"llm.keeps_its_deadline", "A deadline that passes without a token is TIMEOUT", "Start a timer of deadline_ms, and stop it at the first token.", keeps_its_deadline, 60},
    {"llm.prewarms", "prewarm completes and says nothing", "Connect, perhaps emit HINTS, complete.", prewarms, 60},
    {"llm.slow_host", "A host that takes no event for a while loses no token", "Keep the piece that got AGAIN, and emit it after a moment; order stays.", slow_host, 120},
    {"llm.several_at_once", "Several generations on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 120},
    {"llm.borrows_only", "What start was lent is copied before it returns", "Copy messages, tools and names: they are gone when start returns.", borrows_only, 60},
    {"llm.struct_sizes", "Structs are read as far as they reach, and arrays by their stride", "Ask JF_HAS before each member; step with JF_AT.", struct_sizes, 120},
    {"llm.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE from start().", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> llm_checks() { return checks; }
void llm_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
