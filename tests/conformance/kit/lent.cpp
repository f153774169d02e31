#include "conformance/kit/lent.hpp"

#include <sys/mman.h>

#include <new>
#include <stdexcept>

namespace jackfield::conformance {

Lent::Lent(std::size_t bytes) : size_(bytes) {
    void* const mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(mapped);
}

const void* Lent::put(const void* from, std::size_t bytes) {
    const std::size_t at = (used_ + 15) / 16 * 16;
    if (bytes > size_ || at > size_ - bytes) throw std::length_error("the kit lends more than it has");
    if (bytes) std::memcpy(memory_ + at, from, bytes);
    used_ = at + bytes;
    return memory_ + at;
}

jf_str Lent::text(std::string_view text) { return {static_cast<const char*>(put(text.data(), text.size())), text.size()}; }

void Lent::take_back() { ::mprotect(memory_, size_, PROT_NONE); }

}  // namespace jackfield::conformance
