#include "config.hpp"

#include <chrono>

namespace jackfield::sqlite {

std::int64_t system_utc_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Options read_options(const sdk::Config& config) {
    Options options;
    options.path = config.text("path", options.path);
    options.busy_timeout_ms = config.integer("busy_timeout_ms", options.busy_timeout_ms);
    options.cache_kib = config.integer("cache_kib", options.cache_kib);
    options.readers = config.integer("readers", options.readers);
    options.checkpoint_pages = config.integer("checkpoint_pages", options.checkpoint_pages);
    options.wal_limit_mib = config.integer("wal_limit_mib", options.wal_limit_mib);
    options.max_record_kib = config.integer("max_record_kib", options.max_record_kib);
    options.check_at_start_ms = config.integer("check_at_start_ms", options.check_at_start_ms);
    options.utc_us = system_utc_us;
    return options;
}

}  // namespace jackfield::sqlite
