/* Its interface's table says that it is three bytes long. */
#define BAD_QUERY of_three_bytes
#include "../bad.h"

static const void* of_three_bytes(jf_instance* self, jf_str id) {
    static jf_llm_v1 table;
    const jf_llm_v1* good = (const jf_llm_v1*)bad_tables(self, id);
    if (!good) return NULL;
    table = *good;
    table.struct_size = 3;
    return &table;
}
