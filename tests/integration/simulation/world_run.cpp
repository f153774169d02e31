#include "integration/simulation/world_run.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "integration/simulation/in_memory_host.hpp"
#include "integration/simulation/memory_recordings.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto recording_drain = 500ms;
constexpr auto longest_world = 90s;   // the last call begins after 12 s, and the longest ends 12 s later
constexpr auto longest_stop = 30s;

/// One for the process, as in a host: what is loaded stays loaded.
plugin_host::Loader& shared_loader(const config::HostConfig& config) {
    static plugin_host::Loader loader = app::make_loader(config);
    return loader;
}

struct Action {
    std::string verb;
    int call = -1;
    std::int64_t at_ms = 0;
};

std::vector<Action> actions_of(const World& world) {
    std::vector<Action> out;
    for (const Element& element : world.elements) {
        if (element.kind != Element::Kind::action) continue;
        const std::size_t first = element.text.find(' ');
        const std::size_t last = element.text.rfind(' ');
        Action action{element.text.substr(0, first), -1, std::stol(element.text.substr(last + 1))};
        if (first != last) action.call = std::stoi(element.text.substr(first + 1));
        out.push_back(action);
    }
    return out;
}

/// What was decided in a call, by the record of its turns.
DecisionsSeen decisions_of(const std::vector<store::TurnRow>& turns) {
    DecisionsSeen out;
    for (const store::TurnRow& turn : turns) {
        const auto why = base::JsonDocument::parse(turn.why_json);
        for (std::size_t i = 0; why && i < why->root().size(); ++i) {
            const auto entry = why->root().at(i);
            if (entry["what"].text_or("") == "endpoint") out.endpoints.push_back(entry["at_ms"].integer_or(0));
        }
    }
    return out;
}

/// One life; everything that must outlive the host stands before it.
class Life {
  public:
    Life(const World& world, const RunOptions& options, config::HostConfig config)
        : options_(options),
          calls_(calls_of(world)),
          actions_(actions_of(world)),
          witness_(world, options.witness),
          runtime_(world.seed, 3),
          log_(std::make_shared<observe::Log>(log_options())),
          metrics_(3),
          recordings_(std::make_shared<MemoryRecordings>()),
          writer_(recordings_),
          host_(std::make_unique<app::Host>(
              app::HostParts{runtime_, network_, shared_loader(config), writer_, observe::Logger(log_), metrics_}, std::move(config))) {
        for (const Element& element : world.elements) lying_ |= element.kind == Element::Kind::fault;
        runtime_.set_pool_latency(1ms);
        host_->subscribe([this](const call::CallEvent& event) { on_event(event); });
    }

    Outcome run() {
        if (start()) {
            run_calls();
            if (!stopping_) {
                look_around();
                read_store();
            }
            stop();
        }
        collect();
        return std::move(out_);
    }

  private:
    observe::LogOptions log_options() {
        observe::LogOptions options;
        options.level = options_.trace ? observe::LogLevel::info : observe::LogLevel::warn;
        options.asynchronous = false;
        options.clock = &runtime_.clock();
        options.write = [this](std::string_view line) { on_line(line); };
        return options;
    }

    void take_into_digest(std::string_view text) {
        for (const char c : text) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
    }

    void on_line(std::string_view line) {
        if (line.find("\"level\":\"info\"") == std::string_view::npos) take_into_digest(line);
        if (line.find("\"sim.leg\"") != std::string_view::npos) {
            LegReport report = read_leg_report(line);
            if (options_.trace) far_ends_[report.who].emplace_back(line);
            return witness_.on_leg(std::move(report));
        }
        if (line.find("\"sim.tool\"") != std::string_view::npos) {
            if (options_.trace) lines_.emplace_back(line);
            return witness_.on_tool(line);
        }
        const bool bad = line.find("\"level\":\"error\"") != std::string_view::npos;
        const bool degraded = bad || line.find("\"level\":\"warn\"") != std::string_view::npos;
        if (options_.trace) lines_.emplace_back(line);
        if (!degraded) return;
        const auto parsed = base::JsonDocument::parse(line);
        const std::string event = parsed ? parsed->root()["event"].text_or("?") : "?";
        ++out_.logged[event];
        // Someone must act: not when all that happened is that calls came and went.
        if (bad && !lying_) witness_.complain("no_errors_logged", -1, std::string(line.substr(0, 300)));
    }

