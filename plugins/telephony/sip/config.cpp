#include "config.hpp"

#include "text.hpp"

#include <algorithm>
#include <charconv>

namespace jackfield::sip {
namespace {

[[noreturn]] void wrong(std::string_view key, std::string_view value, std::string_view right) {
    throw sdk::Failure(
        JF_E_INVALID,
        std::string(key) + " = \"" + std::string(value) + "\": " + std::string(right));
}

Listen parse_listen(std::string_view text) {
    Listen out;
    if (text.starts_with("tcp:"))
        out.transport = Transport::tcp;
    else if (text.starts_with("tls:"))
        out.transport = Transport::tls;
    else if (!text.starts_with("udp:"))
        wrong("listen", text, "write \"udp:ADDRESS:PORT\", \"tcp:ADDRESS:PORT\" or \"tls:ADDRESS:PORT\"");
    const std::optional<jf_endpoint> address = parse_endpoint(text.substr(4));
    if (!address)
        wrong("listen",
              text,
              "the address is numeric, as in \"udp:0.0.0.0:5060\" or \"udp:[::]:5060\"");
    out.address = *address;
    return out;
}

void parse_ports(const std::string& text, Options& out) {
    const std::size_t dash = text.find('-');
    const std::string first = text.substr(0, dash);
    const std::string last = dash == std::string::npos ? first : text.substr(dash + 1);
    const auto read = [](const std::string& digits, std::uint16_t& port) {
        const auto [end, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        return problem == std::errc() && end == digits.data() + digits.size();
    };
    if (!read(first, out.rtp_first) || !read(last, out.rtp_last) || out.rtp_first > out.rtp_last)
        wrong("rtp_ports", text, "write \"16384-32767\", or \"0\" for any port");
    if (out.rtp_first != 0 && out.rtp_first == out.rtp_last && out.rtp_first % 2 != 0)
        wrong("rtp_ports", text, "the range holds no even port");
}

std::vector<std::uint16_t> parse_codecs(const std::vector<std::string>& names) {
    std::vector<std::uint16_t> out;
    for (const std::string& name : names) {
        const std::uint16_t codec = name == "PCMU"   ? JF_CODEC_PCMU
                                    : name == "PCMA" ? JF_CODEC_PCMA
                                    : name == "G722" ? JF_CODEC_G722
                                                     : 0;
        if (codec == 0) wrong("codecs", name, "write \"PCMU\", \"PCMA\" or \"G722\"");
        if (std::find(out.begin(), out.end(), codec) == out.end()) out.push_back(codec);
    }
    if (out.empty()) return {JF_CODEC_PCMU, JF_CODEC_PCMA, JF_CODEC_G722};
    return out;
}

SrtpMode parse_srtp(const std::string& text) {
    if (text == "off") return SrtpMode::off;
    if (text == "optional") return SrtpMode::optional;
    if (text == "required") return SrtpMode::required;
    wrong("srtp", text, "write \"off\", \"optional\" or \"required\"");
}

/// Header text that we write ourselves: what could end a header or a bracket has no place in it.
void check_header_text(std::string_view key, const std::string& text) {
    for (const char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '"')
            wrong(key, text, "control characters, quotes and angle brackets are not allowed");
}

}  // namespace

Options Options::from_config(const sdk::Config& config) {
    Options out;
    for (const std::string& text : config.list("listen")) out.listen.push_back(parse_listen(text));
    if (out.listen.empty())
        wrong("listen", "", "name at least one address, as in [\"udp:0.0.0.0:5060\"]");
    if (const std::string text = config.text("public_address"); !text.empty()) {
        out.public_address = parse_address(text);
        if (!out.public_address)
            wrong("public_address", text, "write a numeric address, as in \"203.0.113.5\"");
    }
    parse_ports(config.text("rtp_ports", "16384-32767"), out);
    out.from = config.text("from");
    out.outbound_proxy = over_tls(config.text("outbound_proxy"));
    out.username = config.text("username");
    out.password = config.text("password");
    out.user_agent = config.text("user_agent", "Jackfield");
    out.tls_certificate = config.text("tls_certificate");
    out.tls_key = config.text("tls_key");
    out.tls_ca = config.text("tls_ca");
    out.tls_verify_server = config.flag("tls_verify_server", true);
    out.tls_verify_client = config.flag("tls_verify_client");
    out.symmetric_signalling = config.flag("symmetric_signalling");
    out.session_expires_s = static_cast<std::uint32_t>(config.integer("session_expires_s", 1800));
    out.session_min_se_s = static_cast<std::uint32_t>(config.integer("session_min_se_s", 90));
    if (out.session_expires_s != 0 && out.session_expires_s < out.session_min_se_s)
        wrong("session_expires_s", std::to_string(out.session_expires_s), "write 0, or at least what `session_min_se_s` says");
    out.codecs = parse_codecs(config.list("codecs"));
    out.srtp = parse_srtp(config.text("srtp", "off"));
    out.srtp_over_cleartext = config.flag("srtp_over_cleartext");
    out.dscp = static_cast<std::uint32_t>(config.integer("dscp", 46));
    out.max_calls = static_cast<std::uint32_t>(config.integer("max_calls", 1000));
    for (const std::string& text : config.list("allow")) {
        const std::optional<Network> network = Network::parse(text);
        if (!network) wrong("allow", text, "write a network, as in \"192.0.2.0/24\"");
        out.allow.push_back(*network);
    }
    check_header_text("from", out.from);
    check_header_text("outbound_proxy", out.outbound_proxy);
    check_header_text("user_agent", out.user_agent);
    if (!out.from.empty() && !out.from.starts_with("sip:"))
        wrong("from", out.from, "write a SIP URI, as in \"sip:desk@example.com\"");
    if (!out.outbound_proxy.empty() && !out.outbound_proxy.starts_with("sip:"))
        wrong("outbound_proxy",
              out.outbound_proxy,
              "write a SIP URI, as in \"sip:192.0.2.7:5060;transport=tcp\"");
    out.trunk = TrunkOptions::from_config(config);
    return out;
}

}  // namespace jackfield::sip
