#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::ToolsPort;

constexpr std::size_t longest_result = 64 * 1024;

struct Listed {
    std::string name, description, parameters;
    std::uint32_t flags;
};

/// list(), as the host asks it: on a control thread, with TOOL_LIST as the answer.
std::vector<Listed> list(Bench& bench, Bench::Instance& instance) {
    const ToolsPort port(instance);
    require(static_cast<bool>(port), "it has no jf.tools/1");
    OpRecord& record = bench.open(instance);
    jf_error error = make<jf_error>();
    const jf_status status = bench.begin_blocking(record, instance, "list", [&] { return port.list(record.op, &error); });
    if (status != JF_OK) fail(fmt::format("list answered {}: {}", status_name(status), said(error)));
    bench.expect_done(record, "list");
    if (record.status != JF_OK) fail(fmt::format("list completed with {}: {}", status_name(record.status), record.error));
    require(record.last && record.last->type() == JF_EV_TOOL_LIST && record.last->as<jf_tool_list>(), "list completed without TOOL_LIST");
    const jf_tool_list& tools = *record.last->as<jf_tool_list>();
    std::vector<Listed> out;
    for (std::uint32_t i = 0; i < tools.tools.n; ++i) {
        const jf_tool* tool = JF_AT(jf_tool, tools.tools, i);
        out.push_back({std::string(view(tool->name)), std::string(view(tool->description)), std::string(view(tool->parameters)), tool->flags});
    }
    return out;
}

class Call {
  public:
    Call(Bench& bench, std::shared_ptr<Bench::Instance> instance, std::string name, std::string arguments, std::string key, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), name_(std::move(name)), arguments_(std::move(arguments)),
          key_(std::move(key)), language_(bench.target().language("tools")), record_(bench.open(*instance_, shard)) {}

