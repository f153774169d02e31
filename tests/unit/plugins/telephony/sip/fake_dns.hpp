#pragma once

// A name server on loopback that knows what it is told.

#include "raw_phone.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace jackfield::test {

class FakeDns {
  public:
    std::string address() const { return port_.address(); }

    void add_address(const std::string& name);  // 127.0.0.1
    void add_srv(const std::string& name,
                 std::uint16_t priority,
                 std::uint16_t weight,
                 std::uint16_t port,
                 const std::string& target);
    void add_naptr(const std::string& name,
                   const std::string& service,
                   const std::string& replacement);

    /// Answers what waits.
    void serve();
    std::vector<std::string> asked;  // "33 _sip._udp.example.test"

  private:
    struct Record {
        std::uint16_t type;
        std::string data;
    };
    UdpPort port_;
    std::multimap<std::string, Record> records_;
};

}  // namespace jackfield::test
