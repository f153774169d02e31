#pragma once

#include "base/clock.hpp"
#include "observe/secrets.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace jackfield::observe {

/// `error`: someone must act; `warn`: degraded; `info`: milestones; `debug`: the rest.
enum class LogLevel { debug, info, warn, error };

std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view word);

/// One named value of an event. Borrows its text for the duration of the call that logs it.
struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

    Field(std::string_view n, std::string_view text) : name(n), value(text) {}
    Field(std::string_view n, const char* text) : name(n), value(std::string_view(text)) {}
    Field(std::string_view n, const std::string& text) : name(n), value(std::string_view(text)) {}
    Field(std::string_view n, bool truth) : name(n), value(truth) {}
    Field(std::string_view n, double number) : name(n), value(number) {}
    template <std::signed_integral T>
    Field(std::string_view n, T number) : name(n), value(static_cast<std::int64_t>(number)) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) Field(std::string_view n, T number)
        : name(n), value(static_cast<std::uint64_t>(number)) {}
};
using Fields = std::initializer_list<Field>;

struct LogOptions {
    LogLevel level = LogLevel::info;
    /// A thread writes the lines, so that a slow disk never stalls a shard. Off in simulation and
    /// tests: lines are written by the caller, in order.
    bool asynchronous = true;
    /// Lines that may wait for the writer; more are dropped and counted.
    std::size_t queue_lines = 8192;
    /// Gets whole lines with their line end, one call at a time. Null: stderr.
    std::function<void(std::string_view line)> write;
    /// Null: the system's. Must outlive the log.
    const base::Clock* clock = nullptr;
};

/// Where the lines of one process go. Thread-safe. Destroying it writes what is waiting.
class Log {
  public:
    explicit Log(LogOptions options);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    bool wants(LogLevel level) const;
    void set_level(LogLevel level);
    Secrets& secrets();
    /// Lines lost because the writer was too slow; each gap is also logged as `log.dropped`.
    std::uint64_t dropped() const;
    /// Waits until what was logged before this call is written.
    void flush();

  private:
    friend class Logger;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A cheap value with fields that go with every event: `Logger call_log = log.with({{"call_id",
/// id}});`. A default one logs nothing. Event names are constants (`call.started`); what varies is
/// a field.
class Logger {
  public:
    Logger() = default;
    explicit Logger(std::shared_ptr<Log> log) : log_(std::move(log)) {}

    /// A logger with these fields after its own.
    Logger with(Fields fields) const;

    void debug(std::string_view event, Fields fields = {}) const {
        write(LogLevel::debug, event, fields);
    }
    void info(std::string_view event, Fields fields = {}) const {
        write(LogLevel::info, event, fields);
    }
    void warn(std::string_view event, Fields fields = {}) const {
        write(LogLevel::warn, event, fields);
    }
    void error(std::string_view event, Fields fields = {}) const {
        write(LogLevel::error, event, fields);
    }
    /// For events of plugins, which come with their level and a list made at run time.
    void write(LogLevel level, std::string_view event, Fields fields) const {
        write(level, event, fields.begin(), fields.size());
    }
    void write(LogLevel level, std::string_view event, const Field* fields, std::size_t n) const;

    bool wants(LogLevel level) const { return log_ && log_->wants(level); }

  private:
    std::shared_ptr<Log> log_;
    /// `,"call_id":"01J..."`, made once.
    std::string bound_;
};

}  // namespace jackfield::observe
