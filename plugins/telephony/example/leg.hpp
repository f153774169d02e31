#pragma once

#include <deque>
#include <string>

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include "wire.hpp"

namespace jackfield::telephony_example {

class Carrier;

/// One call. All of it runs on its op's strand, so it needs no lock; its socket is bound there, since a socket belongs to one strand.
class Leg final : public sdk::OpUser {
  public:
    Leg(Carrier& carrier, sdk::Host host, jf_op op, std::uint64_t call, jf_endpoint peer, bool incoming)
        : carrier_(carrier), host_(host), op_(op), call_(call), peer_(peer), incoming_(incoming) {}

    std::string dialled_as; ///< which call the host dialled, where it says; set before anybody finds the leg

    jf_op op() const { return op_; }
    std::uint64_t call() const { return call_; }

    /// Throws sdk::Failure when it has no socket.
    void dial(std::string_view to, std::string_view from, std::uint32_t ring_timeout_ms, const jf_answer& media);
    jf_status answer(const jf_answer& options);
    jf_status control(const jf_telephony_control& control);
    jf_status media_out(const jf_frame& frame);
    void hang_up(std::uint32_t cause);
    /// The far end has ended it, through the port that listens.
    void end_by_far_end(std::uint32_t cause) { end(cause, JF_ENDED_BY_FAR_END); }

    // The socket's.
    void on_event(jf_op socket, const jf_event& event) override;
    void on_done(jf_op socket, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    /// What the host did not take waits, and is tried again: only MEDIA may be lost.
    struct Unsent {
        std::uint32_t type; ///< JF_EV_RINGING, _ANSWERED, _DTMF
        std::uint32_t digit;
    };

    void open_socket();
    jf_status send(char type, std::string_view rest = {});
    void take(const Packet& packet);
    void take_media(const Packet& packet);
    void answered();
    void report(std::uint32_t type, std::uint32_t digit = 0);
    jf_status emit(const Unsent& event);
    void flush();
    jf_status press(std::string_view keys);
    void send_keys();
    void watch();
    void end(std::uint32_t cause, std::uint32_t by);

    Carrier& carrier_;
    const sdk::Host host_;
    const jf_op op_;
    const std::uint64_t call_;
    jf_endpoint peer_;
    const bool incoming_;
    const jf_host_net_v1* net_ = nullptr;
    jf_op socket_ = JF_NO_OP;
    std::deque<Unsent> unsent_;
    std::deque<char> keys_; ///< still to be sent
    bool trying_ = false;   ///< a timer is on its way to flush()
    bool pausing_ = false;  ///< likewise to send_keys()
    bool answered_ = false;
    bool over_ = false;
    std::uint64_t began_ns_ = 0;      ///< since when it rings, then since when there is media
    std::uint64_t heard_ns_ = 0;      ///< when the last media came
    std::uint32_t ring_timeout_ms_ = 0;
    jf_answer media_{};
    std::uint64_t pts_ = 0;
    std::uint64_t packets_in_ = 0;
    std::uint64_t packets_out_ = 0;
};

}  // namespace jackfield::telephony_example
