#pragma once

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "caller.hpp"
#include "ear.hpp"
#include "network.hpp"
#include "script.hpp"
#include "simulators/plugins/random.hpp"

namespace jackfield::telephony_sim {

class Carrier;

/// One call on one line. Everything on the leg's strand. Its timer is a child of the leg's op, so it stops with the leg; the object goes
/// when both are gone.
class Leg final : public sdk::OpUser {
  public:
    Leg(Carrier& carrier, unsigned line, jf_op op, std::uint64_t seed, bool outgoing);
    /// A call that is written down. What was heard and done in it is logged as `sim.leg` when it ends.
    Leg(Carrier& carrier, jf_op op, Script script);

    /// Somebody's telephone rings: ours (an outgoing leg answers, is busy or stays away), or the host's.
    void begin();
    jf_status answer(const jf_answer& options);
    jf_status media_out(const jf_frame& frame);
    /// `other`: the leg whose far end takes this one's over; JF_NO_OP: whoever was named does.
    jf_status transfer(jf_op other);
    /// The far end takes its time to say yes.
    void hang_up(std::uint32_t cause);
    /// Completes the leg, once.
    void end(std::uint32_t cause, std::uint32_t by, jf_status status = JF_OK);
    void set_watchdogs(const jf_answer& options);

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

    jf_op op() const { return op_; }
    unsigned line() const { return line_; }
    bool ended() const { return ended_; }
    bool timer_runs() const { return timer_ != JF_NO_OP; }

  private:
    void start_timer(std::uint64_t delay_ns);
    void connect();
    void tick();
    void carry_out(const Step& step);
    bool move_over();
    void go_wrong(LineFault fault, unsigned for_packets);
    void say_nonsense();
    void send(sim::Sound sound);
    void deliver(const Voice& packet);
    void note_sound(const jf_frame& frame);
    void note(const char* what, std::string_view detail = {});
    void report();
    std::uint64_t since_answer_ms() const;

    Carrier& carrier_;
    unsigned line_;
    jf_op op_;
    sim::Random random_;
    std::optional<Script> script_;
    Caller caller_;
    Network network_;
    Ear ear_;
    bool outgoing_;
    bool answered_ = false;
    bool ended_ = false;
    bool vanished_ = false;
    bool transferred_ = false;
    jf_op other_ = JF_NO_OP;   ///< to whose far end this one is going
    unsigned moves_in_ = 0;    ///< packets
    std::uint64_t manner_ = 0; ///< of moving
    LineFault fault_ = LineFault::none;
    unsigned blocked_ = 0;     ///< packets of the agent's that are still to be refused
    bool hanging_up_ = false;
    std::uint32_t cause_ = 0;
    unsigned ticks_left_ = 0; ///< of a leg that is being hung up
    bool agent_audible_ = false;
    jf_op timer_ = JF_NO_OP;
    std::uint64_t due_ns_ = 0;
    std::uint64_t pts_ = 0;
    std::uint64_t quiet_ns_ = 0; ///< since it vanished
    std::uint64_t watchdog_ns_ = 15'000'000'000;
    std::uint64_t answered_ns_ = 0;
    std::string notes_; ///< "ms what detail;" of a written call
    std::string sounded_; ///< "from to;" of whatever the agent's side was sounding, words or not
    std::uint64_t sounding_from_ms_ = 0;
    std::uint64_t sounding_to_ms_ = 0;
    std::uint64_t voiced_from_ms_ = 0; ///< of the caller's stretch that is arriving
    std::uint64_t voiced_to_ms_ = 0;
    bool held_ = false;
    std::uint64_t packets_in_ = 0;
    std::uint64_t packets_out_ = 0;
};

}  // namespace jackfield::telephony_sim
