// SIPp as load, a caller that shares no code with ours: what 300 concurrent calls cost beside a bare echo under the same load, then 2,000 calls
// at 20 a second of which none may fail. README.md says what the figures mean.
//
//   sipp_load --concurrent 300 --seconds 30 --total 2000 --rate 20
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include "bench/bench_host.hpp"
#include "bench/bench_speech.hpp"
#include "simulators/audio.hpp"

namespace {

namespace fs = std::filesystem;
using namespace jackfield;
using namespace jackfield::bench;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double least_sent = 0.98;

struct Plan {
    int concurrent = 300;
    int seconds = 30;
    double limit = 2.5;
    int total = 2000;
    double rate = 20;
    double hold_s = 10;
    double ramp_rate = 50;
    double talk_share = 0.4;
    std::string sipp = "/usr/bin/sipp";
    std::string work = "bench_sipp_load";
    bool judge = false;
};

/// SIPp's own account of a run: the last line of its statistics.
struct SippReport {
    std::map<std::string, std::string> fields;
    int exit_status = -1;

    long count(const std::string& name) const {
        const auto found = fields.find(name);
        return found == fields.end() ? -1 : std::atol(found->second.c_str());
    }
    long created() const { return count("TotalCallCreated"); }
    long good() const { return count("SuccessfulCall(C)"); }
    long failed() const { return count("FailedCall(C)"); }
    long retransmissions() const { return count("Retransmissions(C)"); }
};

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream in(line);
    for (std::string field; std::getline(in, field, ';');) fields.push_back(field);
    return fields;
}

SippReport report_of(const std::string& file, int exit_status) {
    SippReport report;
    report.exit_status = exit_status;
    std::ifstream in(file);
    std::string line, last;
    std::getline(in, line);
    const auto names = split(line);
    while (std::getline(in, line))
        if (!line.empty()) last = line;
    const auto values = split(last);
    for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) report.fields[names[i]] = values[i];
    return report;
}

/// One run of SIPp against a SIP server on this machine.
class Sipp {
  public:
    Sipp(const Plan& plan, const std::string& name, int port, int total, double rate, int most_at_once, double hold_s)
        : statistics_(plan.work + '/' + name + ".csv"),
          process_({"/usr/bin/env", "-C", plan.work, plan.sipp, "127.0.0.1:" + std::to_string(port), "-sf", BENCH_SOURCE "/sipp/caller.xml", "-s",
                    "reception", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", std::to_string(free_udp_port()), "-m", std::to_string(total), "-r",
                    text_of(rate), "-l", std::to_string(most_at_once), "-d", std::to_string(static_cast<long>(hold_s * 1000)), "-trace_stat",
                    "-stf", name + ".csv", "-fd", "5", "-trace_err", "-error_file", name + "_errors.log", "-nostdin"},
                   {{"TERM", "dumb"}}, plan.work + '/' + name + ".out") {}

    SippReport wait() {
        const int status = process_.wait();
        return report_of(statistics_, status);
    }

  private:
    static std::string text_of(double value) {
        std::ostringstream out;
        out << value;
        return out.str();
    }
    std::string statistics_;
    ChildProcess process_;
};

/// The scenario plays raw mu-law.
void write_speech_for_sipp(const Plan& plan) {
    const std::string wav = plan.work + "/speech.wav";
    write_speech(wav, plan.talk_share, std::nullopt);
    std::ofstream(plan.work + "/speech.ul", std::ios::binary) << sim::encode(sim::Codec::pcmu, sim::read_speech(wav));
}

struct Window {
    double cpu_ms_per_call_s = 0;
    double mean_calls = 0;
    SippReport report;
};
struct Pair {
    Window echo, host;
    double sent_share = 0; ///< of the packets that the callers were to send, as the echo saw it
};

/// What the echo says at its end.
double sent_share_of(const std::string& file) {
    std::ifstream in(file);
    std::string address, line;
    std::getline(in, address);
    std::getline(in, line);
    const auto document = json_of(line);
    return static_cast<double>(document.root()["packets"].integer_or(0)) / (50 * std::max(document.root()["call_seconds"].real_or(0), 1.0));
}

