/* jackfield/stt.h: jf.stt/1, streaming speech recognition. One op per stream, usually one per call.
 *
 * Order: a segment's PARTIALs come before its FINAL or NO_MATCH, segments in the order in which they were spoken, SPEECH_START before the texts of
 * its speech. Positions are samples of the stream and never go back. Everything the provider emits is copied by the host at once; AGAIN from emit
 * costs a PARTIAL (the next one replaces it), while any other event is kept and tried again.
 *
 * Capabilities in the descriptor, under "stt": {"final_p99_ms": 150, "turn_detection": false, "audio": "speech",
 * "formats": [{"codec": "L16", "rate_hz": 8000}], "languages": ["en-US"]}. "audio": "speech" wants only what the host's VAD calls speech, with
 * pre-roll, and a FINALIZE after it; "all" wants every frame.
 */
#ifndef JACKFIELD_STT_H
#define JACKFIELD_STT_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_STT_V1 "jf.stt/1"

#define JF_EV_SPEECH_START 0x0301u   /* pos = sample */
#define JF_EV_SPEECH_END 0x0302u     /* pos = sample */
#define JF_EV_PARTIAL 0x0303u        /* jf_text: may still change */
#define JF_EV_FINAL 0x0304u          /* jf_text: fixed, not empty. Answers FINALIZE (pos = its value), or comes by itself (pos 0) */
#define JF_EV_EAGER_TURN_END 0x0305u /* jf_text: the turn is probably over */
#define JF_EV_TURN_RESUMED 0x0306u
#define JF_EV_TURN_END 0x0307u       /* jf_text with end_probability: the provider's own end of turn. The text is the whole turn */
#define JF_EV_NO_MATCH 0x0308u       /* jf_text, text is what was nearest, may be empty: speech that fits nothing, or none. Answers FINALIZE (pos = its value) */
#define JF_EV_LANGUAGE 0x0309u       /* jf_str */
#define JF_EV_STT_USAGE 0x03ffu      /* jf_stt_usage, as `last` */

/* What the next words are likely to be. Replaces the hints before it. At most 4096 phrases and keywords of 256 bytes, a grammar of 64 KiB; a provider
 * that can use less takes the first ones, and one that can use none ignores them. */
typedef struct jf_hints {
    uint32_t struct_size;
    uint32_t slot;     /* JF_SLOT_*: what is being dictated, for endpointing */
    jf_str grammar;    /* JSGF (W3C NOTE jsgf 2000), empty none */
    jf_array phrases;  /* jf_str: whole utterances or parts of them */
    jf_array keywords; /* jf_str: names and terms to favour */
    uint32_t min_digits; /* while digits are dictated or pressed: so many at least and at most, 0 unknown */
    uint32_t max_digits;
} jf_hints;
#define JF_SLOT_NONE 0u
#define JF_SLOT_DIGITS 1u
#define JF_SLOT_EMAIL 2u
#define JF_SLOT_NAME 3u
#define JF_SLOT_OTHER 4u

typedef struct jf_stt_open {
    uint32_t struct_size;
    uint32_t flags; /* JF_STT_* */
    jf_format format;
    jf_str language; /* BCP 47 */
    const jf_hints* hints; /* may be null */
} jf_stt_open;
#define JF_STT_PARTIALS 1u /* PARTIAL is wanted */

#define JF_STT_FINALIZE 1u /* the host's turn end: answer FINAL or NO_MATCH exactly once, within final_p99_ms as a rule; value, never 0, comes back as the event's pos */
#define JF_STT_HINTS 2u
#define JF_STT_MUTE 3u /* value 1: no audio will come for a while, keep the connection alive; 0: it goes on */
#define JF_STT_LANGUAGE 4u /* text: BCP 47; UNSUPPORTED: the stream goes on in the language before */
#define JF_STT_DISCARD 5u /* forget the audio since the last FINALIZE, answer nothing (a cough) */

typedef struct jf_stt_control {
    uint32_t struct_size;
    uint32_t verb;
    uint64_t value;
    jf_str text;
    const jf_hints* hints;
} jf_stt_control;

typedef struct jf_stt_usage {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t audio_ms;
} jf_stt_usage;

typedef struct jf_stt_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Opens a stream; OK before the far end has answered is right, and audio may follow at once. `options` and its hints are borrowed until
     * this returns. UNSUPPORTED: the format or the language. AGAIN, QUOTA: too many streams; the host asks another provider.
     * The completion: OK after close() with STT_USAGE as `last`; CANCELLED after cancel(), and finals under way are dropped; PEER_LOST, AUTH, TIMEOUT when
     * the far end gave up: the host opens a new stream, here or elsewhere, and feeds it the audio that had no FINAL. */
    jf_status (*open)(jf_instance* self, jf_op op, const jf_stt_open* options, jf_error* error) JF_ON(stream);
    /* Borrowed until it returns. Order with push() is kept: FINALIZE covers what was pushed before it.
     * UNSUPPORTED: no such verb; of FINALIZE and DISCARD every provider has both. STATE: after close(). INVALID: no open stream. */
    jf_status (*control)(jf_instance* self, jf_op op, const jf_stt_control* control) JF_ON(stream);
    /* One packet of caller audio for the open stream `op`. Borrowed: the host reuses the buffer when the call returns.
     * In the format of open(), in order; pts jumps where JF_FRAME_DISCONTINUITY is set and nowhere else.
     * AGAIN: the stream's queue is full; the host drops the packet, counts it, and goes on.
     * STATE: after close(). INVALID: `op` is not an open stream of this instance. */
    jf_status (*push)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* No more audio. Outstanding answers, then the completion, within 2000 ms. Idempotent. */
    jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);
} jf_stt_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
