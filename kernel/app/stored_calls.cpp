// `jackfield calls list` and `show`: the stored calls, read without a running host.

#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/drawings.hpp"
#include "app/tool_lines.hpp"
#include "app/which_call.hpp"
#include "base/json.hpp"

namespace jackfield::app {
namespace {

void write_call(base::JsonWriter& json, const store::CallRow& call) {
    json.member("id", call.id).member("tenant", call.tenant).member("agent", call.agent).member("direction", call.direction);
    json.member("provider", call.provider).member("from", call.from).member("to", call.to).member("state", call.state);
    json.member("started_us", call.started.us).member("answered_us", call.answered.us).member("ended_us", call.ended.us);
    json.member("cause", call.cause).member("ended_by", call.ended_by).member("reason", call.reason);
    json.member("sip_status", call.sip_status).member("recording", call.recording).member("turns_count", call.turns);
    if (!call.parent.empty()) json.member("transferred_from", call.parent);
    if (!call.answered_by.empty()) json.member("answered_by", call.answered_by);
    if (!call.quality_json.empty()) json.key("quality").raw(call.quality_json);
}

std::string seconds_text(std::int64_t from_us, std::int64_t to_us) {
    if (from_us == 0 || to_us == 0) return "-";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(to_us - from_us) / 1e6);
    return text;
}

/// "MOS 4.3, jitter 2.1 ms, 3 of 1200 packets lost".
std::string quality_text(const std::string& json) {
    const auto document = base::JsonDocument::parse(json);
    if (!document) return "-";
    const base::JsonView quality = document->root();
    char text[160];
    std::string out;
    if (const double mos = quality["mos"].real_or(-1); mos >= 0) {
        std::snprintf(text, sizeof text, "MOS %.1f, ", mos);
        out = text;
    }
    std::snprintf(text, sizeof text, "jitter %.1f ms, %lld of %lld packets lost", quality["jitter_ms"].real_or(0),
                  static_cast<long long>(quality["packets_lost"].integer_or(0)),
                  static_cast<long long>(quality["packets_in"].integer_or(0) + quality["packets_lost"].integer_or(0)));
    return out + text;
}

void print_turn_line(const store::TurnRow& turn) {
    std::cout << "  " << turn.began_ms / 1000 << "." << (turn.began_ms % 1000) / 100 << " s  "
              << (turn.role == "user" ? "caller: " : "agent:  ") << (turn.text.empty() ? "(" + turn.rule + ")" : turn.text);
    if (turn.interrupted) std::cout << " ...(interrupted)";
    if (turn.reply_ms >= 0) std::cout << "   [" << turn.reply_ms << " ms]";
    std::cout << "\n";
}

using Calls = base::Result<std::vector<store::CallRow>>;
using Turns = base::Result<std::vector<store::TurnRow>>;

int list_live(const CommonOptions& common, const config::HostConfig& config) {
    int code = exit_failed;
    const auto sent = control_request(config.control_socket, R"({"cmd":"calls"})", [&](const std::string& line) {
        code = exit_ok;
        if (common.json) {
            std::cout << line << "\n";
            return false;
        }
        const auto document = base::JsonDocument::parse(line);
        if (!document) return false;
        const base::JsonView calls = document->root()["calls"];
        for (std::size_t i = 0; i < calls.size(); ++i)
            std::cout << calls.at(i)["id"].text_or("") << "  " << calls.at(i)["tenant"].text_or("") << "/" << calls.at(i)["agent"].text_or("")
                      << "  " << calls.at(i)["direction"].text_or("") << "  " << calls.at(i)["from"].text_or("") << "\n";
        return false;
    });
    return sent ? code : fail(sent.error().text());
}

}  // namespace

int run_calls_list(const CommonOptions& common, const ListCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    if (command.live) return list_live(common, *config);
    if (!command.tenant.empty() && !config->tenant(command.tenant)) return fail("there is no tenant '" + command.tenant + "'", exit_usage);
    auto store = OfflineStore::open(*config);
    if (!store) return fail(store.error().text());
    base::JsonWriter json;
    json.begin_array();
    for (const config::TenantConfig& tenant : config->tenants) {
        if (!command.tenant.empty() && tenant.id != command.tenant) continue;
        const auto calls = (*store)->wait<Calls>([&](auto done) { (*store)->calls().list((*store)->shard(), tenant.id, command.limit, done); });
        if (!calls) return fail(calls.error().text());
        for (const store::CallRow& call : *calls) {
            if (common.json) {
                json.begin_object();
                write_call(json, call);
                json.end_object();
                continue;
            }
            std::cout << call.id << "  " << utc_text(call.started.us) << "  " << call.tenant << "/" << call.agent << "  "
                      << call.direction << "  " << call.from << " -> " << call.to << "  "
                      << (call.state == "open" ? "open" : call.cause + " by " + call.ended_by) << "  "
                      << seconds_text(call.answered.us, call.ended.us) << "  " << call.turns << " turns\n";
        }
    }
    json.end_array();
    if (common.json) std::cout << json.str() << "\n";
    return exit_ok;
}

