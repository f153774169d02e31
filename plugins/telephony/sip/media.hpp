#pragma once

// A leg's media: its socket (an op of the host's `net` facility, child of the leg's), what comes in
// on it and what goes out. All of it on the leg's strand; the per-packet path allocates nothing and
// takes no lock.

#include "config.hpp"
#include "dtmf.hpp"
#include "rtp.hpp"
#include "sdp.hpp"

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include <functional>
#include <memory>

namespace jackfield::sip {

class Media {
  public:
    explicit Media(sdk::Host host);

    /// Binds the socket. `lost` runs when the host ends the socket's op without close(), as it does
    /// with the leg's; what it holds lives until the op has ended. QUOTA: no port of the range is
    /// free.
    jf_status open(jf_op leg,
                   const jf_endpoint& bind,
                   const Options& options,
                   std::function<void()> lost);
    void close();
    std::uint16_t port() const { return local_.port; }

    /// What signalling settled; also the second time.
    void agree(const Agreement& agreement);
    const std::optional<Agreement>& agreement() const { return agreement_; }
    /// From now on what arrives is reported. Before, it only teaches the latch.
    void go_live() { live_ = true; }
    jf_format format() const;

    void on_datagram(const jf_datagram& datagram);
    jf_status send(const jf_frame& frame);
    /// False when a digit isn't one, or the far end takes none.
    bool add_keys(std::string_view digits);
    /// Every DtmfSender::tick_ms while it returns true.
    bool send_key_tick();
    void report_key(KeyPress key) const;
    /// A key whose end was lost, with no audio after it.
    void end_lost_key();
    void report_quality() const;

    /// When the far end's last packet came, 0 for never.
    std::uint64_t last_packet_ns() const { return last_packet_ns_; }
    std::uint64_t packets_out() const { return packets_out_; }
    RtpStatistics statistics() const { return receiver_.statistics(); }

  private:
    struct Socket;
    void on_audio(const RtpPacket& packet, std::uint64_t now_ns);
    void count(std::string_view name) const;
    jf_status transmit(std::uint8_t payload_type,
                       bool marker,
                       std::uint32_t timestamp,
                       std::span<const std::uint8_t> payload);

    sdk::Host host_;
    const jf_host_net_v1* net_;
    const jf_host_metrics_v1* metrics_;
    jf_op leg_ = JF_NO_OP;
    jf_op socket_ = JF_NO_OP;
    jf_endpoint local_{};
    bool live_ = false;
    std::optional<Agreement> agreement_;
    SourceLatch latch_;
    RtpReceiver receiver_;
    RtpSender sender_;
    DtmfReceiver keys_in_;
    DtmfSender keys_out_;
    std::uint32_t key_timestamp_ = 0;
    std::uint64_t last_packet_ns_ = 0;
    std::uint64_t packets_out_ = 0;
};

}  // namespace jackfield::sip
