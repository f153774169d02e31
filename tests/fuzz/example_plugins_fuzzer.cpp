// What example plugins read from outside: a carrier's datagrams and addresses, a messenger's files.

#include "../../plugins/messaging/example/folder.hpp"
#include "../../plugins/telephony/example/wire.hpp"
#include "base/assert.hpp"

#include <cstdint>
#include <string>
#include <string_view>

using namespace jackfield;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto packet = telephony_example::read_packet(bytes)) {
        std::string again(9 + packet->rest.size(), 0);
        again.resize(telephony_example::write_packet(again.data(), packet->type, packet->call, packet->rest));
        JF_ASSERT(again == bytes, "a datagram that was read is written as it was");
    }
    if (const auto address = telephony_example::read_address(bytes)) {
        const std::string again = telephony_example::text_of(address->endpoint) + "/" + address->who;
        JF_ASSERT(telephony_example::read_address(again).has_value(), "an address that was read can be written");
    }
    const messaging_example::Letter letter = messaging_example::read_letter(bytes);
    const messaging_example::Letter again = messaging_example::read_letter(messaging_example::write_letter(letter));
    JF_ASSERT(again.text == letter.text, "a letter's text survives");
    static_cast<void>(messaging_example::is_plain_name(bytes));
    return 0;
}
