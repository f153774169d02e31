// SIP messages from anybody, before an operator sees them: whatever stands in front of a secret, it must not survive.

#include "plugins/telephony/sip/trace.hpp"

#include <cstdint>
#include <cstdlib>

using namespace jackfield::sip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string once = masked(text);
    if (once.size() > longest_traced) std::abort();
    // Nothing is left to mask, unless the cut went through a line.
    if (once.size() < longest_traced && masked(once) != once) std::abort();
    if (call_id_of(text).find('\n') != std::string_view::npos) std::abort();

    if (size > 2048) return 0;
    const std::string start = "INVITE sip:a@b SIP/2.0\r\n";
    // A line of outside bytes, without an end of its own, then the secret in a line of its own.
    std::string noise;
    for (const char c : text)
        if (c != '\r' && c != '\n') noise += c;
    if (noise.empty() || noise.find("planted") != std::string::npos) return 0;
    if (masked(start + "X" + noise + "\r\nAuthorization: Digest planted\r\n").find("planted") != std::string::npos) std::abort();
    if (masked(start + "\r\nX" + noise + "\r\na=crypto:1 X inline:planted\r\n").find("planted") != std::string::npos) std::abort();
    return 0;
}
