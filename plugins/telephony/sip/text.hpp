#pragma once

// Text from outside, made fit for logs, records and headers. Pure.

#include <jackfield/host.h>

#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

/// UTF-8 with everything else, and all control characters, turned into '?'; at most 256 bytes.
std::string printable(std::string_view text);
std::string lower(std::string text);
/// "sips:a@b" as "sip:a@b;transport=tls", which is what it means to us (RFC 5630 deprecates the rest of it) and what the library
/// can send to; anything else as it is.
std::string over_tls(std::string uri);
/// Without one pair of double quotes around it.
std::string unquoted(std::string_view text);
/// Visible ASCII without blanks: what a Call-ID may be made of.
bool is_token(std::string_view text);
/// Digits, perhaps with a '+' in front.
bool is_number(std::string_view text);
/// As the user part of a SIP URI (RFC 3261 25.1: user).
std::string escaped_user(std::string_view user);
/// The host of a SIP URI when it is a numeric address, with its port (5060 when there is none).
std::optional<jf_endpoint> host_of_uri(std::string_view uri);
/// The host part of a SIP URI with its port and parameters: what follows the '@', or "sip:".
std::string_view domain_of_uri(std::string_view uri);

}  // namespace jackfield::sip
