/* jackfield/telephony.h: jf.telephony/1, legs of calls.
 *
 * A leg is an op: incoming ones are minted by jf.host.calls/1, outgoing ones are opened by the host and passed to dial(). On it the plugin
 * emits the events below and completes it once when the leg is gone; `last` of the completion is JF_EV_CALL_ENDED.
 */
#ifndef JACKFIELD_TELEPHONY_H
#define JACKFIELD_TELEPHONY_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TELEPHONY_V1 "jf.telephony/1"

#define JF_EV_RINGING 0x0201u       /* no data; flags JF_RINGING_EARLY_MEDIA when media follows before the answer */
#define JF_EV_ANSWERED 0x0202u      /* jf_format: what media_out shall be given */
#define JF_EV_MEDIA 0x0203u         /* jf_frame from the far end; pos = its pts */
#define JF_EV_FORMAT 0x0204u        /* jf_format: changed in mid-call */
#define JF_EV_DTMF 0x0205u          /* jf_dtmf, once per key press */
#define JF_EV_MARK_PLAYED 0x0206u   /* pos = the mark's id */
#define JF_EV_MACHINE 0x0207u       /* flags JF_MACHINE_*: the carrier's own detection */
#define JF_EV_REFER_RECEIVED 0x0208u /* jf_str: where the far end asks to be transferred to */
#define JF_EV_TRANSCRIPT 0x0209u    /* jf_text; flags 0 caller, 1 agent (managed agents) */
#define JF_EV_QUALITY 0x020au       /* jf_quality */
#define JF_EV_HOLD 0x020bu          /* flags 1: the far end put us on hold, 0: resumed */
#define JF_EV_LEG_STATE 0x020cu     /* jf_bytes: replaces what jf_incoming said; at most 4096 bytes */
#define JF_EV_CALL_ENDED 0x02ffu    /* jf_call_end, only as `last` of the completion */

#define JF_RINGING_EARLY_MEDIA 1u
#define JF_MACHINE_HUMAN 0u
#define JF_MACHINE_MACHINE 1u
#define JF_MACHINE_BEEP 2u
#define JF_MACHINE_UNSURE 3u

/* Why a leg ended, and what hangup() and REJECT are given. */
#define JF_CAUSE_NORMAL 0u
#define JF_CAUSE_BUSY 1u
#define JF_CAUSE_NO_ANSWER 2u
#define JF_CAUSE_REJECTED 3u
#define JF_CAUSE_INVALID_NUMBER 4u
#define JF_CAUSE_CANCELLED 5u     /* the caller gave up before the answer */
#define JF_CAUSE_UNAVAILABLE 6u   /* we can't take it now: the carrier may reroute (SIP 503) */
#define JF_CAUSE_NOT_FOUND 7u     /* nobody here by that number (SIP 404) */
#define JF_CAUSE_MEDIA_TIMEOUT 8u /* the far end fell silent on the wire */
#define JF_CAUSE_CARRIER_ERROR 9u
#define JF_CAUSE_UNACCEPTABLE 10u /* no common codec (SIP 488) */
#define JF_CAUSE_FAILED 11u

#define JF_ENDED_BY_US 0u
#define JF_ENDED_BY_FAR_END 1u
#define JF_ENDED_BY_CARRIER 2u

typedef struct jf_call_end {
    uint32_t struct_size;
    uint32_t cause;   /* JF_CAUSE_* */
    uint32_t by;      /* JF_ENDED_BY_* */
    uint32_t status;  /* the protocol's own code (SIP status), 0 none */
    uint32_t q850;    /* ITU-T Q.850 cause, 0 none */
    uint32_t reserved;
    uint64_t packets_in;
    uint64_t packets_out;
    uint64_t packets_lost;
    jf_str text;
} jf_call_end;

typedef struct jf_dtmf {
    uint32_t struct_size;
    uint32_t digit;       /* ASCII: 0-9 * # A-D */
    uint32_t duration_ms; /* 0 unknown */
    uint32_t reserved;
} jf_dtmf;

