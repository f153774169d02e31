#include "observe/log.hpp"

#include "base/json.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include <unistd.h>

namespace jackfield::observe {
namespace {

constexpr std::array<std::string_view, 4> level_words{"debug", "info", "warn", "error"};

void write_to_stderr(std::string_view line) {
    while (!line.empty()) {
        const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // Nobody reads stderr: there is no better place to say so.
        line.remove_prefix(static_cast<std::size_t>(n));
    }
}

/// RFC 3339 with milliseconds.
std::string time_text(base::UtcTime now) {
    const auto seconds = static_cast<std::time_t>(now.us / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    const int n = std::snprintf(text,
                                sizeof text,
                                "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                parts.tm_year + 1900,
                                parts.tm_mon + 1,
                                parts.tm_mday,
                                parts.tm_hour,
                                parts.tm_min,
                                parts.tm_sec,
                                static_cast<int>(now.us / 1000 % 1000));
    return {text, static_cast<std::size_t>(n)};
}

/// As JSON, and without DEL and the C1 controls, which a terminal would obey (U+009B begins an
/// escape sequence).
void append_text(std::string& out, std::string_view text) {
    const std::size_t from = out.size();
    base::append_json_string(out, text);
    for (std::size_t i = from; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        const bool c1 =
            c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
        if (c != 0x7f && !c1) continue;
        char escaped[8];
        std::snprintf(escaped,
                      sizeof escaped,
                      "\\u%04x",
                      c1 ? static_cast<unsigned char>(out[i + 1]) : 0x7fu);
        out.replace(i, c1 ? 2 : 1, escaped);
    }
}

void append_field(std::string& out, const Field& field) {
    out += ',';
    append_text(out, field.name);
    out += ':';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_text(out, *text);
        return;
    }
    base::JsonWriter json;
    std::visit(
        [&](const auto& v) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::string_view>)
                json.value(v);
        },
        field.value);
    out += json.str();
}

}  // namespace

std::string_view to_string(LogLevel level) {
    return level_words[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view word) {
    for (std::size_t i = 0; i < level_words.size(); ++i)
        if (level_words[i] == word) return static_cast<LogLevel>(i);
    return std::nullopt;
}

struct Log::Impl {
    explicit Impl(LogOptions o) : options(std::move(o)), level(options.level) {
        if (!options.write) options.write = &write_to_stderr;
        if (!options.clock) options.clock = &system_clock;
        if (options.asynchronous) writer = std::thread([this] { run(); });
    }

    ~Impl() {
        if (!writer.joinable()) return;
        {
            const std::lock_guard lock(mutex);
            stopping = true;
        }
        wake.notify_all();
        writer.join();
    }

    void submit(std::string line) {
        if (!options.asynchronous) {
            line = secrets.redact(std::move(line));
            const std::lock_guard lock(mutex);
            options.write(line);
            return;
        }
        // The lock is held for a push or a swap only, never while the disk is written.
        bool first = false;
        {
            const std::lock_guard lock(mutex);
            if (waiting.size() >= options.queue_lines) {
                dropped.fetch_add(1, std::memory_order_relaxed);
                return;
            }
            first = waiting.empty();
            ++accepted;
            waiting.push_back(std::move(line));
        }
        if (first) wake.notify_one();
    }

    void run() {
        std::vector<std::string> batch;
        std::uint64_t told = 0;
        std::unique_lock lock(mutex);
        while (!stopping || !waiting.empty()) {
            wake.wait(lock, [this] { return stopping || !waiting.empty(); });
            batch.swap(waiting);
            lock.unlock();
            for (std::string& line : batch) options.write(secrets.redact(std::move(line)));
            const std::uint64_t lost = dropped.load(std::memory_order_relaxed);
            if (lost != told) options.write(dropped_line(lost - told));
            told = lost;
            lock.lock();
            written += batch.size();
            batch.clear();
            idle.notify_all();
        }
    }

    std::string head(LogLevel at, std::string_view event) const {
        std::string line = "{\"time\":\"" + time_text(options.clock->utc_now()) + "\",\"level\":\"";
        line += to_string(at);
        line += "\",\"event\":";
        append_text(line, event);
        return line;
    }

    std::string dropped_line(std::uint64_t lines) const {
        std::string line = head(LogLevel::warn, "log.dropped");
        append_field(line, Field("lines", lines));
        return line + "}\n";
    }

    LogOptions options;
    base::SystemClock system_clock;
    Secrets secrets;
    std::atomic<LogLevel> level;
    std::atomic<std::uint64_t> dropped{0};
    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable idle;
    std::vector<std::string> waiting;
    std::uint64_t accepted = 0;
    std::uint64_t written = 0;
    bool stopping = false;
    std::thread writer;  // Last: it uses the others.
};

Log::Log(LogOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Log::~Log() = default;

bool Log::wants(LogLevel level) const {
    return level >= impl_->level.load(std::memory_order_relaxed);
}
void Log::set_level(LogLevel level) {
    impl_->level.store(level, std::memory_order_relaxed);
}
Secrets& Log::secrets() {
    return impl_->secrets;
}
std::uint64_t Log::dropped() const {
    return impl_->dropped.load(std::memory_order_relaxed);
}

void Log::flush() {
    if (!impl_->options.asynchronous) return;
    std::unique_lock lock(impl_->mutex);
    impl_->idle.wait(lock, [this, target = impl_->accepted] { return impl_->written >= target; });
}

Logger Logger::with(Fields fields) const {
    Logger copy = *this;
    for (const Field& field : fields) append_field(copy.bound_, field);
    return copy;
}

void Logger::write(LogLevel level,
                   std::string_view event,
                   const Field* fields,
                   std::size_t n) const {
    if (!wants(level)) return;
    std::string line = log_->impl_->head(level, event);
    line += bound_;
    for (std::size_t i = 0; i < n; ++i) append_field(line, fields[i]);
    line += "}\n";
    log_->impl_->submit(std::move(line));
}

}  // namespace jackfield::observe
