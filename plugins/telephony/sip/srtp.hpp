#pragma once

// SRTP and SRTCP (RFC 3711) for one stream in each direction. libsrtp2 does the work, not libre's
// own srtp: that one moves its roll-over counter and its table of sources before it has
// authenticated a packet, so a single forged datagram silences a call.

#include "sdes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

struct srtp_ctx_t_;

namespace jackfield::sip {

class Srtp {
  public:
    /// The longest trailer that protection adds: an SRTCP index and an 80 bit tag.
    static constexpr std::size_t most_trailer = 14;
    /// After a change of the far end's key its old packets are taken for this long: they were on
    /// the way.
    static constexpr std::uint64_t grace_ns = 2'000'000'000;

    /// First keys or new ones. A direction whose key stays keeps its state: counters that began
    /// anew under an old key would repeat its key stream. False: the library refused.
    bool set(const SrtpKeys& keys, std::uint64_t now_ns);

    enum class Verdict { fresh, replayed, forged };
    /// In place; on `fresh`, `size` becomes that of the plain packet.
    Verdict open_rtp(std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns);
    Verdict open_rtcp(std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns);
    /// In place, with most_trailer bytes of room behind the packet.
    bool seal_rtp(std::uint8_t* packet, std::size_t& size);
    bool seal_rtcp(std::uint8_t* packet, std::size_t& size);

  private:
    struct Close {
        void operator()(srtp_ctx_t_* context) const;
    };
    using Context = std::unique_ptr<srtp_ctx_t_, Close>;
    static Context make(SrtpSuite suite, const MasterKey& key, bool inbound);
    template <typename Open>
    Verdict open(Open one, std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns);

    std::optional<SrtpKeys> keys_;
    Context in_;
    Context in_before_;
    std::uint64_t in_before_until_ns_ = 0;
    Context out_;
};

}  // namespace jackfield::sip
