#pragma once

namespace jackfield::base {

/// Writes the broken invariant to stderr and aborts.
[[noreturn]] void panic(const char* what, const char* who_guarantees, const char* file, int line);

}  // namespace jackfield::base

/// A broken invariant is a bug here, never something that a peer, plugin, file or clock can cause.
#define JF_ASSERT(cond, who_guarantees) \
    ((cond) ? (void)0 : ::jackfield::base::panic(#cond, who_guarantees, __FILE__, __LINE__))
