#include <type_traits>

#include "layout.h"

#include "all_headers.h"

// What crosses the boundary is copied byte by byte by either side.
#define LAYOUT(type) static_assert(std::is_trivially_copyable_v<type> && std::is_standard_layout_v<type>, #type);
#include "all_structs.inc"
#undef LAYOUT

#define LAYOUT(type) {#type, sizeof(type), alignof(type)},
extern "C" {
const jf_layout jf_layout_cpp[] = {
#include "all_structs.inc"
};
const uint64_t jf_layout_cpp_count = sizeof jf_layout_cpp / sizeof jf_layout_cpp[0];
}
