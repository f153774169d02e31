#include "layout.h"

#include "all_headers.h"

#define LAYOUT(type) {#type, sizeof(type), _Alignof(type)},
const jf_layout jf_layout_c[] = {
#include "all_structs.inc"
};
const uint64_t jf_layout_c_count = sizeof jf_layout_c / sizeof jf_layout_c[0];

/* base.h is in every plugin's every call: its layout is fixed here, in the language that defines it. */
_Static_assert(sizeof(void*) == 8, "64-bit targets");
_Static_assert(sizeof(jf_str) == 16 && offsetof(jf_str, len) == 8, "jf_str");
_Static_assert(sizeof(jf_array) == 16 && offsetof(jf_array, stride) == 12, "jf_array");
_Static_assert(sizeof(jf_error) == 256 && offsetof(jf_error, text) == 24, "jf_error");
_Static_assert(sizeof(jf_event) == 48 && offsetof(jf_event, data) == 32, "jf_event");
_Static_assert(sizeof(jf_frame) == 40 && offsetof(jf_frame, data) == 24, "jf_frame");
_Static_assert(sizeof(jf_format) == 16, "jf_format");
_Static_assert(sizeof(jf_sink) == 32, "jf_sink");
_Static_assert(sizeof(jf_note) == 16, "jf_note: read from files");