/// Both at once, each with a SIPp of its own: whatever else the machine does meets both.
Pair measure(const Plan& plan, const BenchHost& host) {
    const int echo_port = free_udp_port();
    ChildProcess echo({RTP_ECHO, "--port", std::to_string(echo_port)}, {}, plan.work + "/echo.out");
    nap(0.5);
    const double ramp = plan.concurrent / plan.ramp_rate + 4;
    const double hold = ramp + plan.seconds + 3;
    Sipp to_echo(plan, "sipp_echo", echo_port, plan.concurrent, plan.ramp_rate, plan.concurrent, hold);
    Sipp to_host(plan, "sipp_host", host.port(), plan.concurrent, plan.ramp_rate, plan.concurrent, hold);
    nap(ramp);
    const double echo_before = cost_of(echo.pid()).cpu_s;
    const double host_before = cost_of(host.pid()).cpu_s;
    const auto began = Clock::now();
    double sum = 0;
    int looks = 0;
    for (int second = 0; second < plan.seconds; ++second) {
        std::this_thread::sleep_until(began + std::chrono::milliseconds(1000 * second + 500));
        if (const std::optional<double> calls = host.calls_now()) {
            sum += *calls;
            ++looks;
        }
    }
    std::this_thread::sleep_until(began + std::chrono::seconds(plan.seconds));
    const double echo_cpu = cost_of(echo.pid()).cpu_s - echo_before;
    const double host_cpu = cost_of(host.pid()).cpu_s - host_before;
    const double elapsed = Seconds(Clock::now() - began).count();
    Pair pair;
    pair.echo.mean_calls = plan.concurrent;
    pair.host.mean_calls = sum / std::max(looks, 1);
    pair.echo.cpu_ms_per_call_s = 1000 * echo_cpu / (elapsed * pair.echo.mean_calls);
    pair.host.cpu_ms_per_call_s = 1000 * host_cpu / (elapsed * std::max(pair.host.mean_calls, 1.0));
    pair.echo.report = to_echo.wait();
    pair.host.report = to_host.wait();
    echo.stop();
    pair.sent_share = sent_share_of(plan.work + "/echo.out");
    return pair;
}

const char* verdict(bool good) { return good ? "pass" : "FAIL"; }

void print_window(const char* name, const Window& window) {
    std::printf("%-12s %10.4f ms CPU per call and second, %.1f calls; SIPp: %ld good, %ld failed\n", name, window.cpu_ms_per_call_s,
                window.mean_calls, window.report.good(), window.report.failed());
    std::fflush(stdout);
}

bool concurrent_calls(const Plan& plan, const BenchHost& host) {
    const auto [echo, window, sent] = measure(plan, host);
    if (sent < least_sent)
        std::printf("Take no figure from this run: the machine is so busy that the callers sent only %.0f %% of their packets.\n", 100 * sent);
    print_window("bare echo", echo);
    print_window("host", window);
    const double ratio = window.cpu_ms_per_call_s / echo.cpu_ms_per_call_s;
    const bool served = window.report.good() == plan.concurrent && window.report.failed() == 0;
    // CPU time is counted in ticks of 10 ms: with few calls for a moment the echo may have used none, and there is nothing to compare with.
    const bool measurable = echo.cpu_ms_per_call_s > 0;
    const bool good = served && (!measurable || ratio <= plan.limit);
    if (!measurable) std::printf("The echo used less than a tick of CPU: more calls or seconds make the ratio mean something.\n");
    std::printf("CPU per call: %.2f times the echo's (limit %.1f): %s\n", ratio, plan.limit, verdict(good));
    std::printf("bench sipp_concurrent providers=simulated recording=1 calls=%d seconds=%d mean_calls=%.1f host_cpu_ms_per_call_s=%.4f "
                "echo_cpu_ms_per_call_s=%.4f ratio=%.2f limit=%.2f sent_share=%.3f good=%ld failed=%ld verdict=%s\n\n",
                plan.concurrent, plan.seconds, window.mean_calls, window.cpu_ms_per_call_s, echo.cpu_ms_per_call_s, ratio, plan.limit,
                sent, window.report.good(), window.report.failed(), verdict(good));
    std::fflush(stdout);
    return good;
}

