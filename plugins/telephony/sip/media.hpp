#pragma once

// A leg's media: its sockets (ops of the host's `net` facility, children of the leg's), what comes
// in on them and what goes out. All of it on the leg's strand; the per-packet path allocates
// nothing and takes no lock.

#include "config.hpp"
#include "dtmf.hpp"
#include "g722.hpp"
#include "packetizer.hpp"
#include "rtcp.hpp"
#include "rtp.hpp"
#include "sdp.hpp"
#include "srtp.hpp"

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telephony.h>

#include <functional>
#include <memory>

namespace jackfield::sip {

class Media {
  public:
    explicit Media(sdk::Host host);

    /// Binds the socket, and one for RTCP above it unless `rtcp_mux` says that none is needed.
    /// `lost` runs when the host ends the socket's op without close(), as it does with the leg's;
    /// what it holds lives until the op has ended. QUOTA: no port of the range is free.
    jf_status open(jf_op leg,
                   const jf_endpoint& bind,
                   const Options& options,
                   bool rtcp_mux,
                   const std::function<void()>& lost);
    /// Says goodbye on RTCP and gives the sockets back.
    void close();
    std::uint16_t port() const { return local_.port; }
    /// 0: RTCP comes where RTP does, or not at all.
    std::uint16_t rtcp_port() const { return rtcp_local_.port; }

    /// What signalling settled; also the second time.
    void agree(const Agreement& agreement);
    const std::optional<Agreement>& agreement() const { return agreement_; }
    /// From now on what arrives is reported. Before, it only teaches the latch.
    void go_live() { live_ = true; }
    jf_format format() const;

    jf_status send(const jf_frame& frame);
    /// False when a digit isn't one, or the far end takes none.
    bool add_keys(std::string_view digits);
    /// Every DtmfSender::tick_ms while it returns true.
    bool send_key_tick();
    void report_key(KeyPress key) const;
    /// A key whose end was lost, with no audio after it.
    void end_lost_key();
    void report_quality() const;
    /// When the next RTCP report is due; 0: none before there is an agreement.
    std::uint64_t rtcp_due_ns() const { return agreement_ && live_ ? rtcp_.due_ns() : 0; }
    void send_rtcp(bool goodbye = false);

    /// When the far end's last packet came, 0 for never.
    std::uint64_t last_packet_ns() const { return last_packet_ns_; }
    std::uint64_t packets_out() const { return packets_out_; }
    RtpStatistics statistics() const { return receiver_.statistics(); }

  private:
    struct Socket;
    struct Bound {
        jf_op op = JF_NO_OP;
        jf_endpoint local{};
    };
    jf_status bind(const jf_udp_open& wanted, const std::function<void()>& lost, Bound& out);
    void close_socket(jf_op& op);
    void on_datagram(jf_op op, const jf_datagram& datagram);
    void on_rtcp(const jf_endpoint& from,
                 std::span<const std::uint8_t> bytes,
                 std::uint64_t now_ns);
    jf_endpoint rtcp_target() const;
    bool g722() const { return agreement_ && agreement_->codec == JF_CODEC_G722; }
    void on_rtp(const jf_endpoint& from, std::span<const std::uint8_t> bytes, std::uint64_t now_ns);
    void on_audio(const RtpPacket& packet, std::uint64_t now_ns);
    bool opened(Srtp::Verdict verdict) const;
    void count(std::string_view name) const;
    jf_status transmit(std::uint8_t payload_type,
                       bool marker,
                       std::uint32_t timestamp,
                       std::span<const std::uint8_t> payload,
                       std::uint64_t now_ns);

    sdk::Host host_;
    const jf_host_net_v1* net_;
    const jf_host_metrics_v1* metrics_;
    jf_op leg_ = JF_NO_OP;
    jf_op socket_ = JF_NO_OP;
    jf_op rtcp_socket_ = JF_NO_OP;
    jf_endpoint local_{};
    jf_endpoint rtcp_local_{};
    jf_endpoint rtcp_from_{};  // where the far end's RTCP was seen to come from
    bool live_ = false;
    std::optional<Agreement> agreement_;
    SourceLatch latch_;
    bool protected_ = false;  // by srtp_, whether it works or not
    Srtp srtp_;
    RtpReceiver receiver_;
    RtpSender sender_;
    RtcpSession rtcp_;
    Packetizer packetizer_;
    G722 g722_;
    DtmfReceiver keys_in_;
    DtmfSender keys_out_;
    std::uint32_t key_timestamp_ = 0;
    std::uint64_t last_packet_ns_ = 0;
    std::uint64_t packets_out_ = 0;
};

}  // namespace jackfield::sip
