#pragma once

// What neither the SIP library nor the host's facilities do with sockets. None of it blocks.

#include <jackfield/host.h>

#include <string_view>
#include <vector>

namespace jackfield::sip {

/// Whether `address` could be bound, 0 or an errno; a port of 0 becomes one that is free at the
/// moment.
int free_port(bool tcp, jf_endpoint& address);
/// The address that this machine would send from, to reach `remote`; sends nothing. Any-address
/// when there is no route.
jf_endpoint source_address_towards(const jf_endpoint& remote);
/// The address that this machine has towards the world; loopback when it has no way there.
jf_endpoint primary_address(std::uint16_t family);
/// Puts a socket that is bound to `any` and its port in the place of the UDP socket `fd`, which is
/// bound to one address and that port. 0 or an errno.
int widen(int fd, const jf_endpoint& any);
/// The addresses of this machine's interfaces that are up.
std::vector<jf_endpoint> interface_addresses(std::uint16_t family);
/// One datagram from a port of its own.
void send_datagram(const jf_endpoint& to, std::string_view text);

}  // namespace jackfield::sip
