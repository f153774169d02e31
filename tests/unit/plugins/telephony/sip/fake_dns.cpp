#include "fake_dns.hpp"

namespace jackfield::test {
namespace {

std::string number(std::uint16_t value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string encoded(const std::string& name) {
    std::string out;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        out += static_cast<char>(dot - at);
        out += name.substr(at, dot - at);
        at = dot + 1;
    }
    return out + '\0';
}

std::string counted(const std::string& text) {
    return static_cast<char>(text.size()) + text;
}

}  // namespace

void FakeDns::add_address(const std::string& name) {
    records_.emplace(name, Record{1, std::string("\x7f\0\0\x01", 4)});
}

void FakeDns::add_srv(const std::string& name,
                      std::uint16_t priority,
                      std::uint16_t weight,
                      std::uint16_t port,
                      const std::string& target) {
    records_.emplace(
        name, Record{33, number(priority) + number(weight) + number(port) + encoded(target)});
}

void FakeDns::add_naptr(const std::string& name,
                        const std::string& service,
                        const std::string& replacement) {
    records_.emplace(name,
                     Record{35,
                            number(10) + number(10) + counted("s") + counted(service) +
                                counted("") + encoded(replacement)});
}

void FakeDns::serve() {
    while (const auto query = port_.receive()) {
        const std::string& bytes = query->bytes;
        std::string name;
        std::size_t at = 12;
        while (at < bytes.size() && bytes[at] != 0) {
            const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
            name += (name.empty() ? "" : ".") + bytes.substr(at + 1, size);
            at += size + 1;
        }
        if (at + 5 > bytes.size()) continue;
        const auto type =
            static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at + 1]) << 8 |
                                       static_cast<unsigned char>(bytes[at + 2]));
        asked.push_back(std::to_string(type) + " " + name);
        std::string answers;
        std::uint16_t count = 0;
        const auto [first, last] = records_.equal_range(name);
        for (auto it = first; it != last; ++it) {
            if (it->second.type != type) continue;
            answers += std::string("\xc0\x0c", 2) + number(type) + number(1) +
                       std::string("\0\0\0\x3c", 4) +
                       number(static_cast<std::uint16_t>(it->second.data.size())) + it->second.data;
            ++count;
        }
        port_.send(query->from,
                   bytes.substr(0, 2) + std::string("\x81\x80", 2) + number(1) + number(count) +
                       number(0) + number(0) + bytes.substr(12, at + 5 - 12) + answers);
    }
}

}  // namespace jackfield::test
