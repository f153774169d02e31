#pragma once

// The instance's options as a typed struct.

#include "address.hpp"
#include "sdp.hpp"
#include "trunk_config.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <string>
#include <vector>

namespace jackfield::sip {

enum class Transport { udp, tcp, tls };
constexpr const char* transport_name(Transport transport) {
    return transport == Transport::tls ? "tls" : transport == Transport::tcp ? "tcp" : "udp";
}

struct Listen {
    Transport transport = Transport::udp;
    jf_endpoint address{};
};

struct Options {
    std::vector<Listen> listen;
    std::optional<jf_endpoint> public_address;  // port unused
    std::uint16_t rtp_first = 0;
    std::uint16_t rtp_last = 0;  // 0 and 0: any port
    std::string from;            // "sip:user@host"
    std::string outbound_proxy;  // "sip:host:port;transport=tcp", may be empty
    std::string username;
    std::string password;
    std::string user_agent;
    std::string tls_certificate;  // files, PEM
    std::string tls_key;
    std::string tls_ca;
    bool tls_verify_server = true;
    bool tls_verify_client = false;
    bool symmetric_signalling = false;
    std::uint32_t session_expires_s = 1800;  // 0: we ask for no session timer
    std::uint32_t session_min_se_s = 90;
    std::vector<std::uint16_t> codecs;  // JF_CODEC_*, best first
    SrtpMode srtp = SrtpMode::off;
    bool srtp_over_cleartext = false;
    std::uint32_t dscp = 46;
    std::uint32_t max_calls = 0;
    std::vector<Network> allow;
    TrunkOptions trunk;

    /// Throws sdk::Failure, which names the key and what would be right.
    static Options from_config(const sdk::Config& config);
};

}  // namespace jackfield::sip
