#pragma once

// The SIP library's headers, tamed: included after the standard library's, as C, and without their
// `min` and `max`. Only the signalling sources include this.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#define DEBUG_MODULE "jackfield"  // wanted by re_dbg.h
#define DEBUG_LEVEL 0
extern "C" {
#include <re/re.h>
#include <re/re_dbg.h>
}

#undef min
#undef max
#undef MIN
#undef MAX

namespace jackfield::sip {

inline std::string_view view(const struct pl& text) {
    return text.p ? std::string_view(text.p, text.l) : std::string_view();
}
inline struct pl pl_of(std::string_view text) {
    return {text.data(), text.size()};
}

/// One reference to an object of the library's. To be dropped on the loop's thread only: counts
/// aren't atomic there.
template <typename T>
struct Deref {
    void operator()(T* object) const { mem_deref(object); }
};
template <typename T>
using Ref = std::unique_ptr<T, Deref<T>>;

}  // namespace jackfield::sip
