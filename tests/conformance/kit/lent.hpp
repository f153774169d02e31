#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include <jackfield/base.h>

namespace jackfield::conformance {

/// Memory that is lent to a plugin and taken back: from then on whoever reads it crashes, where memory that was only written over or freed would give
/// him something to go on with, and the kit nothing to see. Never unmapped, so that nothing else comes to lie there.
class Lent {
  public:
    explicit Lent(std::size_t bytes = 64 * 1024);
    Lent(const Lent&) = delete;

    jf_str text(std::string_view text);
    jf_str text(jf_str given) { return text(std::string_view(given.ptr, given.len)); }
    template <typename T>
    const T* copy(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return static_cast<const T*>(put(&value, sizeof value));
    }
    template <typename T>
    jf_array array(const std::vector<T>& values) {
        static_assert(std::is_trivially_copyable_v<T>);
        return {put(values.data(), values.size() * sizeof(T)), static_cast<std::uint32_t>(values.size()), sizeof(T)};
    }
    void take_back();

  private:
    const void* put(const void* from, std::size_t bytes);
    std::byte* memory_;
    std::size_t size_, used_ = 0;
};

}  // namespace jackfield::conformance
