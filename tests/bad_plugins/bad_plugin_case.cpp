#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <jackfield/sdk/plugin.hpp>

#include "module_table.hpp"
#include "net/network.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "runtime/runtime.hpp"

/// bad_plugin_case MODULE inline|thread: a host with one bad instance and a good one beside it. Prints what became of them, one fact a line; the
/// process that started it knows how this one ended.
namespace jackfield::bad_plugins {
namespace {

using namespace std::chrono_literals;
using namespace plugin_host;

/// Printed at once: whoever prints may be gone in a moment.
class Facts {
  public:
    void add(const std::string& fact) {
        const std::lock_guard lock(mutex_);
        const std::string line = fact + "\n";
        if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(9);
        changed_.notify_all();
    }
    void changed() {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    }
    bool wait_for(std::chrono::milliseconds limit, const std::function<bool()>& ready) {
        std::unique_lock lock(mutex_);
        const auto until = std::chrono::steady_clock::now() + limit;
        while (!ready()) {
            if (std::chrono::steady_clock::now() >= until) return false;
            // Some of what is waited for tells nobody that it has come (an instance that was brought back).
            changed_.wait_for(lock, 5ms);
        }
        return true;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// A stream of the kernel's.
class Stream final : public OpSink {
  public:
    Stream(Facts& facts, std::string name) : facts_(facts), name_(std::move(name)) {}
    void on_event(jf_op, const jf_event& event) override {
        if (done_) facts_.add(name_ + ": an event after its end");
        ++events_;
        // Whoever reads an event reads all of it.
        if (event.type == JF_EV_TOKEN)
            if (const auto* text = sdk::data_of<jf_str>(event)) bytes_ += sdk::view(*text).size();
        if (event.type == JF_EV_FINAL)
            if (const auto* text = sdk::data_of<jf_text>(event)) bytes_ += sdk::view(text->text).size() + text->words.n;
        if (event.type == JF_EV_AUDIO)
            if (const auto* frame = sdk::data_of<jf_frame>(event))
                for (std::uint64_t i = 0; i < frame->data.len; ++i) bytes_ += static_cast<const unsigned char*>(frame->data.ptr)[i] != 0;
    }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        if (done_.exchange(true)) facts_.add(name_ + ": ended twice");
        std::string text = error && error->code != JF_OK ? error_from(status, error).text().substr(0, 60) : "";
        facts_.add(name_ + ": status " + std::to_string(status) + " events " + std::to_string(events_) + " bytes " + std::to_string(bytes_) +
                   (last && last->type ? " last" : "") + (text.empty() ? "" : " text " + text));
    }
    bool done() const { return done_; }

  private:
    Facts& facts_;
    std::string name_;
    std::atomic<bool> done_{false};
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
};

class Case {
  public:
    Case(const Module& module, bool on_thread)
        : module_(module), place_(on_thread ? module.thread : module.inline_), placement_(on_thread ? Placement::thread : Placement::inline_),
          loader_({JACKFIELD_BAD_PLUGINS}, {}) {
        if (place_.real) {
            runtime::RuntimeOptions options;
            options.shards = 2;
            options.pool_threads = 2;
            real_ = std::make_unique<runtime::RealRuntime>(options);
        } else {
            simulated_ = std::make_unique<runtime::SimRuntime>(1, 2);
        }
        host_ = std::make_unique<PluginHost>(runtime(), *network_, loader_, hooks());
        // The watched instance lives on shard 0; what the host does for itself on shard 1.
        host_->set_home_shard(1);
        if (real_) host_->set_limits({.stream = 1000ms, .control = 2000ms, .blocking = 1000ms, .start = 5000ms, .probe = 100ms});
        if (real_) real_->start();
    }

    int run() {
        // The good one first: what the bad one does to the process must not keep it from being loaded, only from serving.
        if (!make("good", "llm/good", Placement::thread, good_)) return finish();
        if (!make("bad", std::string(module_.kind) + "/" + std::string(module_.name), placement_, bad_)) return finish();
        if (module_.drive == Drive::two) make("second", std::string(module_.kind) + "/" + std::string(module_.name), placement_, second_);
        if (module_.drive == Drive::store) host_->set_records(bad_.get());
        if (module_.drive != Drive::load && start(*bad_, "start")) drive();
        return finish();
    }

  private:
    runtime::Runtime& runtime() { return real_ ? static_cast<runtime::Runtime&>(*real_) : *simulated_; }

    PluginHostHooks hooks() {
        PluginHostHooks out;
        out.log = [this](const PluginLog& entry) {
            std::string line = "log: " + entry.event;
            for (const auto& [name, value] : entry.fields)
                line += " " + name + "=" + (name == "file" ? std::filesystem::path(value).filename().string() : value);
            for (char& c : line)
                if (static_cast<unsigned char>(c) < 0x20) c = ' ';
            facts_.add(line);
        };
        out.count = [this](const Instance&, std::string_view name, std::uint64_t) {
            facts_.add("count: " + std::string(name));
            noted_ = true;
        };
        return out;
    }

