/* jackfield/telephony.h: jf.telephony/1, legs of calls.
 *
 * A leg is an op: incoming ones are minted by jf.host.calls/1, outgoing ones are opened by the host and passed to dial(). On it the plugin
 * emits the events below and completes it once when the leg is gone; `last` of the completion is JF_EV_CALL_ENDED. The completion's status is OK for
 * a leg that took its course, whoever ended it and with whatever cause, and an error where the carrier or the way to it failed (note 1 at the end of this
 * file, where also stands which of this the host of this release uses: notes 3 to 5). cancel(op) is hangup(JF_CAUSE_NORMAL): it ends with OK, too.
 * Order: RINGING before ANSWERED, FORMAT (early media) or ANSWERED before the first MEDIA; after the completion nothing. MEDIA has one op, one format
 * at a time, and pts that grow by the samples between frames. AGAIN from emit costs a MEDIA frame, which is dropped and counted by the
 * plugin (a SIGNALLING or QUALITY likewise); every other event is kept and tried again, in its order: by a timer when nothing else comes. No MEDIA overtakes ANSWERED.
 *
 * All structs passed in are borrowed until the function returns. INVALID everywhere: `op` is no open leg of this instance.
 */
#ifndef JACKFIELD_TELEPHONY_H
#define JACKFIELD_TELEPHONY_H

#include <jackfield/base.h>
#include <jackfield/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TELEPHONY_V1 "jf.telephony/1"

#define JF_EV_RINGING 0x0201u       /* no data; flags JF_RINGING_EARLY_MEDIA when media follows before the answer */
#define JF_EV_ANSWERED 0x0202u      /* jf_format: what media_out shall be given; flags JF_ANSWERED_* */
#define JF_EV_MEDIA 0x0203u         /* jf_frame from the far end; pos = its pts */
#define JF_EV_FORMAT 0x0204u        /* jf_format: changed in mid-call */
#define JF_EV_DTMF 0x0205u          /* jf_dtmf, once per key press */
#define JF_EV_MARK_PLAYED 0x0206u   /* pos = the mark's id */
#define JF_EV_MACHINE 0x0207u       /* flags JF_MACHINE_*: the carrier's own detection */
#define JF_EV_REFER_RECEIVED 0x0208u /* jf_str: where the far end asks us to call instead. The plugin does: when somebody answers there, the leg goes on with them */
#define JF_EV_TRANSCRIPT 0x0209u    /* jf_text; flags 0 caller, 1 agent (managed agents) */
#define JF_EV_QUALITY 0x020au       /* jf_quality */
#define JF_EV_HOLD 0x020bu          /* flags 1: the far end put us on hold, 0: resumed */
#define JF_EV_LEG_STATE 0x020cu     /* jf_bytes: replaces what jf_incoming said; at most 4096 bytes */
#define JF_EV_TRANSFERRED 0x020du   /* what became of JF_TEL_TRANSFER; flags JF_TRANSFER_*, pos = the protocol's code (SIP status), 0 none */
#define JF_EV_SIGNALLING 0x020eu    /* jf_signalling: for who looks into the call; nothing depends on it, and a provider may emit none */
#define JF_EV_CALL_ENDED 0x02ffu    /* jf_call_end, only as `last` of the completion */

#define JF_RINGING_EARLY_MEDIA 1u
#define JF_ANSWERED_NO_KEY_EVENTS 1u /* the far end sends no events for keys: they can be heard in its audio only */
/* Once per JF_TEL_TRANSFER that was answered OK, unless the leg completes first. After DONE the host hangs the leg up; after FAILED the
 * leg goes on as before. */
#define JF_TRANSFER_FAILED 0u
#define JF_TRANSFER_DONE 1u
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
    jf_str text; /* what the carrier says of it, "user busy": the call's `reason` where the cause is not NORMAL. No numbers of people; 200 bytes are kept */
} jf_call_end;

