#pragma once

#include <jackfield/jackfield.h>

#include <cstddef>
#include <cstdint>
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

/// Turns the offsets of a packed copy back into pointers, in place. `base` is 8-byte aligned.
void unpack(const Layout& layout, std::byte* base);

}  // namespace jackfield::plugin_host