    /// What has to come may take its time on a machine that does much else; where the process may be broken, it is not waited for so long.
    bool wait(const std::function<bool()>& ready) { return wait(ready, place_.outcome == Outcome::process ? patience : std::chrono::milliseconds(20s)); }
    bool wait(const std::function<bool()>& ready, std::chrono::milliseconds limit) {
        if (real_) return facts_.wait_for(limit, ready);
        // Simulated time costs nothing, and everything that has to end does so within this.
        for (int i = 0; i < 6000 && !ready(); ++i) simulated_->run_for(10ms);
        return ready();
    }
    void on_shard(unsigned shard, std::function<void()> body) { runtime().shard(shard).post(std::move(body)); }

    bool make(const std::string& name, const std::string& plugin, Placement placement, std::shared_ptr<Instance>& out) {
        InstanceSpec spec;
        spec.name = name;
        spec.plugin = plugin;
        spec.placement = placement;
        auto made = host_->create(std::move(spec));
        facts_.add(name + ": " + (made ? "created" : "refused " + std::to_string(static_cast<int>(made.error().code())) + " " + made.error().text()));
        if (made) out = *made;
        return static_cast<bool>(made);
    }

    bool start(Instance& instance, const std::string& name) {
        auto answer = std::make_shared<std::atomic<int>>(0);
        on_shard(1, [this, &instance, answer, name] {
            host_->start(&instance == good_.get() ? good_ : bad_, runtime().shard(1), [this, answer, name](base::Result<> started) {
                facts_.add(name + ": " + (started ? "OK" : "failed " + std::to_string(static_cast<int>(started.error().code())) + " " + started.error().text()));
                *answer = started ? 1 : -1;
            });
        });
        wait([&] { return *answer != 0; });
        if (*answer == 0) facts_.add(name + ": no answer");
        return *answer == 1;
    }

    /// Starts what the module is there for; the op's id arrives once its shard has done so.
    void open(Instance& instance, Stream& sink, std::atomic<jf_op>& op, unsigned shard) {
        on_shard(shard, [this, &instance, &sink, &op, shard] {
            OpTable& ops = host_->ops();
            const jf_op opened = ops.open(runtime().shard(shard), &sink, &instance);
            op = opened;
            jf_error error = sdk::make<jf_error>();
            const jf_status status = begin(instance, opened, error);
            error.code = status;
            if (status != JF_OK) ops.complete(instance, opened, status, nullptr, &error);
        });
    }
    jf_status begin(Instance& instance, jf_op op, jf_error& error) {
        if (&instance == bad_.get() && module_.drive == Drive::push) {
            const SttPort port(instance);
            const jf_stt_open options = sdk::make<jf_stt_open>();
            const jf_status status = port.open(op, options, &error);
            const unsigned char silence[160] = {};
            jf_frame frame = sdk::make<jf_frame>();
            frame.samples = 160;
            frame.data = {silence, sizeof silence};
            if (status == JF_OK) port.push(op, frame);
            return status;
        }
        if (&instance == bad_.get() && (module_.drive == Drive::lookup || module_.drive == Drive::store)) {
            const RecordsPort port(instance);
            const bool taken = runtime().pool().submit([this, port, &instance, op] {
                const jf_query query = sdk::make<jf_query>();
                jf_error late = sdk::make<jf_error>();
                if (const jf_status status = port.query(op, query, &late); status != JF_OK) host_->ops().complete(instance, op, status, nullptr, &late);
            });
            return taken ? JF_OK : JF_E_AGAIN;
        }
        const LlmPort port(instance);
        if (!port) return JF_E_UNSUPPORTED;
        const jf_llm_request request = sdk::make<jf_llm_request>();
        return port.start(op, request, &error);
    }
    bool run_stream(Instance& instance, const std::string& name, unsigned shard, std::chrono::milliseconds limit, bool cancel = false) {
        // Kept for ever: what hangs may come back to it.
        auto& sink = *new Stream(facts_, name);
        auto& op = *new std::atomic<jf_op>{JF_NO_OP};
        open(instance, sink, op, shard);
        if (!cancel && wait([&] { return sink.done(); }, limit)) return true;
        if (cancel && wait([&] { return op != JF_NO_OP; }, limit)) {
            on_shard(shard, [this, &op] { host_->ops().cancel(op); });
            if (wait([&] { return sink.done(); }, limit)) return true;
        }
        facts_.add(name + ": no answer");
        return false;
    }