typedef struct jf_quality {
    uint32_t struct_size;
    uint32_t jitter_us;
    uint64_t packets_in;
    uint64_t packets_lost;
    uint64_t packets_out;
    uint32_t round_trip_us; /* 0 unknown */
    float mos;              /* < 0 unknown; ITU-T G.107 */
} jf_quality;

typedef struct jf_dial {
    uint32_t struct_size;
    uint32_t ring_timeout_ms;
    jf_str to;        /* E.164, or the provider's own address ("sip:1000@192.0.2.1:5060") */
    jf_str from;      /* empty: the instance's own */
    jf_str from_name;
    jf_array headers; /* jf_pair */
    jf_str idempotency_key;
} jf_dial;

typedef struct jf_answer {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t no_media_timeout_ms;    /* nothing at all arrived since the answer; 0 never */
    uint32_t media_timeout_ms;       /* nothing arrived any more, off on hold; 0 never */
} jf_answer;

#define JF_TEL_RING 1u   /* tell the caller that it rings */
#define JF_TEL_REJECT 2u /* value = JF_CAUSE_*, before the answer */
#define JF_TEL_HOLD 3u   /* value 1 hold, 0 resume */
#define JF_TEL_TRANSFER 4u /* text = where to; blind */
#define JF_TEL_DTMF 5u   /* text = digits to send, w = pause of 500 ms */
#define JF_TEL_MARK 6u   /* value = id; MARK_PLAYED when what was sent before has been heard */
#define JF_TEL_RECORD 7u
#define JF_TEL_PAUSE_RECORD 8u

typedef struct jf_telephony_control {
    uint32_t struct_size;
    uint32_t verb; /* JF_TEL_* */
    uint64_t value;
    jf_str text;
} jf_telephony_control;

/* Capabilities in the descriptor, under "telephony": {"max_ahead_ms": 0, "ptime_ms": 20, "mark": false, "clear": false,
 * "srtp": false, "managed": false, "reap": true}. max_ahead_ms 0: the host paces one packet at a time. */
typedef struct jf_telephony_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Places a call on `op`. Media watchdogs as for answer(). */
    jf_status (*dial)(jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) JF_ON(stream);
    /* Answers an incoming leg; ANSWERED follows when media may flow. STATE: already answered or gone. */
    jf_status (*answer)(jf_instance* self, jf_op op, const jf_answer* options) JF_ON(stream);
    /* Media before the answer (SIP 183). ANSWERED does not follow; FORMAT does. May be null. */
    jf_status (*early_media)(jf_instance* self, jf_op op, const jf_answer* options) JF_ON(stream);
    /* UNSUPPORTED: this provider has no such verb. */
    jf_status (*control)(jf_instance* self, jf_op op, const jf_telephony_control* control) JF_ON(stream);
    /* Audio for the far end, in the format of ANSWERED or FORMAT. With max_ahead_ms 0: exactly one packet, sent at
     * once. AGAIN: dropped, counted. */
    jf_status (*media_out)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* Drops what has been taken by media_out and was not played; *dropped gets the samples, where known. May be null when max_ahead_ms is 0. */
    jf_status (*media_clear)(jf_instance* self, jf_op op, uint64_t* dropped) JF_ON(media);
    /* Joins two answered legs of this instance. May be null. */
    jf_status (*bridge)(jf_instance* self, jf_op a, jf_op b) JF_ON(stream);
    jf_status (*unbridge)(jf_instance* self, jf_op a) JF_ON(stream);
    /* Ends the leg; its completion follows. Idempotent. Before the answer of an incoming leg it is a refusal with that cause. */
    jf_status (*hangup)(jf_instance* self, jf_op op, uint32_t cause) JF_ON(stream);
    /* After a crash: hangs up the leg whose stored state this is, if the far end still has it. `op` completes when the far end answered
     * or could not be reached. May be null: this provider's legs die with the process. */
    jf_status (*reap)(jf_instance* self, jf_op op, jf_bytes leg_state, jf_error* error) JF_ON(stream);
} jf_telephony_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
