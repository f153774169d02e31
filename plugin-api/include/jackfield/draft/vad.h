/* jackfield/draft/vad.h: jf.vad/0, is somebody speaking? Draft: loads only where the operator opted in, and may change.
 *
 * One op per audio direction of a call. Capabilities in the descriptor, under "vad": {"rates_hz": [8000, 16000], "window_ms": 32,
 * "probability": true}.
 */
#ifndef JACKFIELD_DRAFT_VAD_H
#define JACKFIELD_DRAFT_VAD_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_VAD_V0 "jf.vad/0"

#define JF_EV_VOICE 0x0e01u /* jf_voice, once per window; pos = the window's first sample */

typedef struct jf_vad_open {
    uint32_t struct_size;
    uint32_t flags;
    jf_format format;
    float noise_floor_db; /* what is known of the line, 0 unknown */
    uint32_t reserved;
} jf_vad_open;

typedef struct jf_voice {
    uint32_t struct_size;
    float probability; /* 0..1. Hysteresis and durations are the host's, so that all detectors behave alike */
    float level_db;    /* of full scale, 0 unknown */
    uint32_t samples;  /* in the window */
} jf_voice;

typedef struct jf_vad_v0 {
    uint32_t struct_size;
    uint32_t reserved;
    jf_status (*open)(jf_instance* self, jf_op op, const jf_vad_open* options, jf_error* error) JF_ON(stream);
    /* Every frame, in order. Nothing is held back longer than one window. */
    jf_status (*push)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* Forgets the past: the stream goes on after a gap or a hold. */
    jf_status (*reset)(jf_instance* self, jf_op op) JF_ON(stream);
    jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);
} jf_vad_v0;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
