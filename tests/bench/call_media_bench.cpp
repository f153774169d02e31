// What calls cost: a host with recording on under many calls with real speech, beside a bare echo on the same kind of sockets under the same
// load; then the memory and the operations that short calls leave behind.
//
//   call_media_bench --calls 200 --seconds 30 --short-calls 2000
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <thread>

#include "base/json.hpp"
#include "bench/child_process.hpp"
#include "simulators/audio.hpp"

namespace {

namespace fs = std::filesystem;
using namespace jackfield;
using bench::ChildProcess;
using bench::ProcessCost;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Plan {
    int calls = 200;
    int seconds = 30;
    int short_calls = 2000;
    double rate = 50;
    double talk_share = 0.4;
    std::string providers = "both";
    std::string work = "bench_call_media";
    bool judge = false;
};

/// Which recogniser and voice stand behind the host's own path.
struct Providers {
    std::string name, stt, tts;
};

void nap(double seconds) { std::this_thread::sleep_for(Seconds(seconds)); }

int free_udp_port() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

/// A circle of days and times, spoken by a person, with pauses that leave the wanted share of speech.
double write_speech(const std::string& file, double share) {
    static const char* const utterances[][4] = {{"day-1", "at", "9", "a-m"}, {"day-4"}, {"2", "p-m"}, {"day-5", "at", "11", "a-m"}, {"10", "a-m"}};
    std::string folder;
    for (const char* candidate : {"/usr/share/asterisk/sounds/en_US_f_Allison/digits/", "/usr/share/asterisk/sounds/en/digits/"})
        if (folder.empty() && fs::exists(std::string(candidate) + "day-1.wav")) folder = candidate;
    if (folder.empty()) throw std::runtime_error("no recorded speech: apt-get install asterisk-core-sounds-en-wav");
    sim::Wav wav;
    std::size_t voiced = 0;
    for (const auto& words : utterances) {
        std::size_t talked = 0;
        for (const char* word : words) {
            if (!word) continue;
            sim::Pcm spoken = sim::read_speech(folder + word + ".wav");
            // The prompts stand in silence; between the words of a sentence there is none.
            const auto loud = [](std::int16_t s) { return std::abs(s) > 300; };
            const auto first = std::find_if(spoken.begin(), spoken.end(), loud);
            const auto last = std::find_if(spoken.rbegin(), spoken.rend(), loud).base();
            if (first >= last) continue;
            wav.samples.insert(wav.samples.end(), first, last);
            talked += static_cast<std::size_t>(last - first);
        }
        wav.samples.resize(wav.samples.size() + static_cast<std::size_t>(static_cast<double>(talked) * (1 - share) / share), 0);
        voiced += talked;
    }
    wav.samples.resize(wav.samples.size() / sim::frame_samples * sim::frame_samples);
    sim::write_wav(file, wav);
    return static_cast<double>(voiced) / static_cast<double>(wav.samples.size());
}

base::JsonDocument json_of(const std::string& text) {
    auto document = base::JsonDocument::parse(text);
    if (!document) throw std::runtime_error("no JSON: " + text);
    return std::move(*document);
}

struct Status {
    std::int64_t calls = 0;
    std::int64_t open_ops = 0;
};

class HostUnderTest {
  public:
    HostUnderTest(const Plan& plan, const Providers& providers) : port_(free_udp_port()), state_(fs::absolute(plan.work + "/" + providers.name).string()) {
        fs::remove_all(state_);
        fs::create_directories(state_);
        const std::string config = BENCH_SOURCE "/call_media";
        environment_ = {{"JACKFIELD_PLUGINS", JACKFIELD_BENCH_PLUGINS}, {"BENCH_STATE", state_}, {"BENCH_SIP_PORT", std::to_string(port_)},
                        {"BENCH_STT", providers.stt}, {"BENCH_TTS", providers.tts}, {"BENCH_CONFIG", config},
                        {"JACKFIELD_CONFIG", config + "/host.toml"}};
        for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
        host_.emplace(std::vector<std::string>{JACKFIELD_BENCH_HOST, "serve"}, environment_, state_ + "/host.log");
        const auto give_up = Clock::now() + std::chrono::seconds(60);
        while (!try_status()) {
            if (!host_->running() || Clock::now() > give_up) throw std::runtime_error("the host did not start; see " + state_ + "/host.log");
            nap(0.1);
        }
    }

    std::string address() const { return "sip:reception@127.0.0.1:" + std::to_string(port_); }
    pid_t pid() const { return host_->pid(); }
    int stop() { return host_->stop(); }

    std::optional<Status> try_status() const {
        try {
            const auto document = json_of(bench::output_of(JACKFIELD_BENCH_HOST " --json status 2>/dev/null"));
            return Status{document.root()["calls"].integer_or(0), document.root()["open_ops"].integer_or(0)};
        } catch (const std::exception&) {
            return std::nullopt;
        }
    }

