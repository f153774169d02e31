/* Claims that a token of four bytes is a terabyte long, and an array of one word four billion. */
#define BAD_RUN run
#include "../bad.h"

static jf_status run(jf_instance* self, jf_op op, jf_error* error) {
    (void)error;
    jf_word word;
    memset(&word, 0, sizeof word);
    word.struct_size = sizeof word;
    jf_text text;
    memset(&text, 0, sizeof text);
    text.struct_size = sizeof text;
    text.words.ptr = &word;
    text.words.n = 0xffffffffu;
    text.words.stride = sizeof word;
    const jf_event final = bad_event(JF_EV_FINAL, &text, sizeof text);
    const int refused = bad_token(self, op, "four", (uint64_t)1 << 40) == JF_E_INVALID &&
                        self->host->emit(self->host->ctx, op, &final, 1) == JF_E_INVALID;
    bad_note(self, refused ? "refused" : "taken");
    return bad_complete(self, op, JF_OK);
}
