#include "integration/simulation/simulated_host.hpp"

#include <set>

#include "base/json.hpp"
#include "integration/simulation/in_memory_host.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

constexpr auto recording_drain = 500ms;
constexpr auto outgoing_every = 47s;

const char* const host_toml = R"(
[host]
plugins = ["${env:PLUGINS}"]
storage = "sqlite::memory:"
recordings_dir = "recordings"
tenants = "tenants"
shards = 2
log_level = "warn"

[providers.carrier]
plugin = "telephony/sim"
seed = ${env:SEED}
lines = ${env:LINES}
numbers = [${env:NUMBERS}]
)";

const char* const tenant_toml = R"(
[tenant]
name = "Simulated Clinic"
time_zone = "America/New_York"
limits = { concurrent_calls = 100 }

[providers.ears]
plugin = "stt/sim"
seed = ${env:SEED}
lost_permille = 10
deaf_permille = 5

[providers.spare_ears]
plugin = "stt/sim"
seed = ${env:SEED}

[providers.brain]
plugin = "llm/scripted"
script = "${env:SOURCE}/configs/dialogues/clinic.toml"
token_delay_ms = 15

[providers.voice]
plugin = "tts/sim"
seed = ${env:SEED}
lost_permille = 5

[providers.spare_voice]
plugin = "tts/sim"
seed = ${env:SEED}
first_ms = 150

[agents.reception]
answers = ["host:carrier/+12125550100"]
stt = ["ears", "spare_ears"]
llm = "brain"
tts = ["voice", "spare_voice"]
greeting = "Thank you for calling the clinic. How can I help you?"
tools = ["hang_up", "transfer"]
transfer = { reception = { to = "+12125550199", mode = "${env:MODE}", announce = "A caller for you." } }
turn = { vad = "energy" }

[agents.desk]
answers = ["host:carrier/+12125550101"]
stt = ["ears", "spare_ears"]
llm = "brain"
tts = ["voice", "spare_voice"]
greeting = "Front desk."
tools = ["hang_up"]
recording = { enabled = true }
turn = { vad = "energy", answer_after_ms = 800 }
)";

config::Outcome<config::HostConfig> load_config(const SimulationOptions& options) {
    std::string numbers;
    for (unsigned line = 0; line < options.lines; ++line)
        numbers += line < options.lines - options.recorded ? "\"+12125550100\", " : "\"+12125550101\", ";
    return simulation::load_config({{"jackfield.toml", host_toml}, {"clinic.toml", tenant_toml}},
                                   {{"SEED", std::to_string(options.seed)}, {"LINES", std::to_string(options.lines)}, {"NUMBERS", numbers},
                                    {"MODE", options.joined ? options.seed % 2 ? "bridge" : "attended" : "refer"}});
}

/// One run; everything that must outlive the host stands before it.
class Run {
  public:
    Run(const SimulationOptions& options, config::HostConfig config)
        : options_(options),
          runtime_(options.seed, 3),
          loader_(app::make_loader(config)),
          log_(std::make_shared<observe::Log>(log_options())),
          metrics_(3),
          recordings_(std::make_shared<MemoryRecordings>()),
          writer_(recordings_),
          host_(std::make_unique<app::Host>(app::HostParts{runtime_, network_, loader_, writer_, observe::Logger(log_), metrics_},
                                            std::move(config))) {
        runtime_.set_pool_latency(1ms);
        host_->subscribe([this](const call::CallEvent& event) { out_.events.push_back(event.json); });
    }

    Simulation run() {
        const double cpu = cpu_now();
        if (start()) {
            out_.open_ops_at_start = host_->plugins().ops().open_ops();
            runtime_.run_for(options_.duration);
            finish_calls();
            read_store();
        }
        stop();
        out_.cpu_seconds = cpu_now() - cpu;
        collect();
        return std::move(out_);
    }

  private:
    observe::LogOptions log_options() {
        observe::LogOptions options;
        options.level = observe::LogLevel::warn;
        options.asynchronous = false;
        options.clock = &runtime_.clock();
        options.write = [this](std::string_view line) {
            if (const auto parsed = base::JsonDocument::parse(line)) ++out_.logged[std::string(parsed->root()["event"].text_or("?"))];
        };
        return options;
    }

    bool start() {
        bool started = false;
        host_->start([&](base::Result<> result) {
            started = static_cast<bool>(result);
            if (!result) out_.failure = result.error().text();
        });
        runtime_.run_for(10ms);
        for (int i = 0; i < 100 && !started && out_.failure.empty(); ++i) runtime_.run_for(10ms);
        if (!started) {
            if (out_.failure.empty()) out_.failure = "the host did not start";
            return false;
        }
        host_->control_shard().post([this] {
            drain_recordings();
            dial();
        });
        return true;
    }

    void drain_recordings() {
        writer_.drain();
        host_->control_shard().start_timer(runtime_.clock().now() + recording_drain, [this] { drain_recordings(); });
    }

