#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sim {

/// A SIP request or response (RFC 3261), kept as lines: a test peer must also be able to say what is wrong.
struct SipMessage {
    struct Header {
        std::string name;
        std::string value;
    };

    std::string method;  // empty for a response
    std::string uri;
    int status = 0;
    std::string reason;
    std::vector<Header> headers;
    std::string body;

    bool is_request() const { return !method.empty(); }
    /// The first header of that name, full or compact, in any case; empty when there is none.
    std::string get(std::string_view name) const;
    std::vector<std::string> all(std::string_view name) const;
    void add(std::string name, std::string value) { headers.push_back({std::move(name), std::move(value)}); }
    /// The message with a right Content-Length.
    std::string wire() const;

    std::uint32_t cseq_number() const;
    std::string cseq_method() const;
    std::string branch() const;
};

std::optional<SipMessage> parse_sip(std::string_view text);

/// Cuts a TCP stream into messages by Content-Length; lone CRLFs (keep-alive) vanish.
class SipFramer {
  public:
    std::vector<std::string> feed(std::string_view bytes);

  private:
    std::string pending_;
};

/// `tag` of `<sip:a@b>;tag=x`: parameters after the address, empty when absent.
std::string header_parameter(std::string_view value, std::string_view name);
/// The address inside `"A" <sip:a@b>;tag=x`.
std::string address_uri(std::string_view value);

struct SipUri {
    std::string user;
    std::string host;
    std::uint16_t port = 5060;
    bool tcp = false;  // ;transport=tcp
};
std::optional<SipUri> parse_sip_uri(std::string_view text);

bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Random hexadecimal digits for tags, branches and call ids.
std::string random_token(int digits);

}  // namespace jackfield::sim
