#include "store/calendar.hpp"

#include <date/tz.h>
#include <jackfield/records.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "plugin_host/plugin_host.hpp"

namespace jackfield::store {
namespace {

using std::chrono::microseconds;
using Instant = date::sys_time<microseconds>;

constexpr std::size_t most_edges = 100'000;

std::int64_t us_of(Instant t) { return t.time_since_epoch().count(); }

/// The local hour, which need not be an hour of UTC's (India, Nepal).
Instant begin_of_hour(const date::time_zone& zone, Instant t) {
    const auto local = zone.to_local(t);
    return t - (local - date::floor<std::chrono::hours>(local));
}

/// Of the day, week or month that holds the local day.
date::local_days begin_of(std::uint32_t unit, date::local_days day) {
    if (unit == JF_CALENDAR_WEEK) return day - (date::weekday(day) - date::Monday);
    if (unit != JF_CALENDAR_MONTH) return day;
    const date::year_month_day ymd(day);
    return date::local_days(ymd.year() / ymd.month() / 1);
}
date::local_days next_of(std::uint32_t unit, date::local_days begin) {
    if (unit == JF_CALENDAR_DAY) return begin + date::days(1);
    if (unit == JF_CALENDAR_WEEK) return begin + date::days(7);
    const date::year_month_day ymd(begin);
    return date::local_days((ymd.year() / ymd.month() + date::months(1)) / 1);
}

struct Walk {
    std::vector<std::int64_t> edges;
    std::int64_t to_us;
    /// False: the span is covered, or there are too many.
    bool add(Instant at) {
        // Where the clocks jumped over a whole day, two beginnings are one.
        if (edges.empty() || us_of(at) > edges.back()) edges.push_back(us_of(at));
        return edges.back() < to_us && edges.size() <= most_edges;
    }
};

void walk_hours(const date::time_zone& zone, Instant from, Walk& walk) {
    Instant at = begin_of_hour(zone, from);
    while (walk.add(at)) {
        const Instant next = at + std::chrono::hours(1);
        const Instant aligned = begin_of_hour(zone, next);
        at = aligned > at ? aligned : next;
    }
}

void walk_days(const date::time_zone& zone, std::uint32_t unit, Instant from, Walk& walk) {
    date::local_days begin = begin_of(unit, date::floor<date::days>(zone.to_local(from)));
    while (walk.add(date::floor<microseconds>(zone.to_sys(begin, date::choose::earliest)))) begin = next_of(unit, begin);
}

/// The hosts of this process that have a calendar: the facility's functions find theirs here.
struct Registry {
    std::mutex mutex;
    std::map<const plugin_host::PluginHost*, Calendar::ZoneOf> zones;
};
Registry& registry() {
    static auto& kept = *new Registry;
    return kept;
}

std::string zone_for(plugin_host::Instance& consumer, jf_str named) {
    if (named.len > 0) return {named.ptr, static_cast<std::size_t>(named.len)};
    const std::lock_guard lock(registry().mutex);
    const auto found = registry().zones.find(&consumer.host());
    return found == registry().zones.end() ? std::string() : found->second(consumer.tenant());
}

jf_status edges_for_plugin(jf_host_ctx* ctx, jf_str zone, std::uint32_t unit, std::int64_t from_us, std::int64_t to_us, std::int64_t* out,
                           std::uint32_t capacity, std::uint32_t* n) {
    if (!n || (capacity > 0 && !out)) return JF_E_INVALID;
    try {
        const auto edges = local_edges(zone_for(plugin_host::Instance::from(ctx), zone), unit, from_us, to_us);
        if (!edges) return JF_E_INVALID;
        *n = static_cast<std::uint32_t>(edges->size());
        std::copy_n(edges->begin(), std::min<std::size_t>(capacity, edges->size()), out);
        return JF_OK;
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

}  // namespace

base::Result<std::vector<std::int64_t>> local_edges(const std::string& zone, std::uint32_t unit, std::int64_t from_us, std::int64_t to_us) {
    // Beyond these years the zones' rules say nothing, and the arithmetic would overflow.
    constexpr std::int64_t year_9999 = 253'402'300'800'000'000;
    if (unit > JF_CALENDAR_MONTH) return base::Error(base::ErrorCode::invalid, "there is no such unit of the calendar");
    if (from_us < -year_9999 || to_us > year_9999 || from_us > to_us) return base::Error(base::ErrorCode::invalid, "the span is none, or too far away");
    Walk walk{{}, to_us};
    try {
        const date::time_zone* const found = date::locate_zone(zone.empty() ? "Etc/UTC" : zone);
        const Instant from{microseconds(from_us)};
        if (unit == JF_CALENDAR_HOUR) walk_hours(*found, from, walk);
        else walk_days(*found, unit, from, walk);
    } catch (const std::runtime_error&) {
        return base::Error(base::ErrorCode::invalid, "'" + zone + "' is no time zone");
    }
    if (walk.edges.size() > most_edges) return base::Error(base::ErrorCode::invalid, "the span has more than 100000 of that unit");
    return std::move(walk.edges);
}

Calendar::Calendar(plugin_host::PluginHost& host, ZoneOf zone_of) : host_(host) {
    static const jf_host_calendar_v1 table = {sizeof table, 0, edges_for_plugin};
    {
        const std::lock_guard lock(registry().mutex);
        registry().zones[&host] = std::move(zone_of);
    }
    host.add_facility(JF_FACILITY_CALENDAR, &table);
}

Calendar::~Calendar() {
    const std::lock_guard lock(registry().mutex);
    registry().zones.erase(&host_);
}

}  // namespace jackfield::store
