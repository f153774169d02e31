#pragma once

#include <jackfield/sdk/records.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

/// What reading any struct of a caller's needs.
namespace example {

[[noreturn]] inline void invalid(const std::string& text) { throw jackfield::sdk::Failure(JF_E_INVALID, text); }
[[noreturn]] inline void unsupported(const std::string& text) { throw jackfield::sdk::Failure(JF_E_UNSUPPORTED, text); }

/// A struct as this store knows it: what is shorter is filled up with zeros, what is longer may only be longer by zeros.
template <typename T>
T read_struct(const T* given, const char* what) {
    if (!given) invalid(std::string(what) + " is missing");
    if (given->struct_size < sizeof given->struct_size) invalid(std::string(what) + " has no struct_size");
    T out{};
    std::memcpy(&out, given, std::min<std::size_t>(given->struct_size, sizeof out));
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof out; i < given->struct_size; ++i)
        if (bytes[i] != 0) throw jackfield::sdk::Failure(JF_E_TOO_NEW, std::string(what) + " carries what this store does not know");
    return out;
}

template <typename T>
std::vector<T> read_structs(const jf_array& array, const char* what) {
    std::vector<T> out;
    if (array.n > 0 && (!array.ptr || array.stride < sizeof(std::uint32_t))) invalid(std::string(what) + " is no valid array");
    for (std::uint32_t i = 0; i < array.n; ++i) {
        const T* element = JF_AT(T, array, i);
        if (element->struct_size > array.stride) invalid(std::string(what) + ": an element is longer than the stride");
        out.push_back(read_struct(element, what));
    }
    return out;
}

/// UTF-8 without zero bytes, else INVALID.
std::string read_text(jf_str text, const char* what);

}  // namespace example