    /// What is open once no call is any more and nothing has closed for a while.
    Status settled(double patience_s) const {
        Status last = try_status().value_or(Status{-1, -1});
        const auto give_up = Clock::now() + Seconds(patience_s);
        for (int same = 0; same < 5 && Clock::now() < give_up;) {
            nap(0.2);
            const Status now = try_status().value_or(Status{-1, -1});
            same = now.calls == 0 && now.open_ops == last.open_ops ? same + 1 : 0;
            last = now;
        }
        return last;
    }

  private:
    int port_;
    std::string state_;
    std::map<std::string, std::string> environment_;
    std::optional<ChildProcess> host_;
};

struct Window {
    double cpu_ms_per_call_s = 0;
    std::map<std::string, double> by_thread;
    double mean_calls = 0;
    base::JsonDocument load = json_of("{}");
};

/// One load run: the server's CPU time while all calls are up.
template <typename CallsNow>
Window measure(const Plan& plan, const std::string& address, pid_t server, const std::string& speech, CallsNow calls_now) {
    const double ramp = plan.calls / plan.rate + 4;
    const std::string report = plan.work + "/load.json";
    ChildProcess load({SIP_LOAD, address, "--calls", std::to_string(plan.calls), "--total", std::to_string(plan.calls), "--rate",
                       std::to_string(plan.rate), "--hold", std::to_string(ramp + plan.seconds + 3), "--speech", speech, "--json", report},
                      {}, plan.work + "/load.log");
    nap(ramp);
    Window window;
    const ProcessCost before = bench::cost_of(server);
    const auto began = Clock::now();
    double sum = 0;
    for (int second = 0; second < plan.seconds; ++second) {
        std::this_thread::sleep_until(began + std::chrono::milliseconds(1000 * second + 500));
        sum += calls_now();
    }
    std::this_thread::sleep_until(began + std::chrono::seconds(plan.seconds));
    const ProcessCost after = bench::cost_of(server);
    const double elapsed = Seconds(Clock::now() - began).count();
    window.mean_calls = sum / plan.seconds;
    const double to_unit = 1000 / (elapsed * std::max(window.mean_calls, 1.0));
    window.cpu_ms_per_call_s = (after.cpu_s - before.cpu_s) * to_unit;
    for (const auto& [name, cpu] : after.cpu_by_thread_s) {
        const auto then = before.cpu_by_thread_s.find(name);
        window.by_thread[name] = (cpu - (then == before.cpu_by_thread_s.end() ? 0 : then->second)) * to_unit;
    }
    load.wait();
    std::ifstream in(report);
    window.load = json_of(std::string(std::istreambuf_iterator<char>(in), {}));
    return window;
}

Window measure_echo(const Plan& plan, const std::string& speech) {
    const std::string output = plan.work + "/echo.out";
    ChildProcess echo({RTP_ECHO}, {}, output);
    std::string address;
    for (int tries = 0; tries < 100 && address.empty(); ++tries) {
        nap(0.05);
        std::ifstream in(output);
        std::getline(in, address);
    }
    return measure(plan, address, echo.pid(), speech, [&] { return plan.calls; });
}

void print_window(const std::string& name, const Window& window) {
    std::printf("%-34s %10.3f ms CPU per call and second, %.1f calls, lost %lld of %lld packets, longest gap %.0f ms\n", name.c_str(),
                window.cpu_ms_per_call_s, window.mean_calls, static_cast<long long>(window.load.root()["packets_lost"].integer_or(0)),
                static_cast<long long>(window.load.root()["packets_received"].integer_or(0)),
                window.load.root()["longest_gap_ms"].real_or(0));
    for (const auto& [thread, cost] : window.by_thread)
        if (cost >= 0.001) std::printf("    %-30s %10.3f\n", thread.c_str(), cost);
}

/// Ordinary least squares, kB per call.
double slope(const std::vector<std::pair<double, double>>& points) {
    double x = 0, y = 0, xx = 0, xy = 0;
    const auto n = static_cast<double>(points.size());
    for (const auto& [calls, kb] : points) {
        x += calls / n;
        y += kb / n;
    }
    for (const auto& [calls, kb] : points) {
        xx += (calls - x) * (calls - x);
        xy += (calls - x) * (kb - y);
    }
    return xx > 0 ? xy / xx : 0;
}

bool measure_memory(const Plan& plan, HostUnderTest& host, const std::string& speech, const std::string& name, Status idle) {
    const int concurrent = 40;
    const auto run = [&](int total) {
        ChildProcess load({SIP_LOAD, host.address(), "--calls", std::to_string(concurrent), "--total", std::to_string(total), "--rate", "40",
                           "--hold", "0.9", "--speech", speech},
                          {}, plan.work + "/short.log");
        load.wait();
        return host.settled(20);
    };
    // What a process keeps from its first calls (pools, arenas, a page cache of the database) is no leak. And SIP over UDP remembers each
    // transaction for 32 seconds (RFC 3261 17.1.2.2, timers H and J): only then does the load's own memory stand still.
    run(std::max(std::min(plan.short_calls, 1600), concurrent));
    std::vector<std::pair<double, double>> resident;
    std::vector<std::pair<double, double>> anonymous;
    Status last = idle;
    const int batches = 8;
    std::printf("\n%12s %14s %14s %10s\n", "short calls", "resident kB", "anonymous kB", "open ops");
    for (int batch = 0, done = 0; batch <= batches; ++batch) {
        if (batch > 0) {
            const int now = plan.short_calls * batch / batches - done;
            last = run(now);
            done += now;
        }
        const ProcessCost cost = bench::cost_of(host.pid());
        resident.emplace_back(done, cost.resident_kb);
        anonymous.emplace_back(done, cost.anonymous_kb);
        std::printf("%12d %14.0f %14.0f %10lld\n", done, cost.resident_kb, cost.anonymous_kb, static_cast<long long>(last.open_ops));
    }
    const auto left = last.open_ops - idle.open_ops;
    std::printf("bench call_memory providers=%s short_calls=%d rss_slope_kb_per_call=%.3f anonymous_slope_kb_per_call=%.3f live_ops=%lld\n",
                name.c_str(), plan.short_calls, slope(resident), slope(anonymous), static_cast<long long>(left));
    return slope(resident) < 0.5 && left == 0;
}

bool run_bench(const Plan& plan) {
    fs::create_directories(plan.work);
    const std::string speech = plan.work + "/speech.wav";
    const double share = write_speech(speech, plan.talk_share);
    std::printf("callers play recorded human speech %.0f %% of the time, each from another place in the circle; recording on; agent greets first\n\n",
                100 * share);
    std::vector<Providers> all = {{"simulated", "stt/sim", "tts/sim"}, {"offline", "stt/pocketsphinx", "tts/flite"}};
    if (plan.providers != "both") std::erase_if(all, [&](const Providers& p) { return p.name != plan.providers; });

    bool good = true;
    std::optional<Window> echo;
    if (plan.calls > 0) {
        echo = measure_echo(plan, speech);
        print_window("bare echo", *echo);
    }
    for (const Providers& providers : all) {
        HostUnderTest host(plan, providers);
        const Status idle = host.settled(10);
        if (echo) {
            const Window window = measure(plan, host.address(), host.pid(), speech, [&] {
                const auto status = host.try_status();
                return static_cast<double>(status ? status->calls : 0);
            });
            host.settled(20);
            print_window("host, " + providers.stt + " + " + providers.tts, window);
            // What recognisers and voices compute runs on the worker pool, and so does the database; a call's media never does. With simulated
            // providers the whole counts; with real ones the pool is the models, which no media path can make cheaper.
            const auto pool = window.by_thread.find("jf-pool");
            const double pooled = pool == window.by_thread.end() ? 0 : pool->second;
            const double media = window.cpu_ms_per_call_s - pooled;
            std::printf("bench call_media providers=%s calls=%d seconds=%d mean_calls=%.1f host_cpu_ms_per_call_s=%.4f pool_cpu_ms_per_call_s=%.4f "
                        "echo_cpu_ms_per_call_s=%.4f ratio=%.2f ratio_without_pool=%.2f answered=%lld failed=%lld\n\n",
                        providers.name.c_str(), plan.calls, plan.seconds, window.mean_calls, window.cpu_ms_per_call_s, pooled,
                        echo->cpu_ms_per_call_s, window.cpu_ms_per_call_s / echo->cpu_ms_per_call_s, media / echo->cpu_ms_per_call_s,
                        static_cast<long long>(window.load.root()["answered"].integer_or(0)),
                        static_cast<long long>(window.load.root()["failed"].integer_or(0)));
            const double judged = providers.name == "simulated" ? window.cpu_ms_per_call_s : media;
            good = good && judged <= 3 * echo->cpu_ms_per_call_s && window.load.root()["failed"].integer_or(1) == 0;
        }
        if (plan.short_calls > 0) good = measure_memory(plan, host, speech, providers.name, idle) && good;
        if (host.stop() != 0) {
            std::printf("the host did not stop well\n");
            good = false;
        }
        std::fflush(stdout);
    }
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    CLI::App app("Measures what calls cost in CPU time and memory, beside a bare RTP echo under the same load.");
    app.add_option("--calls", plan.calls, "Concurrent calls; 0: no CPU part");
    app.add_option("--seconds", plan.seconds, "Length of the measured window")->check(CLI::Range(1, 3600));
    app.add_option("--short-calls", plan.short_calls, "Calls of a second each for the memory part; 0: none");
    app.add_option("--rate", plan.rate, "New calls a second while the load builds up");
    app.add_option("--talk", plan.talk_share, "Share of the time that a caller talks")->check(CLI::Range(0.05, 0.95));
    app.add_option("--providers", plan.providers, "Recogniser and voice: simulated (what the host itself costs), offline (pocketsphinx and flite) or both")
        ->check(CLI::IsMember({"simulated", "offline", "both"}));
    app.add_option("--work", plan.work, "Folder for databases, recordings and logs");
    app.add_flag("--judge", plan.judge, "Exit status 1 when the host (without the worker pool if the providers are real) costs more than three echoes, or leaves memory or operations behind");
    CLI11_PARSE(app, argc, argv);
    try {
        return run_bench(plan) || !plan.judge ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "call_media_bench: " << error.what() << '\n';
        return 2;
    }
}
