#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace jackfield::plugin_host {
class PluginHost;
}

namespace jackfield::store {

/// Where local hours, days, weeks or months (JF_CALENDAR_*) begin in an IANA zone, in UTC microseconds: from the one that holds `from_us` to the first
/// at or after `to_us`. Ascending whatever the clocks did: a day of 23 or 25 hours is one bucket, an hour that comes twice is two, and a midnight
/// that was skipped begins when the clocks had jumped.
base::Result<std::vector<std::int64_t>> local_edges(const std::string& zone, std::uint32_t unit, std::int64_t from_us, std::int64_t to_us);

/// Offers jf.host.calendar/1 to the host's plugins, with `zone_of(tenant)` where they name no zone; empty: UTC. Before any instance is made.
class Calendar {
  public:
    using ZoneOf = std::function<std::string(const std::string& tenant)>;
    Calendar(plugin_host::PluginHost& host, ZoneOf zone_of);
    ~Calendar();
    Calendar(const Calendar&) = delete;

  private:
    plugin_host::PluginHost& host_;
};

}  // namespace jackfield::store