#define JF_SIGNALLING_IN 0u
#define JF_SIGNALLING_OUT 1u
#define JF_SIGNALLING_UDP 0u
#define JF_SIGNALLING_TCP 1u
#define JF_SIGNALLING_TLS 2u
#define JF_SIGNALLING_OTHER 3u

/* One message of the leg's signalling, as it was on the wire but for its secrets: credentials, keys of encryption and keys that the caller pressed
 * are masked before it leaves the plugin. */
typedef struct jf_signalling {
    uint32_t struct_size;
    uint32_t direction; /* JF_SIGNALLING_IN, _OUT */
    uint32_t transport; /* JF_SIGNALLING_UDP, ... */
    uint32_t reserved;
    uint64_t at_ns;     /* the host's monotonic clock */
    jf_endpoint local;
    jf_endpoint remote;
    jf_bytes data;      /* at most 8192 bytes; what was longer has been cut. Another protocol than SIP: note 2 */
} jf_signalling;

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
    jf_str idempotency_key; /* which call this is: the host makes one up for each, and never uses it for another. May be empty. See dial() */
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
/* text = where to, as jf_dial.to. value 0: blind. Else attended: value = the op of another answered leg of this instance, whose far end
 * takes this leg's far end over in our place; text may then be empty. Providers without attended transfer answer UNSUPPORTED to it. */
#define JF_TEL_TRANSFER 4u
#define JF_TEL_DTMF 5u   /* text = digits to send (0-9 * # A-D), w = pause of 500 ms. AGAIN: earlier ones still wait, and there is no room for these */
#define JF_TEL_MARK 6u   /* value = id; MARK_PLAYED once, when what was sent before has been heard, or dropped by media_clear. Note 4 */
#define JF_TEL_RECORD 7u
#define JF_TEL_PAUSE_RECORD 8u

typedef struct jf_telephony_control {
    uint32_t struct_size;
    uint32_t verb; /* JF_TEL_* */
    uint64_t value;
    jf_str text;
} jf_telephony_control;

/* Capabilities in the descriptor, under "telephony": {"max_ahead_ms": 0, "ptime_ms": 20, "mark": false, "clear": false,
 * "srtp": false, "managed": false, "reap": true, "refer": false}. refer: TRANSFER is done by the far end, and its outcome is reported.
 * max_ahead_ms 0: the host paces one packet at a time, as it does for every carrier in this release (note 4). */
typedef struct jf_telephony_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Places a call on `op`. Media watchdogs as for answer(). RINGING and ANSWERED follow, or the completion with the cause: BUSY, NO_ANSWER when
     * ring_timeout_ms has passed, INVALID_NUMBER. Refused at once with INVALID (no such address), AUTH (not allowed to go there), QUOTA (no line free), STATE
     * (not in service), CONFLICT (a leg of this instance with the same idempotency key is open; who keeps no keys dials again. For how long: note 6). */
    jf_status (*dial)(jf_instance* self, jf_op op, const jf_dial* dial, const jf_answer* media, jf_error* error) JF_ON(stream);
    /* Answers an incoming leg, may come before incoming() has returned; ANSWERED follows when media may flow. STATE: already answered or gone. */
    jf_status (*answer)(jf_instance* self, jf_op op, const jf_answer* options) JF_ON(stream);
    /* Media before the answer (SIP 183). ANSWERED does not follow; FORMAT does. May be null. */
    jf_status (*early_media)(jf_instance* self, jf_op op, const jf_answer* options) JF_ON(stream);
    /* UNSUPPORTED: this provider has no such verb. STATE: the leg is at another point (RING and REJECT before the answer, the others after it). INVALID:
     * digits or an address that cannot be. OK means that it was taken, not that it came about: MARK_PLAYED, TRANSFERRED tell the outcome. */
    jf_status (*control)(jf_instance* self, jf_op op, const jf_telephony_control* control) JF_ON(stream);
    /* Audio for the far end, in the format of ANSWERED or FORMAT. With max_ahead_ms 0: exactly one packet, sent at once.
     * AGAIN: dropped by the plugin, which does not send it later, and counted by the host (note 4). */
    jf_status (*media_out)(jf_instance* self, jf_op op, const jf_frame* frame) JF_ON(media);
    /* Drops what has been taken by media_out and was not played; *dropped gets the samples, where known. May be null when max_ahead_ms is 0. */
    jf_status (*media_clear)(jf_instance* self, jf_op op, uint64_t* dropped) JF_ON(media);
    /* Joins two answered legs of this instance: each hears the other until unbridge() or until one of them ends. media_out on either is STATE
     * meanwhile, MEDIA of both goes on. Null when the host bridges by itself, as it does for legs of different instances. */
    jf_status (*bridge)(jf_instance* self, jf_op a, jf_op b) JF_ON(stream);
    /* By either leg. OK also when they are not joined. Null where bridge is. */
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

