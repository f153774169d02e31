#pragma once

// SIP messages as an operator may see them: what authenticates or decrypts is masked before a
// message leaves the plugin. Pure.

#include <string>
#include <string_view>

namespace jackfield::sip {

/// The message with everything secret in it as "***": credentials (RFC 3261 22.4), passwords in
/// URIs, SDES keys (RFC 4568), keys pressed (INFO, application/dtmf-relay). At most
/// `longest_traced` bytes of it.
std::string masked(std::string_view message);
constexpr std::size_t longest_traced = 8000;

/// The value of its Call-ID, empty when there is none.
std::string_view call_id_of(std::string_view message);

}  // namespace jackfield::sip
