#include "bench/bench_host.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <vector>

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double seconds_since(Clock::time_point then) { return Seconds(Clock::now() - then).count(); }

}  // namespace

void nap(double seconds) { std::this_thread::sleep_for(Seconds(seconds)); }

base::JsonDocument json_of(const std::string& text) {
    auto document = base::JsonDocument::parse(text);
    if (!document) throw std::runtime_error("no JSON: " + text);
    return std::move(*document);
}

base::JsonDocument json_in(const std::string& file) {
    std::ifstream in(file);
    return json_of(std::string(std::istreambuf_iterator<char>(in), {}));
}

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

BenchHost::BenchHost(const std::string& state, const std::string& stt, const std::string& tts)
    : port_(free_udp_port()), state_(fs::absolute(state).string()) {
    fs::remove_all(state_);
    fs::create_directories(state_);
    const std::string config = BENCH_SOURCE "/call_media";
    environment_ = {{"JACKFIELD_PLUGINS", JACKFIELD_BENCH_PLUGINS}, {"BENCH_STATE", state_}, {"BENCH_SIP_PORT", std::to_string(port_)},
                    {"BENCH_STT", stt}, {"BENCH_TTS", tts}, {"BENCH_CONFIG", config}, {"JACKFIELD_CONFIG", config + "/host.toml"}};
    // For `jackfield status` too.
    for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
    host_.emplace(std::vector<std::string>{JACKFIELD_BENCH_HOST, "serve"}, environment_, state_ + "/host.log");
    const auto began = Clock::now();
    while (!try_status()) {
        if (!host_->running() || seconds_since(began) > 60) throw std::runtime_error("the host did not start; see " + state_ + "/host.log");
        nap(0.1);
    }
}

std::optional<HostStatus> BenchHost::try_status() const {
    try {
        const auto document = json_of(output_of(JACKFIELD_BENCH_HOST " --json status 2>/dev/null"));
        return HostStatus{document.root()["calls"].integer_or(0), document.root()["open_ops"].integer_or(0)};
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::optional<double> BenchHost::calls_now() const {
    const auto status = try_status();
    return status ? std::optional(static_cast<double>(status->calls)) : std::nullopt;
}

HostStatus BenchHost::settled(double patience_s) const {
    HostStatus last = try_status().value_or(HostStatus{-1, -1});
    const auto began = Clock::now();
    for (int same = 0; same < 5 && seconds_since(began) < patience_s;) {
        nap(0.2);
        const HostStatus now = try_status().value_or(HostStatus{-1, -1});
        same = now.calls == 0 && now.open_ops == last.open_ops ? same + 1 : 0;
        last = now;
    }
    return last;
}

HostAtRest BenchHost::at_rest(double least_s, double patience_s) const {
    constexpr double page_kb = 4;
    constexpr int looks = 6;
    HostAtRest rest{try_status().value_or(HostStatus{-1, -1}), cost_of(pid()), 0, false};
    const auto began = Clock::now();
    auto last_busy = began;
    for (int same = 0; seconds_since(began) < patience_s && !rest.quiet;) {
        nap(0.5);
        const HostStatus status = try_status().value_or(HostStatus{-1, -1});
        const ProcessCost cost = cost_of(pid());
        const bool still = status.calls == 0 && status.open_ops == rest.status.open_ops &&
                           std::abs(cost.resident_kb - rest.cost.resident_kb) <= page_kb;
        same = still ? same + 1 : 0;
        if (status.calls != 0) last_busy = Clock::now();
        rest.status = status;
        rest.cost = cost;
        rest.quiet = same >= looks && seconds_since(last_busy) >= least_s;
    }
    rest.waited_s = seconds_since(began);
    return rest;
}

}  // namespace jackfield::bench
