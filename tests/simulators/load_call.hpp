#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "simulators/audio.hpp"
#include "simulators/sip_message.hpp"
#include "simulators/sockets.hpp"

namespace jackfield::sim {

/// How far packets came behind the clock of their stream, whose zero is its earliest packet. Steps of a tenth of a millisecond.
class Lateness {
  public:
    static constexpr double step_ms = 0.1;

    /// `position_ms`: where the packet stands in its stream.
    void note(Clock::time_point arrived, double position_ms);
    /// Moves a stream that has ended to the sum of all.
    void add_to(std::vector<std::uint64_t>& sum) const;
    static double percentile(const std::vector<std::uint64_t>& sum, double share);

  private:
    static constexpr int reach = 2500;  // steps on either side of the first packet
    std::vector<std::uint32_t> steps_;
    Clock::time_point first_;
    double first_position_ms_ = 0;
};

struct LoadTotals {
    std::uint64_t placed = 0;
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;
    std::uint64_t ended_by_peer = 0;
    std::map<int, std::uint64_t> failures;  // by status; 0: no answer
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    double longest_gap_ms = 0;
    std::vector<std::uint64_t> late;  // see Lateness
    std::vector<double> setup_ms;
};

/// One of many calls: a state machine without a thread. Its owner reads the sockets and calls it when something is due.
class LoadCall {
  public:
    LoadCall(const Fd& sip, Endpoint server, std::string uri, const std::string& speech, LoadTotals& totals);
    ~LoadCall() { lateness_.add_to(totals_.late); }
    LoadCall(const LoadCall&) = delete;

    void start(Clock::time_point now, Clock::duration hold);
    void on_response(const SipMessage& response, Clock::time_point now);
    void on_request(const SipMessage& request, Endpoint from);
    void on_media();
    void on_due(Clock::time_point now);

    Clock::time_point due() const { return due_; }
    bool done() const { return stage_ == Stage::done; }
    int media_fd() const { return media_.get(); }
    const std::string& id() const { return call_id_; }

  private:
    enum class Stage { inviting, talking, leaving, done };

    SipMessage request(std::string method, std::uint32_t cseq, std::string branch) const;
    void send(const std::string& text);
    void repeat(Clock::time_point now);
    void fail(int status);
    void acknowledge(const SipMessage& response);
    void leave(Clock::time_point now);
    void send_packet();

    const Fd& sip_;
    Endpoint server_;
    std::string uri_;
    const std::string& speech_;  // mu-law, played in a circle
    LoadTotals& totals_;
    Fd media_;
    Endpoint far_media_;
    Stage stage_ = Stage::inviting;
    std::string call_id_ = random_token(24);
    std::string tag_ = random_token(10);
    std::string invite_branch_ = "z9hG4bK" + random_token(16);
    std::string to_;
    std::string target_;
    std::string pending_;  // the request that waits for an answer
    bool provisional_ = false;
    Clock::time_point began_;
    Clock::time_point due_;
    Clock::time_point give_up_;
    Clock::duration interval_{};
    Clock::duration hold_{};
    Clock::time_point leave_at_;
    std::size_t at_ = 0;
    std::uint16_t sequence_ = 0;
    std::uint32_t timestamp_ = 0;
    std::optional<std::uint16_t> last_heard_;
    Clock::time_point last_heard_at_;
    std::uint32_t heard_timestamp_ = 0;
    std::int64_t heard_position_ = 0;  // in samples, across the timestamp's wraps
    Lateness lateness_;
};

}  // namespace jackfield::sim
