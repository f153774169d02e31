/* jackfield/llm.h: jf.llm/1, streaming text generation. One op per generation; the conversation is passed whole each time.
 *
 * What an op emits, in order: REASONING and TOKEN pieces, each whole UTF-8 characters, whose concatenation is the reply; TOOL_CALL after the text
 * that goes before it; HINTS at any time. The host tells the outcome of tool calls in the next request, as messages of JF_ROLE_TOOL.
 * AGAIN from emit: the piece is kept and emitted again; order stays.
 *
 * Capabilities in the descriptor, under "llm": {"tools": true, "reply_schema": false, "hints": true}.
 */
#ifndef JACKFIELD_LLM_H
#define JACKFIELD_LLM_H

#include <jackfield/base.h>
#include <jackfield/stt.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_LLM_V1 "jf.llm/1"

#define JF_EV_TOKEN 0x0501u     /* jf_str: the next piece of the reply */
#define JF_EV_TOOL_CALL 0x0502u /* jf_tool_call, whole */
#define JF_EV_REASONING 0x0503u /* jf_str: not for the caller */
#define JF_EV_HINTS 0x0504u     /* jf_hints: what the model expects the caller to say next; handed to jf.stt/1 */
#define JF_EV_LLM_USAGE 0x05ffu /* jf_llm_usage, as `last` */

#define JF_ROLE_SYSTEM 0u
#define JF_ROLE_USER 1u
#define JF_ROLE_ASSISTANT 2u
#define JF_ROLE_TOOL 3u

#define JF_MESSAGE_NO_MATCH 1u    /* user: something was said, nothing fitted */
#define JF_MESSAGE_SILENCE 2u     /* user: nothing was said although the agent waited (a nudge) */
#define JF_MESSAGE_DTMF 4u        /* user: keys, not words */
#define JF_MESSAGE_INTERRUPTED 8u /* assistant: content is what was heard of a longer reply */

/* Tools that the host itself carries out, offered when the agent allows them:
 *   hang_up {}                       says what was said so far, then ends the call
 *   transfer {"to": "reception"}     hands the call to a person or another address
 */
typedef struct jf_message {
    uint32_t struct_size;
    uint32_t role;
    uint32_t flags;
    uint32_t reserved;
    jf_str content;
    jf_array tool_calls; /* assistant: jf_tool_call */
    jf_str tool_call_id; /* tool: which call this answers */
} jf_message;

typedef struct jf_tool_call {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str id;        /* unique in its conversation, never empty */
    jf_str name;      /* one of the request's tools */
    jf_str arguments; /* JSON object; the host checks it against the tool's parameters and tells the model what is wrong */
} jf_tool_call;

typedef struct jf_tool {
    uint32_t struct_size;
    uint32_t flags; /* 1: idempotent */
    jf_str name;
    jf_str description;
    jf_str parameters; /* JSON Schema */
} jf_tool;

typedef struct jf_llm_request {
    uint32_t struct_size;
    uint32_t deadline_ms; /* to the first token; 0 none */
    jf_array messages;    /* jf_message, oldest first */
    jf_array tools;       /* jf_tool */
    jf_str reply_schema;  /* JSON Schema, empty: free text */
    jf_str session;       /* the same for all requests of one conversation: for caches and traces */
    jf_str language;
    jf_str now_local;     /* the tenant's local time, RFC 3339 with offset: "2026-11-20T09:30:00-05:00" */
} jf_llm_request;

#define JF_FINISH_STOP 0u
#define JF_FINISH_LENGTH 1u
#define JF_FINISH_TOOLS 2u
#define JF_FINISH_REFUSED 3u

typedef struct jf_llm_usage {
    uint32_t struct_size;
    uint32_t finish; /* JF_FINISH_* */
    uint64_t tokens_in;
    uint64_t tokens_out;
    uint64_t tokens_cached;
} jf_llm_usage;

typedef struct jf_llm_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Begins a generation. `request` and all it points to are borrowed until this returns.
     * UNSUPPORTED: tools or a reply schema that the capabilities do not name. AGAIN, QUOTA, RATE: the host asks another provider, or waits.
     * INVALID: a conversation that the model refuses as such (too long, no message).
     * The completion: OK with LLM_USAGE as `last`, whose finish is TOOLS when there were tool calls; CANCELLED after cancel(), at once, and pieces
     * emitted before it are ignored; TIMEOUT when no token came within deadline_ms; PEER_LOST, AUTH. After an error the host may ask
     * another provider as long as nothing of the reply was spoken. */
    jf_status (*start)(jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) JF_ON(stream);
    /* Gets ready for a conversation that begins now: a connection, a cache. HINTS for its first turn may follow, then the completion; no TOKEN does.
     * Borrowed, and refused, as start(). May be null. */
    jf_status (*prewarm)(jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) JF_ON(stream);
} jf_llm_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
