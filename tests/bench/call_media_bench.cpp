// What calls cost: a host with recording on under many calls with real speech, and at the same time a bare echo on the same kind of sockets under
// the same load; then the memory and the operations that short calls leave behind. README.md says what the figures mean.
//
//   call_media_bench --calls 200 --seconds 30 --short-calls 2000
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

#include "bench/bench_host.hpp"
#include "bench/bench_speech.hpp"

namespace {

namespace fs = std::filesystem;
using namespace jackfield;
using namespace jackfield::bench;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// -48 dBov of white noise is what a poor analogue line has. Quieter than -58 dBov the detector of speech needs no denoiser and skips it.
constexpr double line_noise_dbov = -48;
constexpr double most_kb_per_call = 0.5;
constexpr double most_pacing_ms = 2;
constexpr double least_sent = 0.98;

struct Plan {
    int calls = 200;
    int seconds = 30;
    int short_calls = 2000;
    int warm_up_calls = 1600;
    double quiet_s = 38;
    double rate = 50;
    double talk_share = 0.4;
    double limit = 3;
    std::string providers = "simulated";
    std::string work = "bench_call_media";
    bool line_noise = false;
    bool judge = false;
};

/// Which recogniser and voice stand behind the host's own path.
struct Providers {
    std::string name, stt, tts, what;
};

const std::vector<Providers> profiles = {
    {"simulated", "stt/sim", "tts/sim", "the host's own media path: real sockets, SIP plugin, VAD and recording; recogniser and voice are simulated"},
    {"embedded", "stt/pocketsphinx", "tts/flite", "everything: the models' computing too, on the host's worker pool"},
};

struct Window {
    double cpu_ms_per_call_s = 0;
    std::map<std::string, double> by_thread;
    double mean_calls = 0;
    double sent_share = 0; ///< of the packets that the callers were to send
    base::JsonDocument load = json_of("{}");

    std::int64_t count(const char* name) const { return load.root()[name].integer_or(-1); }
    double figure(const char* name) const { return load.root()[name].real_or(-1); }
};

/// Who is called, and how many calls it says it has.
struct Server {
    std::string name, address;
    pid_t pid = -1;
    std::function<std::optional<double>()> calls_now;
};

/// One server under load: what it used while all calls were up.
class Measurement {
  public:
    Measurement(const Plan& plan, const Server& server, const std::string& speech, double hold_s)
        : server_(server),
          wanted_(50 * hold_s * plan.calls),
          report_(plan.work + "/load_" + server.name + ".json"),
          load_({SIP_LOAD, server.address, "--calls", std::to_string(plan.calls), "--total", std::to_string(plan.calls), "--rate",
                 std::to_string(plan.rate), "--hold", std::to_string(hold_s), "--speech", speech, "--json", report_},
                {}, plan.work + "/load_" + server.name + ".log") {}

    void begin() {
        before_ = cost_of(server_.pid);
        began_ = Clock::now();
    }
    void look() {
        const std::optional<double> calls = server_.calls_now();
        if (!calls) return;
        sum_ += *calls;
        ++looks_;
    }
    void end() {
        const ProcessCost after = cost_of(server_.pid);
        window_.mean_calls = sum_ / std::max(looks_, 1);
        const double to_unit = 1000 / (Seconds(Clock::now() - began_).count() * std::max(window_.mean_calls, 1.0));
        window_.cpu_ms_per_call_s = (after.cpu_s - before_.cpu_s) * to_unit;
        for (const auto& [name, cpu] : after.cpu_by_thread_s) {
            const auto then = before_.cpu_by_thread_s.find(name);
            window_.by_thread[name] = (cpu - (then == before_.cpu_by_thread_s.end() ? 0 : then->second)) * to_unit;
        }
    }
    Window result() {
        load_.wait();
        window_.load = json_in(report_);
        window_.sent_share = static_cast<double>(window_.count("packets_sent")) / wanted_;
        return std::move(window_);
    }

