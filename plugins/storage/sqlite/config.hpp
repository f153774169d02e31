#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::sqlite {

struct Options {
    std::string path = "var/jackfield.db";
    std::int64_t busy_timeout_ms = 5000;
    std::int64_t cache_kib = 1024;
    std::int64_t readers = 4;
    std::int64_t checkpoint_pages = 1000;
    std::int64_t wal_limit_mib = 64;
    std::int64_t max_record_kib = 65536;
    std::int64_t check_at_start_ms = 2000;
    /// Any thread; a constant name and a sentence.
    std::function<void(const char* event, const std::string& text)> warn = [](const char*, const std::string&) {};
    /// After a commit: what somebody may watch has changed. Any thread.
    std::function<void(std::uint32_t collection, std::string_view tenant)> on_change;
    /// UTC microseconds for CREATED and UPDATED: the host's clock is monotonic and has no date. Tests put their own here.
    std::function<std::int64_t()> utc_us;

    bool in_memory() const { return path == ":memory:"; }
};

/// The system's clock.
std::int64_t system_utc_us();

Options read_options(const sdk::Config& config);

}  // namespace jackfield::sqlite