    void on_event(const call::CallEvent& event) {
        take_into_digest(event.json);
        if (options_.trace) lines_.push_back(event.json);
        witness_.on_event(event.json);
    }

    std::int64_t now_ms() const { return runtime_.clock().now().ns / 1'000'000; }

    bool start() {
        bool started = false;
        std::string failure;
        host_->start([&](base::Result<> result) {
            started = static_cast<bool>(result);
            if (!result) failure = result.error().text();
        });
        for (int i = 0; i < 100 && !started && failure.empty(); ++i) runtime_.run_for(10ms);
        if (!started) {
            witness_.complain("host_starts", -1, failure.empty() ? "it did not" : failure);
            return false;
        }
        began_ms_ = now_ms();
        host_->control_shard().post([this] {
            drain_recordings();
            for (const Action& action : actions_) at(action.at_ms, [this, action] { act(action); });
            for (const ScriptedCall& call : calls_)
                if (call.dialled) at(call.at_ms, [this, who = call.who] { dial(who); });
        });
        return true;
    }

    void at(std::int64_t ms, base::Task task) {
        timers_.push_back(host_->control_shard().start_timer(runtime_.clock().now() + base::Milliseconds(ms), std::move(task)));
    }

    void drain_recordings() {
        writer_.drain();
        drain_timer_ = host_->control_shard().start_timer(runtime_.clock().now() + recording_drain, [this] { drain_recordings(); });
    }

    /// Ours, not the host's.
    void cancel_actions() {
        for (const runtime::TimerId timer : timers_) host_->control_shard().cancel_timer(timer);
        timers_.clear();
    }

    void dial(const std::string& who) {
        if (stopping_) return;
        // Refused while the host drains, and only then.
        const auto placed = host_->calls().place("clinic", "reception", "", who, "+12125550100", 5s);
        if (!placed && !host_->plugins().draining()) witness_.complain("calls_are_placed", -1, placed.error().text());
    }

    void act(const Action& action) {
        if (action.verb == "drain") {
            host_->plugins().set_draining(true);
        } else if (action.verb == "stop") {
            begin_stop(1s);
        } else {
            const auto who = std::find_if(calls_.begin(), calls_.end(), [&](const ScriptedCall& call) { return call.number == action.call; });
            if (who == calls_.end()) return;
            for (const app::LiveCall& call : host_->calls().live())
                if (call.from == who->who || call.to == who->who) host_->calls().hang_up(call.id, 0, "operator");
        }
    }

    void run_calls() {
        std::int64_t last_ms = 0;
        for (const ScriptedCall& call : calls_) last_ms = std::max<std::int64_t>(last_ms, call.at_ms);
        while (!stopping_ && now_ms() - began_ms_ < longest_world / 1ms) {
            runtime_.run_for(100ms);
            if (now_ms() - began_ms_ > last_ms + 100 && host_->calls().count() == 0) return;
        }
        if (!stopping_ && host_->calls().count() > 0)
            witness_.complain("calls_end", -1, std::to_string(host_->calls().count()) + " calls never ended");
    }

    /// No call is left, and the host still serves: nothing of the calls may be left either.
    void look_around() {
        cancel_actions();
        runtime_.run_for(5s); // recordings, providers that are late to complete
        if (const auto open = host_->plugins().ops().open_ops(); open > 0)
            witness_.complain("no_operation_left", -1, std::to_string(open) + " are open when no call is");
        // What remains is the one that drains recordings.
        if (runtime_.pending() > 1) witness_.complain("no_timer_left", -1, std::to_string(runtime_.pending()) + " timers when no call is left");
    }

    void read_store() {
        for (const auto& [id, call] : witness_.calls()) to_read_.push_back(id);
        host_->control_shard().post([this] {
            host_->store().list_open(host_->control_shard(), "clinic", [this](base::Result<std::vector<store::CallRow>> open) {
                if (!open) witness_.complain("store_answers", -1, open.error().text());
                else if (!open->empty()) witness_.complain("one_final_record", -1, std::to_string(open->size()) + " calls are open in the store");
                read_call(0);
            });
        });
        for (int i = 0; i < 1000 && !all_read_; ++i) runtime_.run_for(10ms);
        if (!all_read_) witness_.complain("store_answers", -1, "not in time");
    }