/* Notes.
 *
 * 1. The end of a leg. Its cause says why, and CALL_ENDED is there whatever the status. OK: the call took its course, BUSY, NO_ANSWER, MEDIA_TIMEOUT, CARRIER_ERROR
 *    (the carrier said so in good order) and every other cause included. An error, with its text, where the plugin itself could not go on: JF_E_PEER_LOST
 *    when the connection to the carrier was lost, JF_E_INTERNAL; the cause is CARRIER_ERROR or FAILED then. On cancel(op) end the leg as hangup(NORMAL) does:
 *    OK, CALL_ENDED, BY_US, within the 1000 ms of every cancel; other interfaces answer JF_E_CANCELLED, which is taken here as well. The call's `reason`
 *    is the host's own where it has one, else the error's text, else `text` of jf_call_end.
 *
 * 2. jf_signalling.data of a carrier whose protocol is not SIP: readable text, UTF-8. `call trace` prints it as it stands; its first line is what
 *    ladders and lists show. A protocol of bytes is written out, as "ANSWER line=7" with further fields on lines of their own. Where audio goes is read
 *    from SDP only ("Content-Type: application/sdp" and what belongs to it): without it `call pcap` has the messages, and no audio to look for.
 *
 * 3. Codecs. The host of this release speaks PCMU and PCMA, 8000 Hz, one channel, and hangs up a leg that is answered with anything else
 *    (UNACCEPTABLE), L16 and Opus included: transcode in the plugin. MEDIA may be in either law, whichever ANSWERED named.
 *
 * 4. Pacing. From ANSWERED to the end of the leg the host of this release gives one frame of 20 ms (160 samples) at each tick of 20 ms, in silence too:
 *    then with samples of silence and JF_FRAME_SILENCE. A late tick is not made up for: pts then jumps by what was skipped. It does so whatever max_ahead_ms and
 *    ptime_ms say. It therefore never calls media_clear and sends no JF_TEL_MARK: max_ahead_ms, clear and mark are not used by this release,
 *    and cost nothing to leave out. A frame that media_out answers with AGAIN is counted as jackfield_call_packets_dropped_total; what it said the host
 *    says in a later frame, so that what is on record as heard was played.
 *
 * 5. Nor does this release call early_media, bridge or unbridge (it bridges by itself), nor send REJECT (it refuses by hangup), RECORD and PAUSE_RECORD.
 *    MARK_PLAYED and TRANSCRIPT are taken and not looked at. What `jackfield plugin verify` tries of these, later hosts may use.
 *
 * 6. Idempotency keys. To be remembered while the leg is open, by the instance that dialled it: not across instances, not across a restart, after which the host
 *    dials nothing a second time. A plugin whose carrier takes such keys passes them on and answers CONFLICT for as long as the carrier does. This
 *    release's host dials each key once; so does the host of a later one, unless it does not know whether a dial came about.
 */

#endif