    void dial() {
        host_->control_shard().start_timer(runtime_.clock().now() + outgoing_every, [this] { dial(); });
        if (host_->plugins().draining()) return;
        const std::string to = "+1646555" + std::to_string(1000 + runtime_.random().below(9000));
        if (const auto placed = host_->calls().place("clinic", "reception", "", to, "+12125550100", 30s); !placed)
            out_.failure = "place: " + placed.error().text();
    }

    /// No new calls; those that live end by themselves.
    void finish_calls() {
        host_->plugins().set_draining(true);
        for (int i = 0; i < 400 && host_->calls().count() > 0; ++i) runtime_.run_for(1s);
        if (host_->calls().count() > 0) out_.failure = std::to_string(host_->calls().count()) + " calls never ended";
        runtime_.run_for(5s); // lines that rest, recordings that are written
        out_.open_ops_when_quiet = host_->plugins().ops().open_ops();
    }

    void read_store() {
        std::set<std::string> ids;
        for (const std::string& json : out_.events)
            if (const auto event = base::JsonDocument::parse(json)) ids.emplace(event->root()["call"].text_or(""));
        to_read_.assign(ids.begin(), ids.end());
        host_->control_shard().post([this] {
            host_->store().list_open(host_->control_shard(), "clinic", [this](base::Result<std::vector<store::CallRow>> open) {
                if (!open) out_.failure = "list_open: " + open.error().text();
                else out_.left_open = open->size();
                read_call(0);
            });
        });
        for (int i = 0; i < 600 && out_.failure.empty() && !all_read_; ++i) runtime_.run_for(1s);
        if (out_.failure.empty() && !all_read_) out_.failure = "the store did not answer";
    }

    /// One call after the other: in one thread nobody makes room for a long answer while it is being written.
    void read_call(std::size_t index) {
        if (index == to_read_.size()) {
            all_read_ = true;
            return;
        }
        runtime::Shard& shard = host_->control_shard();
        const std::string& id = to_read_[index];
        host_->store().get(shard, "clinic", id, [this, index, &id, &shard](base::Result<std::vector<store::CallRow>> call) {
            if (!call) {
                out_.failure = "get: " + call.error().text();
                return;
            }
            out_.calls.insert(out_.calls.end(), call->begin(), call->end());
            host_->store().turns(shard, "clinic", id, [this, index, &id](base::Result<std::vector<store::TurnRow>> turns) {
                if (!turns) {
                    out_.failure = "turns: " + turns.error().text();
                    return;
                }
                out_.turns[id] = std::move(*turns);
                read_call(index + 1);
            });
        });
    }

    void stop() {
        bool stopped = false;
        host_->stop(1s, [&] { stopped = true; });
        for (int i = 0; i < 60 && !stopped; ++i) runtime_.run_for(1s);
        if (!stopped) out_.failure += "; the host did not stop";
        writer_.stop();
    }

    void collect() {
        plugin_host::OpTable& ops = host_->plugins().ops();
        out_.open_ops_at_end = ops.open_ops();
        const plugin_host::OpCounters& counters = ops.counters();
        out_.op_counters = {{"late_events", counters.late_events},         {"late_completions", counters.late_completions},
                            {"unknown_events", counters.unknown_events},   {"queue_full", counters.queue_full},
                            {"cancel_timeouts", counters.cancel_timeouts}};
        for (const observe::MetricFamily& family : metrics_.collect())
            for (const observe::MetricSeries& series : family.series)
                out_.metrics[family.name] += family.type == observe::MetricType::histogram ? static_cast<double>(series.count) : series.value;
        out_.steps = runtime_.steps();
        out_.recordings = recordings_->committed;
        out_.malformed_recordings = recordings_->malformed;
        for (const store::CallRow& call : out_.calls)
            if (call.answered.us) out_.call_seconds += static_cast<double>(call.ended.us - call.answered.us) * 1e-6;
        out_.counts = "steps=" + std::to_string(out_.steps);
        for (const auto& [name, value] : out_.op_counters) out_.counts += " " + name + "=" + std::to_string(value);
        for (const auto& [name, value] : out_.metrics) out_.counts += " " + name + "=" + std::to_string(value);
        for (const auto& [name, count] : out_.logged) out_.counts += " " + name + "=" + std::to_string(count);
        for (const auto& [path, file] : out_.recordings)
            out_.counts += " " + path + "=" + std::to_string(file.frames) + ":" + std::to_string(file.sum);
    }

    SimulationOptions options_;
    Simulation out_;
    std::vector<std::string> to_read_;
    bool all_read_ = false;
    runtime::SimRuntime runtime_;
    NoNetwork network_;
    plugin_host::Loader loader_;
    std::shared_ptr<observe::Log> log_;
    observe::Metrics metrics_;
    std::shared_ptr<MemoryRecordings> recordings_;
    media::RecordingWriter writer_;
    std::unique_ptr<app::Host> host_;
};

}  // namespace

Simulation simulate(const SimulationOptions& options) {
    auto config = load_config(options);
    if (!config.ok()) {
        Simulation out;
        for (const config::Problem& problem : config.problems) out.failure += config::to_text(problem) + "\n";
        return out;
    }
    return Run(options, std::move(config.value)).run();
}

}  // namespace jackfield::simulation
