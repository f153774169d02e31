#pragma once

#include <jackfield/jackfield.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace jackfield::plugin_host {

/// Where a struct of the ABI points to: what a deep copy has to follow.
struct Layout;
struct Pointer {
    enum class Kind : std::uint8_t { bytes, array, object };
    Kind kind;
    std::uint16_t offset;         ///< of the jf_str, jf_bytes, jf_array or T* in the struct
    const Layout* element;        ///< array, object
};
struct Layout {
    std::uint32_t size;           ///< of the struct as this host knows it
    bool has_struct_size;
    std::span<const Pointer> pointers;
};

template <typename T>
const Layout& layout_of();

/// The layout of an event's data, null for types without data and for types that this host does not know.
const Layout* layout_of_event(std::uint32_t type);
/// True for types that this host knows, with or without data.
bool is_known_event(std::uint32_t type);

/// Appends a deep copy of `value` to `out`, pointers as offsets from the start of the copy, which is 8-byte aligned in `out`.
/// `value_size` is what the writer's struct has; longer tails are cut, shorter ones zero-filled.
void pack(const Layout& layout, const void* value, std::uint64_t value_size, std::vector<std::byte>& out);

/// Whether this host understands a request that a plugin wrote. Short structs are fine: what is missing is zero. Long ones are fine while their
/// tail is zero; else JF_E_TOO_NEW: the plugin asks for something that this host would silently leave out. JF_E_INVALID: the struct's size can't be
/// true. Follows every pointer of the layout. `value_size` is struct_size or, for arrays, the stride.
jf_status check_request(const Layout& layout, const void* value, std::uint64_t value_size);
/// The same for a struct without pointers that are followed.
jf_status check_tail(std::uint32_t known_size, const void* value, std::uint64_t value_size);

/// A request of a plugin's as a struct of this host's. `given` is not null and begins with struct_size; pointers stay borrowed.
template <typename T>
jf_status take_request(const T* given, T& out) {
    const jf_status status = check_tail(sizeof(T), given, given->struct_size);
    if (status != JF_OK) return status;
    out = T{};
    std::memcpy(static_cast<void*>(&out), given, std::min<std::size_t>(given->struct_size, sizeof(T)));
    out.struct_size = sizeof(T);
    return JF_OK;
}

/// Turns the offsets of a packed copy back into pointers, in place. `base` is 8-byte aligned.
void unpack(const Layout& layout, std::byte* base);

}  // namespace jackfield::plugin_host
