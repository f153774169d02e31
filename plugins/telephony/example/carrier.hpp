#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include "leg.hpp"
#include "wire.hpp"

namespace jackfield::telephony_example {

/// The instance: the port that listens, and the legs. Legs run on strands of their own, so what they share is guarded by one lock.
class Carrier final : public sdk::OpUser {
  public:
    static std::unique_ptr<Carrier> create(sdk::Host host, const sdk::Config& config);
    Carrier(sdk::Host host, jf_endpoint bind, std::string number) : host_(host), bind_(bind), number_(std::move(number)) {}

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    /// `key`: which call this is, for a host that does not know whether it was dialled; empty where it does not say.
    void dial(jf_op op, const jf_dial& dial, const jf_answer& media, std::string_view key);
    /// null: no leg of ours.
    std::shared_ptr<Leg> leg(jf_op op);
    /// For the media path: neither lock nor allocation. The leg stays while its op is open, and this runs on the op's strand.
    Leg* leg_on_strand(jf_op op) const;
    /// The same address as for listening, any port.
    jf_endpoint bind_address() const;

    // For legs: a leg is kept until it has ended and its socket is done.
    void keep(jf_op op);
    void let_go(jf_op op);
    void ended(jf_op op);

    // The listening socket's.
    void on_event(jf_op socket, const jf_event& event) override;
    void on_done(jf_op socket, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    static constexpr std::size_t most_legs = 64;
    struct Seat {
        std::atomic<jf_op> op{JF_NO_OP};
        std::atomic<Leg*> leg{nullptr};
    };
    struct Kept {
        std::shared_ptr<Leg> leg;
        int holders = 1; ///< the open op, and the socket
    };

    void listen(jf_op start_op);
    void take_call(const Packet& packet, const jf_endpoint& from);
    void take_end(const Packet& packet);
    void sit_down(const std::shared_ptr<Leg>& leg);

    const sdk::Host host_;
    const jf_endpoint bind_;
    const std::string number_;
    jf_op listening_ = JF_NO_OP;
    std::mutex mutex_;
    sdk::Gate gate_; ///< has a lock of its own
    std::map<jf_op, Kept> legs_;
    std::array<Seat, most_legs> seats_;
};

}  // namespace jackfield::telephony_example