/// Finished recordings, of which each call leaves one. The disk may be some seconds behind the calls: waits while any is unfinished.
long recordings_in(const std::string& folder) {
    for (int tries = 0; tries < 100; ++tries) {
        long found = 0, unfinished = 0;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            found += entry.path().extension() == ".wav" ? 1 : 0;
            unfinished += entry.path().extension() == ".part" ? 1 : 0;
        }
        if (unfinished == 0) return found;
        nap(0.3);
    }
    return -1;
}

bool many_calls(const Plan& plan, const BenchHost& host, const std::string& state) {
    const HostStatus idle = host.settled(20);
    const long recorded_before = recordings_in(state);
    const auto began = Clock::now();
    const int most_at_once = static_cast<int>(plan.rate * plan.hold_s * 2) + 10;
    const SippReport report = Sipp(plan, "sipp_calls", host.port(), plan.total, plan.rate, most_at_once, plan.hold_s).wait();
    const double seconds = Seconds(Clock::now() - began).count();
    const HostStatus after = host.settled(30);
    const long recorded = recordings_in(state) - recorded_before;
    const auto left = after.open_ops - idle.open_ops;
    const bool good = report.exit_status == 0 && report.good() == plan.total && report.failed() == 0 && recorded == plan.total && left == 0;
    std::printf("%12s %12s %12s %12s %16s %12s %12s\n", "calls", "good", "failed", "a second", "retransmissions", "recordings", "open ops");
    std::printf("%12ld %12ld %12ld %12.1f %16ld %12ld %12lld\n", report.created(), report.good(), report.failed(), plan.total / seconds,
                report.retransmissions(), recorded, static_cast<long long>(left));
    std::printf("bench sipp_calls total=%d rate=%.1f hold_s=%.1f seconds=%.1f good=%ld failed=%ld retransmissions=%ld recordings=%ld live_ops=%lld "
                "sipp_exit=%d verdict=%s\n",
                plan.total, plan.rate, plan.hold_s, seconds, report.good(), report.failed(), report.retransmissions(), recorded,
                static_cast<long long>(left), report.exit_status, verdict(good));
    std::fflush(stdout);
    return good;
}

bool run_bench(const Plan& plan) {
    if (::access(plan.sipp.c_str(), X_OK) != 0) throw std::runtime_error("no SIPp at " + plan.sipp + ": apt-get install sip-tester");
    fs::create_directories(plan.work);
    write_speech_for_sipp(plan);
    const std::string state = plan.work + "/host";
    BenchHost host(state, "stt/sim", "tts/sim");
    bool good = true;
    if (plan.concurrent > 0) good = concurrent_calls(plan, host);
    if (plan.total > 0) good = many_calls(plan, host, state) && good;
    if (host.stop() == 0) return good;
    std::printf("the host did not stop well\n");
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    CLI::App app("Starts a host on free ports of this machine, lets SIPp call it, and stops it. The callers' speech is real, recording is on.");
    app.add_option("--concurrent", plan.concurrent, "Calls at once for the CPU part; 0: no CPU part");
    app.add_option("--seconds", plan.seconds, "Length of its measured window")->check(CLI::Range(1, 3600));
    app.add_option("--limit", plan.limit, "CPU per call, in echoes, from which the verdict is FAIL");
    app.add_option("--total", plan.total, "Calls of the second part; 0: none");
    app.add_option("--rate", plan.rate, "Its new calls a second")->check(CLI::Range(0.1, 1000.0));
    app.add_option("--hold", plan.hold_s, "Seconds that each of them lasts");
    app.add_option("--talk", plan.talk_share, "Share of the time that a caller talks")->check(CLI::Range(0.05, 0.95));
    app.add_option("--sipp", plan.sipp, "SIPp's program");
    app.add_option("--work", plan.work, "Folder for databases, recordings and logs");
    app.add_flag("--judge", plan.judge, "Exit status 1 when a verdict is FAIL");
    CLI11_PARSE(app, argc, argv);
    try {
        plan.work = fs::absolute(plan.work).string();
        return run_bench(plan) || !plan.judge ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "sipp_load: " << error.what() << '\n';
        return 2;
    }
}
