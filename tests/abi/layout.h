/* What a compiler made of each public struct. */
#ifndef JACKFIELD_TESTS_ABI_LAYOUT_H
#define JACKFIELD_TESTS_ABI_LAYOUT_H

#include <stdint.h>

typedef struct jf_layout {
    const char* name;
    uint64_t size;
    uint64_t alignment;
} jf_layout;

#ifdef __cplusplus
extern "C" {
#endif
extern const jf_layout jf_layout_c[];
extern const uint64_t jf_layout_c_count;
extern const jf_layout jf_layout_cpp[];
extern const uint64_t jf_layout_cpp_count;
#ifdef __cplusplus
}
#endif
#endif
