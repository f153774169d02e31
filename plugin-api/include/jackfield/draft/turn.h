/* jackfield/draft/turn.h: jf.turn/0, has the caller finished? A model that judges the end of a turn from words, sound, or both. Draft:
 * loads only where the operator opted in, and may change.
 *
 * One op per call. Capabilities in the descriptor, under "turn": {"audio": true, "text": true, "languages": ["en"], "p99_ms": 50,
 * "rate_hz": 16000, "context_ms": 8000}.
 */
#ifndef JACKFIELD_DRAFT_TURN_H
#define JACKFIELD_DRAFT_TURN_H

#include <jackfield/base.h>
#include <jackfield/stt.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TURN_V0 "jf.turn/0"

#define JF_EV_TURN_JUDGED 0x0d01u /* jf_turn_judgement */

typedef struct jf_turn_open {
    uint32_t struct_size;
    uint32_t flags;
    jf_format format; /* of push() */
    jf_str language;  /* BCP 47 */
} jf_turn_open;

/* What was said so far, when the host wants to know. */
typedef struct jf_turn_question {
    uint32_t struct_size;
    uint32_t slot;       /* JF_SLOT_* (stt.h): what is being dictated */
    uint64_t id;         /* comes back in the judgement */
    jf_str agent_text;   /* what the agent asked */
    jf_str caller_text;  /* what the caller has said in this turn */
    uint64_t silence_ms; /* since the last voiced sample */
} jf_turn_question;

typedef struct jf_turn_judgement {
    uint32_t struct_size;
    float finished;     /* 0..1: that the caller has finished */
    uint64_t id;        /* of the question */
    float backchannel;  /* 0..1: that it was "mhm" and not a turn, < 0 unknown */
    uint32_t wait_ms;   /* what the model would still wait, 0 unknown */
} jf_turn_judgement;

typedef struct jf_turn_v0 {
    uint32_t struct_size;
    uint32_t reserved;
    jf_status (*open)(jf_instance* self, jf_op op, const jf_turn_open* options, jf_error* error) JF_ON(stream);
    /* The caller's audio, only where the capability says that it is wanted. May be null. */
    jf_status (*push)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* Answered once by TURN_JUDGED; a newer question makes older answers worthless, and they may be left out. */
    jf_status (*judge)(jf_instance* self, jf_op op, const jf_turn_question* question) JF_ON(stream);
    jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);
} jf_turn_v0;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
