#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::sqlite {

struct Options {
    std::string path = "var/jackfield.db";
    std::int64_t busy_timeout_ms = 5000;
    std::int64_t cache_kib = 1024;
    std::int64_t readers = 4;
    std::int64_t checkpoint_pages = 1000;
    /// UTC microseconds for CREATED and UPDATED: the host's clock is monotonic and has no date. Tests put their own here.
    std::function<std::int64_t()> utc_us;

    bool in_memory() const { return path == ":memory:"; }
};

/// The system's clock.
std::int64_t system_utc_us();

Options read_options(const sdk::Config& config);

}  // namespace jackfield::sqlite
