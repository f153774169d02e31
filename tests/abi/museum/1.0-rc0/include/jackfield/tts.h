/* jackfield/tts.h: jf.tts/1, streaming speech synthesis. One op per stretch of speech (an agent's turn).
 *
 * Capabilities in the descriptor, under "tts": {"formats": [{"codec": "L16", "rate_hz": 8000}], "languages": ["en"],
 * "voices": ["slt"], "first_audio_p99_ms": 60}.
 */
#ifndef JACKFIELD_TTS_H
#define JACKFIELD_TTS_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TTS_V1 "jf.tts/1"

#define JF_EV_AUDIO 0x0401u     /* jf_frame; pos = byte offset in the text given so far, up to which this frame speaks */
#define JF_EV_TTS_MARK 0x0402u  /* pos = byte offset: all audio of the text before it has been emitted */
#define JF_EV_CLEARED 0x0403u
#define JF_EV_TTS_USAGE 0x04ffu /* jf_tts_usage, as `last` */

typedef struct jf_tts_open {
    uint32_t struct_size;
    uint32_t flags;
    jf_format format; /* what AUDIO shall be */
    jf_str language;
    jf_str voice;       /* empty: the instance's */
    uint64_t credit;    /* samples that may be emitted before credit() adds more; 0: no bound */
} jf_tts_open;

#define JF_TTS_MORE 0u  /* may wait for the rest of the sentence */
#define JF_TTS_FLUSH 1u /* speak what is there */
#define JF_TTS_END 2u   /* and no text follows: complete the op after the last audio */

typedef struct jf_tts_text {
    uint32_t struct_size;
    uint32_t flush;
    jf_str text;
} jf_tts_text;

typedef struct jf_tts_usage {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t characters;
    uint64_t audio_ms;
} jf_tts_usage;

typedef struct jf_tts_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    jf_status (*open)(jf_instance* self, jf_op op, const jf_tts_open* options, jf_error* error) JF_ON(stream);
    /* AGAIN: too much text waits; the host holds it back until credit or audio moves on. */
    jf_status (*text)(jf_instance* self, jf_op op, const jf_tts_text* text) JF_ON(stream);
    /* Forgets text that was not spoken yet; CLEARED follows, and no audio of it afterwards. */
    jf_status (*clear)(jf_instance* self, jf_op op) JF_ON(stream);
    /* The host played `samples` more. */
    jf_status (*credit)(jf_instance* self, jf_op op, uint64_t samples) JF_ON(stream);
    /* Ends the stream as cancel() does, but what was synthesised may still be emitted. */
    jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);
} jf_tts_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
