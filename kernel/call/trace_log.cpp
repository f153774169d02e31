#include "call/trace_log.hpp"

#include "base/json.hpp"

namespace jackfield::call {
namespace {

/// About what the entry costs here, and in JSON.
std::size_t cost_of(const TraceEntry& entry) {
    return 96 + entry.transport.size() + entry.local.size() + entry.remote.size() + entry.name.size() + entry.text.size();
}

/// Messages arrive here a little after they passed the wire: each is put where it belongs in time.
void insert(std::deque<TraceEntry>& entries, TraceEntry entry) {
    auto place = entries.end();
    while (place != entries.begin() && entry.at < std::prev(place)->at) --place;
    entries.insert(place, std::move(entry));
}

const char* kind_name(TraceEntry::Kind kind) {
    switch (kind) {
        case TraceEntry::Kind::signalling: return "sip";
        case TraceEntry::Kind::op_opened: return "open";
        case TraceEntry::Kind::op_done: return "done";
        case TraceEntry::Kind::event: return "event";
    }
    return "event";
}

}  // namespace

void TraceLog::begin(base::MonoTime zero, base::UtcTime utc) {
    zero_ = zero;
    utc_ = utc;
}

void TraceLog::add(TraceEntry entry) {
    const std::size_t cost = cost_of(entry);
    if (!full_ && first_bytes_ + cost <= beginning_bytes) {
        first_bytes_ += cost;
        insert(first_, std::move(entry));
        return;
    }
    full_ = true;
    last_bytes_ += cost;
    insert(last_, std::move(entry));
    while (last_bytes_ > most_bytes - beginning_bytes && last_.size() > 1) {
        last_bytes_ -= cost_of(last_.front());
        last_.pop_front();
        ++left_out_;
    }
}

std::string TraceLog::json() const {
    base::JsonWriter json;
    json.begin_object().member("started_us", utc_.us).member("left_out", left_out_).key("entries").begin_array();
    const auto write = [&](const TraceEntry& entry) {
        json.begin_object();
        json.member("at_us", static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(entry.at - zero_).count()));
        json.member("kind", kind_name(entry.kind));
        if (entry.kind == TraceEntry::Kind::signalling) {
            json.member("out", entry.out).member("transport", entry.transport).member("local", entry.local).member("remote", entry.remote);
        } else {
            json.member("name", entry.name).member("number", entry.number);
            if (!entry.remote.empty()) json.member("provider", entry.remote);
            if (entry.kind == TraceEntry::Kind::op_done) json.member("status", entry.status);
        }
        if (!entry.text.empty()) json.member("text", entry.text);
        json.end_object();
    };
    for (const TraceEntry& entry : first_) write(entry);
    if (left_out_ > 0) {
        json.begin_object();
        json.member("at_us", static_cast<std::int64_t>(std::chrono::duration_cast<std::chrono::microseconds>(last_.front().at - zero_).count()));
        json.member("kind", "left_out").member("number", left_out_).end_object();
    }
    for (const TraceEntry& entry : last_) write(entry);
    json.end_array().end_object();
    return json.take();
}

}  // namespace jackfield::call