    void drive() {
        switch (module_.drive) {
            case Drive::load:
            case Drive::start:
            case Drive::stop: return;
            case Drive::two:
            case Drive::run:
            case Drive::push:
            case Drive::lookup:
            case Drive::store: run_stream(*bad_, "op", 0, patience); break;
            case Drive::cancel:
                run_stream(*bad_, "op", 0, patience, true);
                break;
            case Drive::cancel_and_run:
                run_stream(*bad_, "op", 0, patience, true);
                run_stream(*bad_, "next", 0, patience);
                break;
            case Drive::recover:
                run_stream(*bad_, "op", 0, patience);
                run_stream(*bad_, "at once", 0, patience);
                if (wait([&] { return bad_->serving(); }, 5s)) facts_.add("bad: serves again");
                run_stream(*bad_, "next", 0, patience);
                break;
        }
        // What a thread of the plugin's own sees comes when it comes.
        if (place_.real && std::find(place_.facts.begin(), place_.facts.end(), "count: refused") != place_.facts.end())
            wait([&] { return noted_.load(); }, patience);
        if (bad_->lost()) {
            facts_.add("bad: lost");
            run_stream(*bad_, "refused", 1, patience);
        }
    }

    void look_at_process() {
        facts_.add("directory: " + std::string(std::filesystem::current_path() == directory_ ? "as it was" : "changed"));
        const char* zone = std::getenv("TZ");
        facts_.add("environment: " + std::string(zone && std::string_view(zone) == "Nowhere/Bad" ? "changed" : "as it was"));
        facts_.add("constructor: " + std::string(std::getenv("JACKFIELD_BAD_CONSTRUCTOR") ? "ran" : "none"));
        struct sigaction now {};
        sigaction(SIGTERM, nullptr, &now);
        facts_.add("signal: " + std::string(now.sa_handler == SIG_DFL ? "as it was" : "changed"));
        int children = 0;
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::ifstream list(task.path() / "children");
            for (pid_t child = 0; list >> child; ++children) kill(child, SIGKILL);
        }
        facts_.add("children: " + std::to_string(children));
    }

    void report_counters() {
        const OpCounters& ops = host_->ops().counters();
        const auto report = [&](const char* name, const std::atomic<std::uint64_t>& counter) {
            if (counter.load()) facts_.add("counter: " + std::string(name));
        };
        report("late_events", ops.late_events);
        report("late_completions", ops.late_completions);
        report("unknown_events", ops.unknown_events);
        report("queue_full", ops.queue_full);
        report("cancel_timeouts", ops.cancel_timeouts);
        if (!judged_) return;
        report("exceptions", judged_->counters().exceptions);
        report("violations", judged_->counters().violations);
        report("overruns", judged_->counters().overruns);
    }

    void stop(std::shared_ptr<Instance>& instance, const std::string& name) {
        if (!instance) return;
        auto answers = std::make_shared<std::atomic<int>>(0);
        on_shard(1, [this, instance, answers] {
            // Twice: an operator presses the key twice.
            for (int i = 0; i < 2; ++i) host_->stop(instance, runtime().shard(1), 200ms, [this, answers] { ++*answers, facts_.changed(); });
        });
        facts_.add(name + (wait([&] { return *answers == 2; }) ? ": stopped" : ": not stopped"));
        instance.reset();
    }

    int finish() {
        if (good_ && start(*good_, "good start")) {
            run_stream(*good_, "good", 1, patience);
            if (std::string_view(module_.name) != "good") run_stream(*good_, "good again", 1, patience);
        }
        look_at_process();
        judged_ = bad_.get();
        stop(second_, "second");
        stop(bad_, "bad");
        report_counters();
        stop(good_, "good");
        bool all = true;
        if (real_) {
            for (const StandingCall& call : host_->standing(100ms))
                facts_.add("standing: " + call.instance->name() + " " + plugin_host::name_of(call.thread_class));
            all = real_->stop(1s);
        }
        facts_.add(all ? "threads: all ended" : "threads: some left");
        facts_.add("host: reached its end");
        std::_Exit(0);
    }

    /// For what may never come; the limits of the hosts here are a second or two.
    static constexpr std::chrono::milliseconds patience{4000};

    const Module& module_;
    const Placed& place_;
    const Placement placement_;
    const std::filesystem::path directory_ = std::filesystem::current_path();
    Facts facts_;
    std::unique_ptr<runtime::RealRuntime> real_;
    std::unique_ptr<runtime::SimRuntime> simulated_;
    std::unique_ptr<net::Network> network_ = net::make_network();
    Loader loader_;
    std::unique_ptr<PluginHost> host_;
    std::shared_ptr<Instance> bad_, second_, good_;
    std::atomic<bool> noted_{false};
    Instance* judged_ = nullptr; ///< the bad one; instances are never freed
};

}  // namespace
}  // namespace jackfield::bad_plugins

int main(int argc, char** argv) {
    using namespace jackfield::bad_plugins;
    const Module* const module = argc == 3 ? find_module(argv[1]) : nullptr;
    const std::string_view placement = argc == 3 ? argv[2] : "";
    if (!module || (placement != "inline" && placement != "thread")) {
        std::fputs("bad_plugin_case MODULE inline|thread\n", stderr);
        return 2;
    }
    return Case(*module, placement == "thread").run();
}