  private:
    Server server_;
    double wanted_;
    std::string report_;
    ChildProcess load_;
    Window window_;
    ProcessCost before_;
    Clock::time_point began_;
    double sum_ = 0;
    int looks_ = 0;
};

struct Pair {
    Window echo, host;
};

/// Both at once, each with a load of its own: whatever else the machine does meets both.
Pair measure(const Plan& plan, const BenchHost& host, const std::string& speech) {
    const std::string output = plan.work + "/echo.out";
    ChildProcess echo({RTP_ECHO}, {}, output);
    Server echo_server{"echo", "", echo.pid(), [&] { return std::optional<double>(plan.calls); }};
    for (int tries = 0; tries < 100 && echo_server.address.empty(); ++tries) {
        nap(0.05);
        std::ifstream in(output);
        std::getline(in, echo_server.address);
    }
    const double ramp = plan.calls / plan.rate + 4;
    const double hold = ramp + plan.seconds + 3;
    Measurement of_echo(plan, echo_server, speech, hold);
    Measurement of_host(plan, {"host", host.address(), host.pid(), [&] { return host.calls_now(); }}, speech, hold);
    nap(ramp);
    of_echo.begin();
    of_host.begin();
    const auto began = Clock::now();
    for (int second = 0; second < plan.seconds; ++second) {
        std::this_thread::sleep_until(began + std::chrono::milliseconds(1000 * second + 500));
        of_echo.look();
        of_host.look();
    }
    std::this_thread::sleep_until(began + std::chrono::seconds(plan.seconds));
    of_echo.end();
    of_host.end();
    return {of_echo.result(), of_host.result()};
}

const char* verdict(bool good) { return good ? "pass" : "FAIL"; }

void print_window(const std::string& name, const Window& window) {
    std::printf("%-10s %10.4f ms CPU per call and second, %.1f calls; lost %lld of %lld packets; late p50 %.1f ms, p99 %.1f ms; longest gap %.0f ms\n",
                name.c_str(), window.cpu_ms_per_call_s, window.mean_calls, static_cast<long long>(window.count("packets_lost")),
                static_cast<long long>(window.count("packets_received")), window.figure("late_p50_ms"), window.figure("late_p99_ms"),
                window.figure("longest_gap_ms"));
    for (const auto& [thread, cost] : window.by_thread)
        if (cost >= 0.001) std::printf("  %-8s %10.4f\n", thread.c_str(), cost);
}

bool judge_cpu(const Plan& plan, const Providers& providers, const Window& echo, const Window& window) {
    const double ratio = window.cpu_ms_per_call_s / echo.cpu_ms_per_call_s;
    const double behind = window.figure("late_p99_ms") - echo.figure("late_p99_ms");
    const bool cheap = ratio <= plan.limit;
    const bool paced = behind <= most_pacing_ms;
    const bool served = window.count("failed") == 0 && window.count("answered") == plan.calls;
    const double sent = std::min(window.sent_share, echo.sent_share);
    if (sent < least_sent)
        std::printf("Take no figure from this run: the machine is so busy that the callers sent only %.0f %% of their packets.\n", 100 * sent);
    double pools = 0;
    for (const char* name : {"jf-pool", "jf-storage"})
        if (const auto pool = window.by_thread.find(name); pool != window.by_thread.end()) pools += pool->second;
    std::printf("CPU per call: %.2f times the echo's (limit %.1f): %s. Pacing: p99 %.1f ms behind the echo's (limit %.0f ms): %s\n", ratio, plan.limit,
                verdict(cheap), behind, most_pacing_ms, verdict(paced));
    std::printf("bench call_media providers=%s line_noise=%d recording=1 calls=%d seconds=%d mean_calls=%.1f host_cpu_ms_per_call_s=%.4f "
                "pool_cpu_ms_per_call_s=%.4f echo_cpu_ms_per_call_s=%.4f ratio=%.2f limit=%.2f late_p99_ms=%.1f echo_late_p99_ms=%.1f sent_share=%.3f "
                "answered=%lld failed=%lld verdict=%s\n\n",
                providers.name.c_str(), plan.line_noise, plan.calls, plan.seconds, window.mean_calls, window.cpu_ms_per_call_s,
                pools, echo.cpu_ms_per_call_s, ratio, plan.limit, window.figure("late_p99_ms"),
                echo.figure("late_p99_ms"), sent, static_cast<long long>(window.count("answered")), static_cast<long long>(window.count("failed")),
                verdict(cheap && paced && served));
    return cheap && paced && served;
}

/// From rest to rest: what a running host holds for calls that end within the next half minute is no leak, and no slope through a running
/// host tells the two apart.
bool measure_memory(const Plan& plan, const BenchHost& host, const std::string& speech, const std::string& name, HostStatus idle) {
    const int concurrent = 40;
    const auto run = [&](int total) {
        ChildProcess load({SIP_LOAD, host.address(), "--calls", std::to_string(concurrent), "--total", std::to_string(total), "--rate", "40",
                           "--hold", "0.9", "--speech", speech},
                          {}, plan.work + "/short.log");
        const bool all_answered = load.wait() == 0;
        HostAtRest rest = host.at_rest(plan.quiet_s, plan.quiet_s + 30);
        std::printf("%12d %14.0f %14.0f %10lld %10.0f%s\n", total, rest.cost.resident_kb, rest.cost.anonymous_kb,
                    static_cast<long long>(rest.status.open_ops), rest.waited_s, rest.quiet ? "" : "  not at rest");
        std::fflush(stdout);
        rest.quiet = rest.quiet && all_answered;
        return rest;
    };
    std::printf("%12s %14s %14s %10s %10s\n", "short calls", "resident kB", "anonymous kB", "open ops", "waited s");
    // What a process keeps from its first calls (pools, arenas, the database's page cache) is no leak.
    const HostAtRest before = run(std::max(plan.warm_up_calls, concurrent));
    const HostAtRest after = run(plan.short_calls);
    const double resident = (after.cost.resident_kb - before.cost.resident_kb) / plan.short_calls;
    const double anonymous = (after.cost.anonymous_kb - before.cost.anonymous_kb) / plan.short_calls;
    const auto left = after.status.open_ops - idle.open_ops;
    const bool good = resident < most_kb_per_call && left == 0 && before.quiet && after.quiet;
    std::printf("memory: %.3f kB per call from rest to rest (limit %.1f kB), %lld operations left: %s\n", resident, most_kb_per_call,
                static_cast<long long>(left), verdict(good));
    std::printf("bench call_memory providers=%s warm_up_calls=%d short_calls=%d rss_before_kb=%.0f rss_after_kb=%.0f rss_kb_per_call=%.3f "
                "anonymous_kb_per_call=%.3f limit_kb_per_call=%.1f live_ops=%lld at_rest=%d verdict=%s\n\n",
                name.c_str(), plan.warm_up_calls, plan.short_calls, before.cost.resident_kb, after.cost.resident_kb, resident, anonymous,
                most_kb_per_call, static_cast<long long>(left), before.quiet && after.quiet, verdict(good));
    return good;
}

bool run_profile(const Plan& plan, const Providers& providers, const std::string& speech) {
    std::printf("profile %s (%s, %s): %s.\n", providers.name.c_str(), providers.stt.c_str(), providers.tts.c_str(), providers.what.c_str());
    std::fflush(stdout);
    BenchHost host(plan.work + '/' + providers.name, providers.stt, providers.tts);
    const HostStatus idle = host.settled(10);
    bool good = true;
    if (plan.calls > 0) {
        const Pair pair = measure(plan, host, speech);
        host.settled(20);
        print_window("bare echo", pair.echo);
        print_window("host", pair.host);
        good = judge_cpu(plan, providers, pair.echo, pair.host);
        std::fflush(stdout);
    }
    if (plan.short_calls > 0) good = measure_memory(plan, host, speech, providers.name, idle) && good;
    if (host.stop() != 0) {
        std::printf("the host did not stop well\n");
        good = false;
    }
    std::fflush(stdout);
    return good;
}

bool run_bench(const Plan& plan) {
    fs::create_directories(plan.work);
    const std::string speech = plan.work + "/speech.wav";
    const double share = write_speech(speech, plan.talk_share, plan.line_noise ? std::optional(line_noise_dbov) : std::nullopt);
    std::printf("Callers play recorded human speech %.0f %% of the time, each from another place in the circle, over %s. Recording is on, VAD "
                "behind noise suppression, the agent greets first.\n\n",
                100 * share, plan.line_noise ? "line noise of -48 dBov" : "a silent line");
    bool good = true;
    for (const Providers& providers : profiles)
        if (plan.providers == "both" || plan.providers == providers.name) good = run_profile(plan, providers, speech) && good;
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    CLI::App app("Measures what calls cost in CPU time and memory, beside a bare RTP echo under the same load.");
    app.add_option("--calls", plan.calls, "Concurrent calls; 0: no CPU part");
    app.add_option("--seconds", plan.seconds, "Length of the measured window")->check(CLI::Range(1, 3600));
    app.add_option("--limit", plan.limit, "CPU per call, in echoes, from which the verdict is FAIL");
    app.add_option("--short-calls", plan.short_calls, "Calls of a second each for the memory part; 0: none");
    app.add_option("--warm-up", plan.warm_up_calls, "Short calls before the first look at the memory");
    app.add_option("--quiet", plan.quiet_s, "Seconds without a call before a look at the memory: SIP over UDP remembers a transaction for 32 (RFC 3261 17.1.2.2), and what it frees goes back to the system a little later");
    app.add_option("--rate", plan.rate, "New calls a second while the load builds up");
    app.add_option("--talk", plan.talk_share, "Share of the time that a caller talks")->check(CLI::Range(0.05, 0.95));
    app.add_flag("--line-noise", plan.line_noise, "White noise of -48 dBov under everything, so that noise suppression never rests");
    app.add_option("--providers", plan.providers,
                   "simulated: recogniser and voice cost next to nothing, what remains is the host; embedded: pocketsphinx and flite; or both")
        ->check(CLI::IsMember({"simulated", "embedded", "both"}));
    app.add_option("--work", plan.work, "Folder for databases, recordings and logs");
    app.add_flag("--judge", plan.judge, "Exit status 1 when a verdict is FAIL");
    CLI11_PARSE(app, argc, argv);
    try {
        return run_bench(plan) || !plan.judge ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "call_media_bench: " << error.what() << '\n';
        return 2;
    }
}
