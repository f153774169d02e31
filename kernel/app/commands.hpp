#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_config.hpp"

namespace jackfield::app {

/// Exit status of every command: 0 done, 1 it failed, 2 the configuration or the command line is wrong.
enum Exit : int { exit_ok = 0, exit_failed = 1, exit_usage = 2 };

struct CommonOptions {
    std::filesystem::path config;
    bool json = false;
};

struct ServeOptions {
    std::optional<int> drain_seconds;
};

struct DialCommand {
    std::string agent; ///< "tenant/agent"
    std::string to;
    std::string from;
    std::string provider;
    int ring_timeout_s = 30;
    bool wait = false; ///< follow the call until it has ended
};

struct ListCommand {
    std::string tenant; ///< empty: all
    unsigned limit = 20;
    bool live = false;
};

struct WhyCommand {
    std::string call;
    std::int64_t turn = -1; ///< all of them
};

struct TraceCommand {
    std::string call;
    bool messages = false; ///< whole ones below the rungs
};

struct ListenCommand {
    std::string call;
    std::string output; ///< empty or "-": standard output
    bool stereo = false;
    bool raw = false;
    int seconds = 0; ///< 0: until the call is over
};

struct PcapCommand {
    std::string call;
    std::string output;
    int seconds = 0; ///< of media; 0: signalling only
};

struct StoreCommand {
    enum class What { status, plan, migrate, rollback } what = What::status;
    std::string collection; ///< empty: all
    bool yes = false;       ///< without asking
    bool lossy = false;     ///< steps that lose values, too
    bool back = false;      ///< of plan: the way back
};

int run_store(const CommonOptions& common, const StoreCommand& command);
int run_serve(const CommonOptions& common, const ServeOptions& options);
int run_check(const CommonOptions& common, bool print_schema);
int run_plugin_list(const CommonOptions& common);
int run_plugin_explain(const CommonOptions& common, const std::string& what);
int run_call(const CommonOptions& common, const DialCommand& command);
int run_calls_list(const CommonOptions& common, const ListCommand& command);
int run_calls_show(const CommonOptions& common, const std::string& id, bool waterfall);
int run_calls_follow(const CommonOptions& common);
int run_calls_hang_up(const CommonOptions& common, const std::string& id);
int run_status(const CommonOptions& common);
int run_why(const CommonOptions& common, const WhyCommand& command);
int run_call_trace(const CommonOptions& common, const TraceCommand& command);
int run_call_listen(const CommonOptions& common, const ListenCommand& command);
int run_call_pcap(const CommonOptions& common, const PcapCommand& command);

/// A call's trace as TraceLog::json() wrote it, from the store or the running host; empty when there is none.
base::Result<std::string> read_trace(const config::HostConfig& config, std::string& call);
/// Loads the configuration; prints every problem and answers nothing when there are some.
std::optional<config::HostConfig> load_or_explain(const CommonOptions& common);
/// One line on stderr: `jackfield: ...`.
int fail(const std::string& text, int code = exit_failed);
/// "2026-11-20 09:30:00Z", "-" for 0.
std::string utc_text(std::int64_t us);

}  // namespace jackfield::app
