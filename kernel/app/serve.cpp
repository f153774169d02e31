#include <fcntl.h>
#include <sys/file.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <future>
#include <iostream>

#include "app/commands.hpp"
#include "app/control_server.hpp"
#include "app/host.hpp"
#include "media/wav.hpp"
#include "observe/exposition.hpp"

namespace jackfield::app {
namespace {

/// Two sockets a call and more; and no core file, since memory holds secrets and voices.
void set_process_limits() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGPIPE, SIG_IGN);
    // An arena a thread keeps what one thread allocated and another freed; with a dozen threads that looks like a leak for hours.
    mallopt(M_ARENA_MAX, 2);
}

/// The state folder belongs to one host at a time: a second one would take the first one's live calls for what a crash left behind, hang them up
/// and repair recordings that are being written. The lock goes with the process, however it ends; -1: another has it, or there is none to be had.
int lock_state_dir(const std::filesystem::path& folder) {
    const int fd = ::open((folder / "host.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

/// Each tenant's recordings are a folder of their own.
media::RepairSummary repair_recordings(const std::filesystem::path& folder) {
    media::RepairSummary all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (!entry.is_directory(ignored)) continue;
        const media::RepairSummary one = media::repair_recordings(entry.path().string());
        all.repaired += one.repaired;
        all.removed += one.removed;
        all.refused += one.refused;
    }
    return all;
}

/// How long everything may take that has to stop once calls are over: a dozen providers at some seconds each, or one that hangs.
constexpr std::chrono::seconds stop_limit{30};
constexpr base::Milliseconds threads_end{5'000};

/// Who keeps the host from stopping, in the log: without that a hang at the end is nobody's.
void name_who_stands(Host& host, const observe::Logger& log) {
    for (const plugin_host::StandingCall& call : host.plugins().standing(base::Milliseconds(500)))
        log.error("host.plugin_hangs", {{"provider", call.instance->name()},
                                        {"plugin", call.instance->spec().plugin},
                                        {"file", call.instance->plugin().path.string()},
                                        {"thread_class", plugin_host::name_of(call.thread_class)},
                                        {"for_ms", std::chrono::duration_cast<base::Milliseconds>(call.since).count()}});
}

/// Ends the process while threads stand in plugins: they may touch anything, so nothing is destroyed any more.
[[noreturn]] void leave_at_once(observe::Log& log, int code) {
    log.flush();
    std::_Exit(code);
}

/// Until one of `taken` comes. Meanwhile, in the first minute after the last call, what calls have freed goes back to the system: between what
/// lives longer the allocator keeps it for ever, and a busy day would look like a leak. With calls up it would stall them.
void wait_for_signal(const sigset_t& taken, Host& host) {
    const timespec look{2, 0};
    constexpr int looks = 30;
    int quiet_looks = looks;
    while (sigtimedwait(&taken, nullptr, &look) < 0) {
        if (host.calls().count() > 0) {
            quiet_looks = 0;
        } else if (quiet_looks < looks) {
            ++quiet_looks;
            malloc_trim(0);
        }
    }
}

}  // namespace

int run_serve(const CommonOptions& common, const ServeOptions& options) {
    const auto config = load_or_explain(common);
    if (!config) return exit_usage;
    set_process_limits();
    // Signals are taken by this thread alone; threads made from here on inherit the mask.
    sigset_t taken;
    sigemptyset(&taken);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&taken, signal);
    pthread_sigmask(SIG_BLOCK, &taken, nullptr);

    std::filesystem::create_directories(config->state_dir);
    std::filesystem::create_directories(config->recordings_dir);
    if (lock_state_dir(config->state_dir) < 0)
        return fail(config->state_dir.string() + ": another host uses this folder, or it cannot be written; stop that host, or give this one its own [host] state_dir");

    observe::LogOptions log_options;
    log_options.level = observe::parse_log_level(config->log_level).value_or(observe::LogLevel::info);
    const auto log_sink = std::make_shared<observe::Log>(std::move(log_options));
    for (const std::string& secret : config->secrets) log_sink->secrets().add(secret);
    const observe::Logger log(log_sink);

    runtime::RuntimeOptions runtime_options;
    // One more than carries calls: services and control.
    runtime_options.shards = (config->shards ? config->shards : std::max(1u, std::thread::hardware_concurrency())) + 1;
    runtime::RealRuntime runtime(runtime_options);
    const auto network = net::make_network();
    auto loader = make_loader(*config);
    observe::Metrics metrics(runtime.shard_count());
    if (const auto repaired = repair_recordings(config->recordings_dir); repaired.repaired + repaired.refused > 0)
        log.warn("recordings.repaired", {{"repaired", repaired.repaired}, {"refused", repaired.refused}});
    media::RecordingWriter recordings(std::make_shared<media::DiskRecordingStorage>());
    recordings.start();

    Host host({runtime, *network, loader, recordings, log, metrics}, *config);
    for (unsigned i = 0; i < runtime.shard_count(); ++i)
        runtime.shard(i).post([i] { observe::set_metric_shard(i); });
    runtime.start();
    std::promise<base::Result<>> started;
    host.start([&](base::Result<> result) { started.set_value(std::move(result)); });
    if (const auto result = started.get_future().get(); !result) {
        log.error("host.start_failed", {{"error", result.error().text()}});
        log_sink->flush();
        fail(result.error().text());
        std::promise<void> stopped;
        host.stop(base::Milliseconds(0), [&] { stopped.set_value(); });
        if (stopped.get_future().wait_for(stop_limit) != std::future_status::ready || !runtime.stop(threads_end)) {
            name_who_stands(host, log);
            leave_at_once(*log_sink, exit_failed);
        }
        return exit_failed;
    }

    std::unique_ptr<observe::MetricsServer> exposition;
    if (!config->metrics_listen.empty()) {
        auto made = observe::MetricsServer::create(config->metrics_listen, metrics);
        if (!made) log.error("metrics.not_served", {{"error", made.error().text()}});
        else exposition = std::move(*made);
    }
    auto control = ControlServer::create(host, config->control_socket);
    int code = exit_ok;
    if (!control) {
        fail(control.error().text());
        code = exit_failed;
    } else {
        log.info("host.ready", {{"tenants", config->tenants.size()}, {"shards", runtime.shard_count() - 1}});
        wait_for_signal(taken, host);
    }

    const auto drain = options.drain_seconds ? std::chrono::seconds(*options.drain_seconds) : config->drain;
    std::promise<void> stopped;
    auto is_stopped = stopped.get_future();
    host.stop(code == exit_ok ? std::chrono::duration_cast<base::Milliseconds>(drain) : base::Milliseconds(0),
              [&] { stopped.set_value(); });
    // A second signal ends the patience: what still talks is hung up.
    const auto patience = std::chrono::steady_clock::now() + drain + stop_limit;
    while (is_stopped.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready) {
        if (std::chrono::steady_clock::now() > patience) {
            name_who_stands(host, log);
            log.error("host.not_stopped");
            leave_at_once(*log_sink, exit_failed);
        }
        const timespec step{0, 50'000'000};
        if (sigtimedwait(&taken, nullptr, &step) > 0) host.calls().hang_up_all(JF_CAUSE_NORMAL, "host_stopped");
    }
    if (control) control->reset();
    exposition.reset();
    recordings.stop();
    if (!runtime.stop(threads_end)) {
        name_who_stands(host, log);
        log.info("host.stopped");
        leave_at_once(*log_sink, code);
    }
    log.info("host.stopped");
    log_sink->flush();
    return code;
}

}  // namespace jackfield::app
