#pragma once

// G.722 on the wire, mu-law at 8 kHz towards the host: the library's 8 kHz mode works on the lower
// sub-band alone, so this is narrowband inside. It is here for far ends that have nothing else.

#include <cstdint>
#include <memory>
#include <span>

struct g722_encode_state_s;
struct g722_decode_state_s;

namespace jackfield::sip {

class G722 {
  public:
    /// False: there is no memory for it.
    bool start();

    /// One octet for each mu-law sample; `out` is as long as `codes`.
    void encode(std::span<const std::uint8_t> codes, std::uint8_t* out);
    void decode(std::span<const std::uint8_t> octets, std::uint8_t* codes);

  private:
    struct Free {
        void operator()(g722_encode_state_s* state) const;
        void operator()(g722_decode_state_s* state) const;
    };
    std::unique_ptr<g722_encode_state_s, Free> encoder_;
    std::unique_ptr<g722_decode_state_s, Free> decoder_;
};

}  // namespace jackfield::sip
