// Many calls with media against one SIP server, from one thread: the load side of the call bench.
#include <sys/epoll.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <queue>
#include <unordered_map>

#include "base/json.hpp"
#include "simulators/load_call.hpp"

namespace {

using namespace jackfield::sim;

struct Plan {
    std::string uri;
    int concurrent = 10;
    double rate = 20;
    double hold_s = 10;
    std::uint64_t total = 10;
    std::string speech_file;
    std::string json;
};

/// A caller's rhythm when no recording is given: a second of tone, three of silence.
std::string default_speech() {
    Pcm speech = tone(300, 1000);
    speech.resize(4 * rate_hz, 0);
    return encode(Codec::pcmu, speech);
}

class Load {
  public:
    Load(Plan plan, Endpoint server, std::string speech)
        : plan_(std::move(plan)), server_(server), speech_(std::move(speech)), sip_(open_udp()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        watch(sip_.get(), nullptr);
    }

    LoadTotals run() {
        next_start_ = Clock::now();
        while (totals_.placed < plan_.total || !calls_.empty()) {
            start_due(Clock::now());
            poll();
            work_due(Clock::now());
        }
        return std::move(totals_);
    }

  private:
    using Due = std::pair<Clock::time_point, std::string>;

    void watch(int fd, LoadCall* call) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = call;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    }

    bool may_start() const {
        return totals_.placed < plan_.total && calls_.size() < static_cast<std::size_t>(plan_.concurrent);
    }

    void start_due(Clock::time_point now) {
        const auto pace = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / plan_.rate));
        for (; may_start() && next_start_ <= now; next_start_ += pace) {
            auto call = std::make_unique<LoadCall>(sip_, server_, plan_.uri, speech_, totals_);
            watch(call->media_fd(), call.get());
            call->start(now, std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan_.hold_s)));
            due_.emplace(call->due(), call->id());
            calls_.emplace(call->id(), std::move(call));
        }
        // Waiting for a free line must not be made up for by a burst afterwards.
        if (!may_start()) next_start_ = std::max(next_start_, now);
    }

    void poll() {
        auto wake = Clock::now() + milliseconds(20);
        if (!due_.empty()) wake = std::min(wake, due_.top().first);
        if (may_start()) wake = std::min(wake, next_start_);
        const auto wait = std::max(wake - Clock::now(), Clock::duration::zero());
        const timespec timeout{0, static_cast<long>(std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count())};
        epoll_event events[256];
        const int count = ::epoll_pwait2(epoll_.get(), events, 256, &timeout, nullptr);
        const auto now = Clock::now();
        for (int i = 0; i < count; ++i) {
            auto* call = static_cast<LoadCall*>(events[i].data.ptr);
            if (call == nullptr) {
                signalling_ = true;
            } else {
                call->on_media();
            }
        }
        // Signalling ends calls, and events above may name them: it comes last.
        if (signalling_) read_signalling(now);
        signalling_ = false;
    }

    void read_signalling(Clock::time_point now) {
        std::string buffer;
        while (const auto datagram = receive(sip_, buffer)) {
            const auto message = parse_sip(datagram->bytes);
            if (!message) continue;
            const auto found = calls_.find(message->get("Call-ID"));
            if (found == calls_.end()) continue;
            LoadCall& call = *found->second;
            const auto due = call.due();
            if (message->is_request()) {
                call.on_request(*message, datagram->from);
            } else {
                call.on_response(*message, now);
            }
            if (call.done()) {
                calls_.erase(found);
            } else if (call.due() != due) {
                due_.emplace(call.due(), call.id());
            }
        }
    }

    void work_due(Clock::time_point now) {
        while (!due_.empty() && due_.top().first <= now) {
            const auto [at, id] = due_.top();
            due_.pop();
            const auto found = calls_.find(id);
            if (found == calls_.end()) continue;
            LoadCall& call = *found->second;
            if (call.due() != at) continue;  // from before the call's plans changed
            call.on_due(now);
            if (call.done()) {
                calls_.erase(found);
            } else {
                due_.emplace(call.due(), id);
            }
        }
    }

    Plan plan_;
    Endpoint server_;
    std::string speech_;
    Fd sip_;
    Fd epoll_;
    LoadTotals totals_;
    std::unordered_map<std::string, std::unique_ptr<LoadCall>> calls_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    Clock::time_point next_start_;
    bool signalling_ = false;
};

double percentile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

std::string report(const LoadTotals& totals, double seconds) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                       1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    jackfield::base::JsonWriter json;
    json.begin_object();
    json.member("placed", totals.placed).member("answered", totals.answered).member("failed", totals.failed);
    json.member("ended_by_peer", totals.ended_by_peer);
    json.key("failures").begin_object();
    for (const auto& [status, count] : totals.failures) json.member(std::to_string(status), count);
    json.end_object();
    json.member("packets_sent", totals.sent).member("packets_received", totals.received).member("packets_lost", totals.lost);
    json.member("longest_gap_ms", totals.longest_gap_ms);
    json.member("late_p50_ms", Lateness::percentile(totals.late, 0.5)).member("late_p99_ms", Lateness::percentile(totals.late, 0.99));
    json.member("setup_p50_ms", percentile(totals.setup_ms, 0.5)).member("setup_p99_ms", percentile(totals.setup_ms, 0.99));
    json.member("seconds", seconds).member("cpu_seconds", cpu);
    json.end_object();
    return json.take();
}

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    double duration_s = 0;
    CLI::App app("Keeps N calls with two-way 20 ms RTP up against a SIP server on this machine, over UDP. Exit status 0: every call was answered.");
    app.add_option("uri", plan.uri, "sip:user@127.0.0.1:port")->required();
    app.add_option("--calls", plan.concurrent, "Most calls at once")->check(CLI::Range(1, 20000));
    app.add_option("--rate", plan.rate, "New calls a second")->check(CLI::Range(0.01, 10000.0));
    app.add_option("--hold", plan.hold_s, "Seconds that each call lasts");
    const auto* total = app.add_option("--total", plan.total, "Calls in all");
    const auto* duration = app.add_option("--duration", duration_s, "Instead of --total: seconds during which calls are placed");
    app.add_option("--speech", plan.speech_file, "WAV at 8000 Hz that every caller plays in a circle");
    app.add_option("--json", plan.json, "Report file");
    CLI11_PARSE(app, argc, argv);
    try {
        const auto uri = parse_sip_uri(plan.uri);
        const auto address = uri ? parse_address(uri->host) : std::nullopt;
        if (!address) throw std::runtime_error(plan.uri + ": not a SIP address on this machine");
        if (total->count() == 0) {
            const double lines = plan.concurrent / plan.hold_s;
            plan.total = static_cast<std::uint64_t>(plan.concurrent);
            if (duration->count() > 0) {
                plan.total = std::max<std::uint64_t>(plan.total, static_cast<std::uint64_t>(duration_s * std::min(plan.rate, lines)));
            }
        }
        const std::string speech = plan.speech_file.empty() ? default_speech() : encode(Codec::pcmu, read_speech(plan.speech_file));
        const auto began = Clock::now();
        const LoadTotals totals = Load(plan, {*address, uri->port}, speech).run();
        const std::string json = report(totals, ms_between(began, Clock::now()) / 1000);
        if (!plan.json.empty()) std::ofstream(plan.json) << json << '\n';
        std::cout << json << '\n';
        return totals.failed == 0 && totals.answered > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "sip_load: " << error.what() << '\n';
        return 2;
    }
}
