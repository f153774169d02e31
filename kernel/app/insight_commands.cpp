// `jackfield why` and `call trace`: what was decided in a call and what went over its wires, from its record and, while it lasts, from the running
// host.

#include <algorithm>
#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/drawings.hpp"
#include "app/offline_store.hpp"
#include "app/stored_call.hpp"
#include "base/json.hpp"
#include "call/decision_log.hpp"

namespace jackfield::app {
namespace {

std::string at_text(std::int64_t ms) {
    char text[32];
    std::snprintf(text, sizeof text, "%8.3f s", static_cast<double>(ms) / 1000.0);
    return text;
}

void print_decisions(base::JsonView decisions) {
    for (std::size_t i = 0; i < decisions.size(); ++i)
        std::cout << "  " << at_text(decisions.at(i)["at_ms"].integer_or(0)) << "  " << call::describe_decision(decisions.at(i)) << "\n";
}

void print_decisions(const std::string& json) {
    if (const auto document = base::JsonDocument::parse(json)) print_decisions(document->root());
}

void print_turn(const store::TurnRow& turn) {
    std::cout << "turn " << turn.number << "  " << (turn.role == "user" ? "caller" : "agent") << "  \"" << turn.text << "\"\n";
    if (!turn.unheard.empty()) std::cout << "  not heard: \"" << turn.unheard << "\"\n";
    std::cout << "  rule: " << turn.rule;
    if (turn.confidence >= 0) std::cout << ", confidence " << turn.confidence;
    if (turn.reply_ms >= 0) std::cout << ", answered after " << turn.reply_ms << " ms";
    std::cout << "\n";
    print_decisions(turn.why_json);
}

void write_turn(base::JsonWriter& json, const store::TurnRow& turn) {
    json.begin_object().member("number", turn.number).member("role", turn.role).member("text", turn.text);
    json.member("unheard", turn.unheard).member("interrupted", turn.interrupted).member("rule", turn.rule);
    json.member("confidence", turn.confidence).member("began_ms", turn.began_ms).member("ended_ms", turn.ended_ms);
    json.member("reply_ms", turn.reply_ms);
    if (!turn.stages_json.empty()) json.key("stages").raw(turn.stages_json);
    json.key("decisions").raw(turn.why_json.empty() ? "[]" : turn.why_json).end_object();
}

/// The answer of the running host to a question about a live call, empty when it has none.
std::string ask_live(const config::HostConfig& config, const char* command, const std::string& id) {
    base::JsonWriter request;
    request.begin_object().member("cmd", command).member("call", id).end_object();
    std::string answer;
    (void)control_request(config.control_socket, request.str(), [&](const std::string& line) {
        const auto document = base::JsonDocument::parse(line);
        if (document && document->root()["ok"].boolean_or(false)) answer = line;
        return false;
    });
    return answer;
}

std::string why_no_trace(const config::HostConfig& config, const store::CallRow& row) {
    if (row.cause == "host_lost" || row.state == "open") return "its host is gone without having stored one";
    const config::TenantConfig* const tenant = config.tenant(row.tenant);
    if (tenant) {
        const auto agent = tenant->agents.find(row.agent);
        if (agent != tenant->agents.end() && !agent->second.keep_trace) return "its agent keeps none when a call is over (keep_trace = false)";
    }
    return "the host stored none when the call was over; its log says why (trace.not_stored), unless its agent kept none then";
}

}  // namespace

int run_why(const CommonOptions& common, const WhyCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    auto found = StoredCall::find(*config, command.call);
    if (!found) return fail(found.error().text());
    std::vector<store::TurnRow> turns = found->turns;
    // Of a live call the turn in hand is told by the host; what it has stored since the look into the store is asked for again.
    std::optional<base::JsonDocument> live;
    if (found->row.state == "open") {
        if (const std::string answer = ask_live(*config, "why", found->row.id); !answer.empty()) {
            if (auto document = base::JsonDocument::parse(answer)) live.emplace(std::move(*document));
            if (auto again = StoredCall::find(*config, found->row.id)) turns = std::move(again->turns);
        }
    }
    const std::int64_t open = live ? live->root()["number"].integer_or(-1) : -1;
    if (command.turn >= 0) {
        std::erase_if(turns, [&](const store::TurnRow& turn) { return turn.number != command.turn; });
        if (open != command.turn) live.reset();
        if (turns.empty() && !live)
            return fail("call " + found->row.id + " has no turn " + std::to_string(command.turn) + "; `jackfield why " + found->row.id + "` shows those it has");
    }
    if (common.json) {
        base::JsonWriter json;
        json.begin_object().member("call", found->row.id).member("tenant", found->row.tenant).member("live", found->row.state == "open");
        json.key("turns").begin_array();
        for (const store::TurnRow& turn : turns) write_turn(json, turn);
        json.end_array();
        if (live) {
            json.key("open").begin_object().member("number", open);
            json.key("decisions").raw(live->root()["decisions"].dump()).end_object();
        }
        json.end_object();
        std::cout << json.str() << "\n";
        return exit_ok;
    }
    std::cout << "call " << found->row.id << "  " << found->row.tenant << "/" << found->row.agent << (found->row.state == "open" ? "  (live)" : "") << "\n";
    for (const store::TurnRow& turn : turns) print_turn(turn);
    if (live) {
        std::cout << "turn " << open << "  (not over)\n";
        print_decisions(live->root()["decisions"]);
    }
    return exit_ok;
}

base::Result<std::string> read_trace(const config::HostConfig& config, std::string& call) {
    auto found = StoredCall::find(config, call);
    if (!found) return found.error();
    call = found->row.id;
    if (!found->trace_json.empty()) return std::move(found->trace_json);
    if (std::string live = ask_live(config, "trace", call); !live.empty()) return live;
    // Between the question to the store and the one to the host the call may have ended.
    found = StoredCall::find(config, call);
    if (!found) return found.error();
    if (!found->trace_json.empty()) return std::move(found->trace_json);
    if (!found->row.parent.empty()) {
        std::cerr << "jackfield: " << call << " is the leg that call " << found->row.parent << " was transferred to; this is that call\n";
        call = found->row.parent;
        return read_trace(config, call);
    }
    return base::Error(base::ErrorCode::not_found, "of call " + call + " there is no trace: " + why_no_trace(config, found->row));
}

int run_call_trace(const CommonOptions& common, const TraceCommand& command) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    std::string id = command.call;
    const auto text = read_trace(*config, id);
    if (!text) return fail(text.error().text());
    const auto document = base::JsonDocument::parse(*text);
    if (!document) return fail(document.error().text());
    if (common.json) {
        base::JsonWriter json;
        json.begin_object().member("call", id).member("started_us", document->root()["started_us"].integer_or(0));
        json.member("left_out", document->root()["left_out"].integer_or(0));
        json.key("entries").raw(document->root()["entries"].dump()).end_object();
        std::cout << json.str() << "\n";
        return exit_ok;
    }
    std::cout << "call " << id << "\n" << draw_ladder(document->root(), command.messages);
    return exit_ok;
}

}  // namespace jackfield::app