    void read_call(std::size_t index) {
        if (index == to_read_.size()) {
            all_read_ = true;
            return;
        }
        host_->store().get(host_->control_shard(), "clinic", to_read_[index], [this, index](base::Result<std::vector<store::CallRow>> rows) {
            const CallSeen& seen = witness_.calls().at(to_read_[index]);
            if (!rows || rows->size() != 1) {
                witness_.complain("one_final_record", seen.number, std::to_string(rows ? rows->size() : 0) + " records of a call");
                return read_call(index + 1);
            }
            const store::CallRow& row = rows->front();
            if (row.state != "ended" || row.cause != seen.cause || row.turns != static_cast<std::int64_t>(seen.turns.size()))
                witness_.complain("one_final_record", seen.number,
                                  "the record says " + row.state + ", " + row.cause + ", " + std::to_string(row.turns) + " turns; seen were " +
                                      seen.cause + ", " + std::to_string(seen.turns.size()));
            host_->store().turns(host_->control_shard(), "clinic", row.id, [this, index, &seen](base::Result<std::vector<store::TurnRow>> turns) {
                check_turns(seen, turns);
                read_legs(index);
            });
        });
    }

    /// Of those whom callers were joined with: each a record of its own, with an end.
    void read_legs(std::size_t index) {
        host_->store().legs(host_->control_shard(), "clinic", to_read_[index], [this, index](base::Result<std::vector<store::CallRow>> legs) {
            const CallSeen& seen = witness_.calls().at(to_read_[index]);
            const auto wrong = [&](const std::string& what) { witness_.complain("one_final_record", seen.number, "second legs: " + what); };
            if (!legs) wrong(legs.error().text());
            else if (legs->size() > static_cast<std::size_t>(seen.transfers) || legs->size() < static_cast<std::size_t>(seen.joins))
                wrong(std::to_string(legs->size()) + " records of " + std::to_string(seen.transfers) + " transfers, of which " + std::to_string(seen.joins) + " came about");
            else
                for (const store::CallRow& leg : *legs) {
                    if (leg.state != "ended" || leg.cause.empty() || leg.ended < leg.started) wrong(leg.id + " is " + leg.state + " '" + leg.cause + "'");
                    ++out_.second_legs;
                    if (leg.answered.us) ++out_.second_legs_answered;
                }
            read_call(index + 1);
        });
    }

    void check_turns(const CallSeen& seen, const base::Result<std::vector<store::TurnRow>>& turns) {
        if (!turns || turns->size() != seen.turns.size())
            return witness_.complain("one_final_record", seen.number,
                                     std::to_string(turns ? turns->size() : 0) + " turns are stored of " + std::to_string(seen.turns.size()));
        witness_.on_decisions(seen.id, decisions_of(*turns));
        if (options_.trace)
            for (const store::TurnRow& turn : *turns)
                out_.trace[seen.number].push_back("decided in turn " + std::to_string(turn.number) + ": " + turn.why_json);
        for (std::size_t i = 0; i < turns->size(); ++i)
            if ((*turns)[i].text != seen.turns[i].text || ((*turns)[i].role == "assistant") != seen.turns[i].agent)
                witness_.complain("one_final_record", seen.number, "turn " + std::to_string(i) + " is stored as '" + (*turns)[i].text + "'");
    }

    void begin_stop(base::Milliseconds drain) {
        if (std::exchange(stopping_, true)) return;
        host_->stop(drain, [this] { stopped_ = true; });
    }

    void stop() {
        begin_stop(1s);
        cancel_actions();
        host_->control_shard().cancel_timer(drain_timer_);
        for (int i = 0; i < longest_stop / 100ms && !stopped_; ++i) runtime_.run_for(100ms);
        if (!stopped_) return witness_.complain("host_stops", -1, "it did not");
        runtime_.run_for(5s);
        writer_.stop();
        if (const auto open = host_->plugins().ops().open_ops(); open > 0)
            witness_.complain("no_operation_left", -1, std::to_string(open) + " are open after the host stopped");
        if (runtime_.pending() > 0)
            witness_.complain("no_timer_left", -1, std::to_string(runtime_.pending()) + " timers after the host stopped");
    }