int run_calls_show(const CommonOptions& common, const std::string& id, bool waterfall) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    auto store = OfflineStore::open(*config);
    if (!store) return fail(store.error().text());
    const auto found = stored_call(**store, *config, id);
    if (!found) return fail(found.error().text());
    const store::CallRow& call = *found;
    const auto shard = [&]() -> runtime::Shard& { return (*store)->shard(); };
    const auto legs = (*store)->wait<Calls>([&](auto done) { (*store)->calls().legs(shard(), call.tenant, call.id, done); });
    if (!legs) return fail(legs.error().text());
    const auto turns = (*store)->wait<Turns>([&](auto done) { (*store)->calls().turns(shard(), call.tenant, call.id, done); });
    if (!turns) return fail(turns.error().text());
    const auto tools = (*store)->wait<base::Result<std::vector<store::ToolCallRow>>>(
        [&](auto done) { (*store)->calls().tool_calls().list(shard(), call.tenant, call.id, done); });
    if (!tools) return fail(tools.error().text());
    if (common.json) {
        base::JsonWriter json;
        json.begin_object();
        write_call(json, call);
        json.key("turns").begin_array();
        for (const store::TurnRow& turn : *turns) {
            json.begin_object().member("number", turn.number).member("role", turn.role).member("text", turn.text);
            json.member("unheard", turn.unheard).member("interrupted", turn.interrupted).member("rule", turn.rule);
            json.member("confidence", turn.confidence).member("began_ms", turn.began_ms).member("ended_ms", turn.ended_ms);
            json.member("reply_ms", turn.reply_ms).member("agent", turn.agent);
            if (!turn.stages_json.empty()) json.key("stages").raw(turn.stages_json);
            json.end_object();
        }
        json.end_array();
        write_tool_calls(json, *tools);
        json.key("legs").begin_array();
        for (const store::CallRow& leg : *legs) {
            json.begin_object();
            write_call(json, leg);
            json.end_object();
        }
        json.end_array().end_object();
        std::cout << json.str() << "\n";
        return exit_ok;
    }
    std::cout << "call       " << call.id << "\nagent      " << call.tenant << "/" << call.agent << "\n"
              << call.direction << "    " << call.from << " -> " << call.to << " (" << call.provider << ")\n"
              << "started    " << utc_text(call.started.us) << "\nlasted     " << seconds_text(call.answered.us, call.ended.us) << "\n"
              << "ended      " << (call.state == "open" ? "still open" : call.cause + " by " + call.ended_by)
              << (call.reason.empty() ? "" : " (" + call.reason + ")") << "\n";
    if (!call.parent.empty()) std::cout << "leg of     " << call.parent << "\n";
    for (const store::CallRow& leg : *legs)
        std::cout << "transfer   " << leg.to << " (" << leg.provider << ") " << seconds_text(leg.answered.us, leg.ended.us) << " " << leg.cause
                  << (leg.reason.empty() ? "" : " (" + leg.reason + ")") << "\n";
    if (!call.answered_by.empty()) std::cout << "answered   by " << call.answered_by << "\n";
    if (!call.quality_json.empty()) std::cout << "quality    " << quality_text(call.quality_json) << "\n";
    if (!call.recording.empty()) std::cout << "recording  " << call.recording << "\n";
    // In the order of time: a turn stands where it began, and so does a tool.
    auto tool = tools->begin();
    for (const store::TurnRow& turn : *turns) {
        for (; tool != tools->end() && tool->began_ms < turn.began_ms; ++tool) std::cout << tool_line(*tool);
        print_turn_line(turn);
    }
    for (; tool != tools->end(); ++tool) std::cout << tool_line(*tool);
    if (waterfall) std::cout << "\n" << draw_waterfall(*turns);
    return exit_ok;
}

}  // namespace jackfield::app