    jf_tool_request request() const {
        jf_tool_request out = make<jf_tool_request>();
        out.deadline_ms = 8000;
        out.name = str(name_);
        out.arguments = str(arguments_);
        out.idempotency_key = str(key_);
        out.call = str("01VERIFY");
        out.language = str(language_);
        out.now_local = str("2026-11-20T09:30:00-05:00");
        return out;
    }
    jf_status start() { return start(request()); }
    jf_status start(const jf_tool_request& wanted) {
        return bench_.begin(record_, *instance_, "call", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.call(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    /// The result's JSON; empty when it was an error.
    std::string result() {
        if (const jf_status status = start(); status != JF_OK) return "";
        bench_.expect_done(record_, "the call of " + name_, patience * 3 / 2);
        if (record_.status != JF_OK) return "";
        require(record_.last && record_.last->type() == JF_EV_TOOL_RESULT && record_.last->as<jf_tool_result>(), name_ + " completed with OK and no TOOL_RESULT");
        const std::string content(view(record_.last->as<jf_tool_result>()->content));
        require(content.size() <= longest_result, fmt::format("{} answered {} bytes; 64 KiB are the limit", name_, content.size()));
        require(static_cast<bool>(base::JsonDocument::parse(content)), name_ + " answered what is no JSON: " + content.substr(0, 80));
        return content;
    }
    OpRecord& record() { return record_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    ToolsPort port_;
    std::string name_, arguments_, key_, language_;
    OpRecord& record_;
};

struct Example {
    std::string name, arguments;
};
/// Those of "verify" in plugin.json; without, the first function with no arguments.
std::vector<Example> examples(Bench& bench, Bench::Instance& instance) {
    std::vector<Example> out;
    const base::JsonView named = bench.target().verify("tools");
    for (std::size_t i = 0; i < named.size(); ++i)
        out.push_back({named.at(i)["name"].text_or(""), named.at(i)["arguments"].is_object() ? named.at(i)["arguments"].dump() : "{}"});
    if (out.empty())
        for (const Listed& tool : list(bench, instance)) out.push_back({tool.name, "{}"});
    if (out.empty()) not_applicable("it offers no function with these options");
    return out;
}

void lists(Bench& bench) {
    auto instance = bench.start();
    const std::vector<Listed> tools = list(bench, *instance);
    require(tools.size() <= 128, fmt::format("{} functions are listed; 128 are the limit", tools.size()));
    std::set<std::string> names;
    for (const Listed& tool : tools) {
        const bool plain = !tool.name.empty() && tool.name.size() <= 48 && std::all_of(tool.name.begin(), tool.name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        });
        require(plain, fmt::format("the name '{}' is not 1 to 48 of [A-Za-z0-9_-]", base::to_valid_utf8(tool.name)));
        require(names.insert(tool.name).second, fmt::format("'{}' is listed twice", tool.name));
        require(!tool.description.empty(), fmt::format("'{}' has no description: a model would not know when to call it", tool.name));
        const auto schema = base::JsonDocument::parse(tool.parameters);
        require(schema && schema->root()["type"].text_or("") == "object", fmt::format("the parameters of '{}' are no JSON Schema of an object: {}", tool.name, tool.parameters.substr(0, 80)));
        for (std::size_t i = 0; i < schema->root()["required"].size(); ++i) {
            const std::string wanted = schema->root()["required"].at(i).text_or("");
            require(!schema->root()["properties"][wanted].absent(), fmt::format("'{}' requires the parameter {}, which its properties don't have", tool.name, wanted));
        }
    }
    const std::vector<Listed> again = list(bench, *instance);
    require(again.size() == tools.size(), "a second list() answers something else");
}

void unknown_function(Bench& bench) {
    auto instance = bench.start();
    for (const std::string& name : {std::string("no_such_function_7f3a"), std::string(), std::string(1'000'000, 'x'), std::string("\xff\xfe")}) {
        Call call(bench, instance, name, "{}", "k1");
        const jf_status status = call.start();
        if (status == JF_OK) bench.expect_done(call.record(), "the call of a function that there is not");
        require_status("the call of a function that there is not", status == JF_OK ? call.record().status : status, {JF_E_NOT_FOUND});
    }
}

void runs_examples(Bench& bench) {
    auto instance = bench.start();
    const bool named = bench.target().verify("tools").size() > 0;
    int ran = 0;
    for (const Example& example : examples(bench, *instance)) {
        Call call(bench, instance, example.name, example.arguments, "example-" + example.name);
        const std::string result = call.result();
        ran += !result.empty();
        // Without examples of its own, arguments may well be missing.
        if (named && result.empty()) fail(fmt::format("{} with {} failed with {}: {}", example.name, example.arguments, status_name(call.record().status), call.record().error));
    }
    if (!named && ran == 0) not_applicable("no function answers without arguments, and \"verify.tools\" of its plugin.json names none");
}

void odd_arguments(Bench& bench) {
    auto instance = bench.start();
    const std::string deep = std::string(5000, '[') + std::string(5000, ']'), huge = "{\"a\":\"" + std::string(200'000, 'x') + "\"}";
    for (const Listed& tool : list(bench, *instance))
        for (const std::string& arguments : {std::string(), std::string("null"), std::string("[]"), std::string("{"), std::string("{\"x\":1}"), std::string("{\"a\":\"\xff\"}"), deep, huge}) {
            Call call(bench, instance, tool.name, arguments, "odd");
            if (call.start() != JF_OK) continue;
            bench.expect_done(call.record(), tool.name + " with odd arguments");
            if (call.record().status == JF_OK) require(call.record().last && call.record().last->type() == JF_EV_TOOL_RESULT, tool.name + " completed with OK and no TOOL_RESULT");
        }
}

void is_idempotent(Bench& bench) {
    auto instance = bench.start();
    const std::vector<Listed> tools = list(bench, *instance);
    int tried = 0;
    for (const Example& example : examples(bench, *instance)) {
        const auto tool = std::find_if(tools.begin(), tools.end(), [&](const Listed& t) { return t.name == example.name; });
        if (tool == tools.end() || !(tool->flags & (JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY))) continue;
        const std::string key = "again-" + example.name;
        Call first(bench, instance, example.name, example.arguments, key), second(bench, instance, example.name, example.arguments, key);
        const std::string one = first.result(), two = second.result();
        if (one.empty()) continue;
        require(one == two, fmt::format("{} with one key answered {} and then {}", example.name, one.substr(0, 120), two.substr(0, 120)));
        ++tried;
    }
    if (tried == 0) not_applicable("no example's function says that it is idempotent");
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    const Example example = examples(bench, *instance).front();
    for (int i = 0; i < 3; ++i) {
        Call call(bench, instance, example.name, example.arguments, fmt::format("cancel-{}", i));
        if (call.start() != JF_OK) continue;
        bench.cancel(call.record());
        bench.cancel(call.record());
        bench.expect_done(call.record(), "the cancelled call", milliseconds(1500));
        require(bench.spy().completions_of(call.record().op) == 1, "the plugin did not complete the cancelled call itself");
        require_status("cancel after the completion", bench.plugin_cancel(*instance, call.record().op), {JF_E_INVALID});
    }
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    const Example example = examples(bench, *instance).front();
    std::vector<std::unique_ptr<Call>> calls;
    for (unsigned i = 0; i < 6; ++i) calls.push_back(std::make_unique<Call>(bench, instance, example.name, example.arguments, fmt::format("side-{}", i), i % 2));
    std::vector<Call*> running;
    for (const auto& call : calls)
        if (call->start() == JF_OK) running.push_back(call.get());
    for (Call* const call : running) bench.expect_done(call->record(), "one of several calls");
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    const Example example = examples(bench, *instance).front();
    Call shorter(bench, instance, example.name, example.arguments, "shorter");
    jf_tool_request request = shorter.request();
    request.struct_size = offsetof(jf_tool_request, call);
    request.call = request.language = request.now_local = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    const jf_status status = shorter.start(request);
    if (status == JF_OK) bench.expect_done(shorter.record(), "a call without the request's last members");
    else require_status("call without the request's last members", status, {JF_E_INVALID});

    Call longer(bench, instance, example.name, example.arguments, "longer");
    struct {
        jf_tool_request known;
        std::uint64_t appended[4];
    } later{longer.request(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    Call usual(bench, instance, example.name, example.arguments, "usual");
    const jf_status wanted = usual.start();
    require_status("call with a longer jf_tool_request that ends in zeros", longer.start(later.known), {wanted});
}

void refuses_while_quiescing(Bench& bench) {
    auto instance = bench.start();
    const Example example = examples(bench, *instance).front();
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    Call late(bench, instance, example.name, example.arguments, "late");
    require_status("call after quiesce", late.start(), {JF_E_STATE});
}

void mid_op(Bench& bench) {
    auto instance = bench.start();
    const Example example = examples(bench, *instance).front();
    (void)(new Call(bench, instance, example.name, example.arguments, "killed"))->start();
}

constexpr Check checks[] = {
    {"tools.lists", "list answers functions that a model can be offered, and the same again", "Names of [A-Za-z0-9_-], a description each, parameters as JSON Schema of an object.", lists},
    {"tools.unknown_function", "A function that there is not is NOT_FOUND", "Look the name up before anything else.", unknown_function},
    {"tools.runs_examples", "The examples of its own plugin.json give JSON results", "Answer a jf_tool_result of at most 64 KiB of JSON.", runs_examples, 60},
    {"tools.odd_arguments", "Odd arguments are refused or answered, and never worse", "Read arguments with a bounded parser; say in the result what is wrong.", odd_arguments, 60},
    {"tools.is_idempotent", "An idempotent function answers one key alike", "Keep what a key has done beside what it did, in one batch.", is_idempotent, 60},
    {"tools.cancels", "cancel completes a call within the second, and only once", "Complete with CANCELLED where nothing was done, else PEER_LOST or the result.", cancels},
    {"tools.several_at_once", "Several calls on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 60},
    {"tools.struct_sizes", "Requests are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes},
    {"tools.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE from call().", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> tools_checks() { return checks; }
void tools_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
