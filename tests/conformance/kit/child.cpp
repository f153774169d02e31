#include "conformance/kit/child.hpp"

#include "base/json.hpp"
#include "conformance/kit/bench.hpp"
#include "conformance/kit/process_watch.hpp"

#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace jackfield::conformance {
namespace {

constexpr Observed observed[] = {
    {"module.completes_once", "Every op that it took is completed once", "Keep the op's id with its state, and forget it when you complete; cancel and the last event race."},
    {"module.completes_its_own", "It completes only ops that were started on it", "Never keep an op's id beyond its completion."},
    {"module.refuses_or_completes", "A start function that answers an error does not complete the op", "Answer the error, or answer OK and complete: one of them."},
    {"module.silent_after_completion", "Nothing is emitted on an op that is over", "Stop the work under the lock that guards the completion, or check the op before each emit."},
    {"module.completes_after_cancel", "A cancelled op is completed within 1000 ms", "Complete from cancel() itself, and let the work find out later."},
    {"module.throws_nothing", "No exception leaves the plugin", "Wrap every entry; the SDK's guarded() does."},
    {"module.keeps_budgets", "Stream calls neither compute nor wait on the call's thread", "Move work to jf.host.worker/1 and waiting to jf.host.timer/1; hold no lock that a worker holds for long."},
    {"module.stops_in_time", "quiesce completes within its budget and leaves nothing open", "Cancel ops of your own in quiesce, and complete it when the last stream is over or the budget is."},
    {"module.emits_known_events", "It emits events of its interface only", "Use the JF_EV_* of the headers that it was built against."},
    {"module.emits_utf8", "Text that it emits is UTF-8", "Cut text between characters, and replace what a provider sends broken."},
    {"module.ends_texts", "Texts of errors end within their room", "Copy one byte less than the room, and write the zero."},
    {"module.states_struct_sizes", "Every struct that it passes states its size", "Fill structs with sdk::make<T>() or set struct_size yourself."},
    {"module.logs_names", "Log events are constant names", "Put what varies into fields."},
    {"module.keeps_secrets", "Its log shows no secret", "Log what a request was for and never what it was made with."},
    {"process.signals", "Signal handlers stay the host's", "Install none; use timers and MSG_NOSIGNAL."},
    {"process.locale", "The locale stays the host's", "Use newlocale and the _l functions."},
    {"process.folder", "The working folder stays the host's", "Use absolute paths."},
    {"process.environment", "The environment stays the host's", "Take settings from the configuration."},
    {"process.umask", "The umask stays the host's", "Give open() the mode that is meant."},
    {"process.rounding", "Floating point rounds as before", "Restore what you change within one call."},
    {"process.children", "No process of it outlives its instances", "Wait for children in destroy, after closing their standard input."},
    {"process.prints_nothing", "It writes nothing to standard output", "Use the host's log: standard output is the operator's."},
};

class Reporter {
  public:
    explicit Reporter(int fd) : fd_(fd) {}
    void line(const base::JsonWriter& json) {
        const std::string text = json.str() + "\n";
        for (std::size_t done = 0; done < text.size();) {
            const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
            if (n <= 0) ::_exit(3);  // nobody listens any more
            done += static_cast<std::size_t>(n);
        }
    }

  private:
    int fd_;
};

const Check* find_check(const std::string& name) {
    for (const Suite& suite : all_suites())
        for (const Check& check : suite.checks)
            if (name == check.name) return &check;
    return nullptr;
}

struct Outcome {
    const char* word = "passed";
    std::string detail;
};

Outcome try_check(const Check& check, Bench& bench) {
    try {
        check.run(bench);
        bench.finish();
        return {};
    } catch (const Failed& failed) {
        return {"failed", failed.why};
    } catch (const NotApplicable& reason) {
        try {
            bench.finish();
        } catch (const Failed& failed) {
            return {"failed", failed.why};
        }
        return {"not_applicable", reason.why};
    } catch (const std::exception& error) {
        return {"failed", std::string("the kit itself stumbled: ") + error.what()};
    }
}

/// Children get a moment: closing their input is how some are told to go.
void look_for_children() {
    for (int i = 0; i < 50 && !children().empty(); ++i) std::this_thread::sleep_for(milliseconds(10));
    if (const auto left = children(); !left.empty())
        Spy::get().saw("process.children", process_name(*left.begin()) + " is still there after its instances were destroyed");
}

}  // namespace

std::span<const Observed> all_observed() { return observed; }

int run_checks(Target target, const std::vector<std::string>& names, int report_fd) {
    Reporter reporter(report_fd);
    const ProcessState before = ProcessState::now();
    Rig& rig = *new Rig(std::move(target));
    for (const std::string& name : names) {
        const Check* const check = find_check(name);
        if (!check) continue;
        reporter.line(base::JsonWriter().begin_object().member("begin", name).end_object());
        const auto began = std::chrono::steady_clock::now();
        auto* const bench = new Bench(rig);
        const Outcome outcome = try_check(*check, *bench);
        const bool failed = outcome.word == std::string_view("failed");
        if (failed) bench->notice();
        if (!failed) {
            delete bench;
            if (!check->ends_process) look_for_children();
        }
        for (const ProcessChange& change : compare(before, ProcessState::now())) Spy::get().saw(change.check, change.what);
        base::JsonWriter json;
        json.begin_object().member("end", name).member("outcome", outcome.word).member("detail", outcome.detail);
        json.member("ms", static_cast<std::int64_t>(std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count()));
        json.key("seen").begin_array();
        for (const Spy::Sighting& sighting : Spy::get().take_sightings())
            json.begin_object().member("check", sighting.check).member("what", sighting.what).end_object();
        json.end_array().end_object();
        reporter.line(json);
        if (failed || check->ends_process) ::_exit(0);
    }
    // Without the destructors of a runtime on which a plugin's threads may stand.
    ::_exit(0);
}

int run_mid_op(Target target, std::string_view suite_name, int report_fd) {
    Reporter reporter(report_fd);
    Rig& rig = *new Rig(std::move(target));
    auto& bench = *new Bench(rig);
    std::string detail;
    try {
        for (const Suite& suite : all_suites())
            if (suite.name == suite_name && suite.mid_op) suite.mid_op(bench);
    } catch (const Failed& failed) {
        detail = failed.why;
    } catch (const NotApplicable& reason) {
        detail = reason.why;
    }
    reporter.line(base::JsonWriter().begin_object().member("ready", true).member("detail", detail).end_object());
    while (true) ::pause();
}

}  // namespace jackfield::conformance
