#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace jackfield::call {

/// One rung of a call's ladder.
struct TraceEntry {
    enum class Kind : std::uint8_t { signalling, op_opened, op_done, event };
    base::MonoTime at;
    Kind kind = Kind::event;
    bool out = false;        ///< signalling: we sent it
    std::string transport;   ///< signalling: udp, tcp, tls
    std::string local;       ///< signalling: "192.0.2.1:5060"
    std::string remote;      ///< signalling; of an op: the provider
    std::string name;        ///< of an op: stt, llm, tts, ..., leg; of an event: its name
    std::int64_t number = 0; ///< of an op: its reply; of an event: what it comes with
    std::int64_t status = 0; ///< op_done: jf_status
    std::string text;        ///< the message; op_done: the error
};

/// SIP messages, ops and events of one call in their order, bounded in bytes: of a long call the beginning and the end stay, and what was
/// left out in between is counted.
class TraceLog {
  public:
    static constexpr std::size_t most_bytes = 64 * 1024;
    /// Of these, as much is kept for the beginning: the call's set-up, which is what is asked about most.
    static constexpr std::size_t beginning_bytes = 24 * 1024;

    /// Times are told since then.
    void begin(base::MonoTime zero, base::UtcTime utc);
    void add(TraceEntry entry);

    std::size_t size() const { return first_.size() + last_.size(); }
    std::uint64_t left_out() const { return left_out_; }
    /// {"started_us", "left_out", "entries": [{"at_us", "kind", ...}]}
    std::string json() const;

  private:
    base::MonoTime zero_;
    base::UtcTime utc_;
    std::deque<TraceEntry> first_;
    std::deque<TraceEntry> last_;
    std::size_t first_bytes_ = 0;
    std::size_t last_bytes_ = 0;
    bool full_ = false; ///< the beginning is over
    std::uint64_t left_out_ = 0;
};

}  // namespace jackfield::call
