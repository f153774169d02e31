#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "support/child_process.hpp"

namespace jackfield::test {

/// Where a host lives: configuration, store, recordings and plugins, in a folder of its own that outlives any number of host processes.
/// It is removed at the end unless the test that used it failed.
class HostFolder {
  public:
    HostFolder();
    ~HostFolder();
    HostFolder(const HostFolder&) = delete;
    HostFolder& operator=(const HostFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path config() const { return path_ / "jackfield.toml"; }
    std::filesystem::path database() const { return path_ / "jackfield.db"; }
    std::filesystem::path plugins() const { return plugins_; }

    /// tenants/<id>.toml
    void write_tenant(const std::string& id, std::string_view text);
    void write(const std::filesystem::path& file, std::string_view text);
    /// Writes jackfield.toml with SIP on these ports; 0 takes free ones. `more` follows, for instance other providers.
    void write_host(std::uint16_t udp_port = 0, std::uint16_t tcp_port = 0, std::string_view more = "");
    /// From here on the host loads copies of the built plugins, which a test may damage. Call before write_host().
    void copy_plugins();

    /// Runs `jackfield -c <config> ...` until it ends.
    struct Ran {
        int code = -1;
        std::string out;
        std::string err;
    };
    Ran jackfield(std::vector<std::string> arguments, milliseconds timeout = milliseconds(30000)) const;
    /// The same with --json; an absent document when it failed or printed none.
    std::optional<base::JsonDocument> jackfield_json(std::vector<std::string> arguments) const;
    /// The command itself, for what runs beside the test.
    std::unique_ptr<ChildProcess> start_jackfield(std::vector<std::string> arguments) const;

  private:
    std::filesystem::path path_;
    std::filesystem::path plugins_;
};

/// A running `jackfield serve`.
class HostProcess {
  public:
    /// Starts it and waits until it takes calls; throws std::runtime_error with its log when it doesn't.
    explicit HostProcess(HostFolder& folder, std::vector<std::string> arguments = {});

    std::uint16_t udp_port() const { return udp_port_; }
    std::uint16_t tcp_port() const { return tcp_port_; }
    std::string sip_uri(const std::string& user, bool tcp = false) const;
    pid_t pid() const { return child_.pid(); }
    bool running() { return !child_.wait(milliseconds(0)); }

    /// A line of the log that holds all `parts`, from line `from` on.
    std::optional<std::string> wait_log(const std::vector<std::string>& parts, milliseconds timeout, std::size_t from = 0) {
        return child_.wait_line(parts, timeout, from);
    }
    std::size_t log_lines() const { return child_.lines(); }
    std::string log() const { return child_.err(); }

    void signal(int number) { child_.signal(number); }
    std::optional<ExitStatus> wait(milliseconds timeout) { return child_.wait(timeout); }
    /// SIGTERM; the exit status, or -1 when it had to be killed.
    int stop(milliseconds timeout = milliseconds(15000));
    void kill();

  private:
    ChildProcess child_;
    std::uint16_t udp_port_ = 0;
    std::uint16_t tcp_port_ = 0;
};

}  // namespace jackfield::test
