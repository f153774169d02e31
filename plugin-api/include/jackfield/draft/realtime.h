/* jackfield/draft/realtime.h: jf.realtime/0, speech to speech: one model that hears, thinks and speaks. Draft: loads only where the operator
 * opted in, and may change.
 *
 * One op per conversation. Words never heard never count: the host says with played() how far the caller has listened, and after an
 * interruption the model's memory is cut there.
 *
 * Capabilities in the descriptor, under "realtime": {"formats": [{"codec": "PCMU", "rate_hz": 8000}], "turn_detection": true, "tools": true,
 * "truncate": true, "voices": ["..."]}.
 */
#ifndef JACKFIELD_DRAFT_REALTIME_H
#define JACKFIELD_DRAFT_REALTIME_H

#include <jackfield/base.h>
#include <jackfield/llm.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_REALTIME_V0 "jf.realtime/0"

#define JF_EV_RT_AUDIO 0x0f01u         /* jf_frame of the agent; pos = the response's number */
#define JF_EV_RT_CALLER_TEXT 0x0f02u   /* jf_text: what the caller said; flags 1: final */
#define JF_EV_RT_AGENT_TEXT 0x0f03u    /* jf_text: what the agent says; pos = the response's number; flags 1: final */
#define JF_EV_RT_SPEECH_START 0x0f04u  /* pos = sample of the caller's audio */
#define JF_EV_RT_SPEECH_END 0x0f05u    /* pos = sample */
#define JF_EV_RT_RESPONSE 0x0f06u      /* pos = its number; flags JF_RT_RESPONSE_* */
#define JF_EV_RT_TOOL_CALL 0x0f07u     /* jf_tool_call, whole */
#define JF_EV_RT_USAGE 0x0fffu         /* jf_rt_usage, as `last` */

#define JF_RT_RESPONSE_STARTED 0u
#define JF_RT_RESPONSE_DONE 1u
#define JF_RT_RESPONSE_INTERRUPTED 2u

typedef struct jf_rt_open {
    uint32_t struct_size;
    uint32_t flags;       /* JF_RT_* */
    jf_format caller;     /* of push() */
    jf_format agent;      /* of RT_AUDIO */
    jf_str language;      /* BCP 47 */
    jf_str voice;         /* empty: the instance's */
    jf_str instructions;
    jf_array messages;    /* jf_message (llm.h): what went before, oldest first */
    jf_array tools;       /* jf_tool */
    jf_str session;
    jf_str now_local;     /* RFC 3339 with offset */
} jf_rt_open;
#define JF_RT_HOST_TURNS 1u /* the host says when the caller's turn ends; the model's own detection is off */

#define JF_RT_RESPOND 1u     /* speak now; text: instructions for this response, may be empty */
#define JF_RT_INTERRUPT 2u   /* stop speaking: value = samples of the current response that were heard */
#define JF_RT_TURN_END 3u    /* with HOST_TURNS: the caller has finished */
#define JF_RT_TOOL_RESULT 4u /* id and text */
#define JF_RT_SAY 5u         /* speak `text` as it stands */
#define JF_RT_NOTE 6u        /* text: what the model should know from now on */

typedef struct jf_rt_control {
    uint32_t struct_size;
    uint32_t verb;
    uint64_t value;
    jf_str id;
    jf_str text;
} jf_rt_control;

typedef struct jf_rt_usage {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t audio_in_ms;
    uint64_t audio_out_ms;
    uint64_t tokens_in;
    uint64_t tokens_out;
    uint64_t tokens_cached;
} jf_rt_usage;

typedef struct jf_realtime_v0 {
    uint32_t struct_size;
    uint32_t reserved;
    jf_status (*open)(jf_instance* self, jf_op op, const jf_rt_open* options, jf_error* error) JF_ON(stream);
    /* Every frame of the caller's, in order. AGAIN: the queue is full; the host drops the packet and counts it. */
    jf_status (*push)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* UNSUPPORTED: a verb that the capabilities do not name. */
    jf_status (*control)(jf_instance* self, jf_op op, const jf_rt_control* control) JF_ON(stream);
    /* The caller has heard `samples` of response `response`. */
    jf_status (*played)(jf_instance* self, jf_op op, uint64_t response, uint64_t samples) JF_ON(stream);
    jf_status (*close)(jf_instance* self, jf_op op) JF_ON(stream);
} jf_realtime_v0;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