    void collect() {
        for (const auto& [id, call] : witness_.calls()) {
            ++out_.calls;
            if (call.answered) ++out_.answered;
            if (call.answered_us) out_.call_seconds += static_cast<double>(call.ended_us - call.answered_us) * 1e-6;
            if (!call.ended) witness_.complain("calls_end", call.number, "no last event");
            ++out_.causes[call.cause];
            for (const CallSeen::Turn& turn : call.turns) ++out_.rules[turn.rule];
            check_recording(call);
        }
        check_counters();
        take_into_digest(std::to_string(runtime_.steps()));
        out_.digest = digest_;
        out_.steps = runtime_.steps();
        if (options_.trace) collect_trace();
        out_.violations = witness_.violations();
    }

    void check_recording(const CallSeen& call) {
        if (call.agent != "recorded" || !call.answered) return;
        if (!recordings_->committed.count(call.recording)) witness_.complain("recordings_are_whole", call.number, "there is none");
        const auto& bad = recordings_->malformed;
        if (std::find(bad.begin(), bad.end(), call.recording) != bad.end()) witness_.complain("recordings_are_whole", call.number, "malformed");
    }

    /// Of plugins that tell the truth nothing comes late, and nothing is ever refused.
    void check_counters() {
        const plugin_host::OpCounters& counters = host_->plugins().ops().counters();
        const std::pair<const char*, std::uint64_t> plugins[] = {{"late events", counters.late_events},
                                                                 {"late completions", counters.late_completions},
                                                                 {"cancel timeouts", counters.cancel_timeouts}};
        for (const auto& [name, count] : plugins)
            if (count > 0 && !lying_) witness_.complain("one_completion_each", -1, std::to_string(count) + ' ' + name);
        if (counters.unknown_events > 0) witness_.complain("one_completion_each", -1, "events of unknown types");
        std::map<std::string, double> totals;
        for (const observe::MetricFamily& family : metrics_.collect())
            for (const observe::MetricSeries& series : family.series)
                if (family.type != observe::MetricType::histogram) totals[family.name] += series.value;
        for (const char* never : {"jackfield_plugin_sim_media_without_call_total", "jackfield_plugin_sim_packets_refused_total",
                                  "jackfield_call_packets_dropped_total", "jackfield_call_stt_dropped_total"})
            if (totals[never] > 0) witness_.complain("no_audio_after_hang_up", -1, std::string(never) + " is " + std::to_string(totals[never]));
        if (totals["jackfield_call_active"] != 0) witness_.complain("calls_end", -1, "calls are counted as active at the end");
        if (totals["jackfield_call_started_total"] != totals["jackfield_call_ended_total"])
            witness_.complain("one_final_record", -1, "as many calls must end as began");
        out_.metrics = std::move(totals);
    }

    void collect_trace() {
        for (const std::string& line : lines_) {
            int number = -1;
            for (const auto& [id, call] : witness_.calls())
                if (line.find(id) != std::string::npos) number = call.number;
            out_.trace[number].push_back(line);
        }
        for (const ScriptedCall& call : calls_)
            for (const std::string& line : far_ends_[call.who]) out_.trace[call.number].push_back(line);
    }

    RunOptions options_;
    Outcome out_;
    std::vector<ScriptedCall> calls_;
    std::vector<Action> actions_;
    Witness witness_;
    std::uint64_t digest_ = 14695981039346656037u;
    bool lying_ = false; ///< some provider does something wrong
    std::int64_t began_ms_ = 0;
    bool stopping_ = false;
    bool stopped_ = false;
    std::vector<runtime::TimerId> timers_;
    runtime::TimerId drain_timer_ = 0;
    std::vector<std::string> to_read_;
    bool all_read_ = false;
    std::vector<std::string> lines_;
    std::map<std::string, std::vector<std::string>> far_ends_;
    runtime::SimRuntime runtime_;
    NoNetwork network_;
    std::shared_ptr<observe::Log> log_;
    observe::Metrics metrics_;
    std::shared_ptr<MemoryRecordings> recordings_;
    media::RecordingWriter writer_;
    std::unique_ptr<app::Host> host_;
};

}  // namespace

Outcome run_world(const World& world, const RunOptions& options) {
    auto config = load_config(config_of(world), {});
    if (!config.ok()) {
        Outcome out;
        for (const config::Problem& problem : config.problems) out.violations.push_back({"host_starts", -1, config::to_text(problem)});
        return out;
    }
    return Life(world, options, std::move(config.value)).run();
}

}  // namespace jackfield::simulation
