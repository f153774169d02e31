/* jackfield/tools.h: jf.tools/1, functions that a language model may call: a calendar, a CRM, a shop.
 *
 * An agent offers a whole provider (`tools = ["crm"]`) or one function of it (`"crm.lookup"`). The model sees each as `crm_lookup`, since
 * some vendors allow letters, digits, `_` and `-` only, and what it calls comes back here as `lookup`.
 */
#ifndef JACKFIELD_TOOLS_H
#define JACKFIELD_TOOLS_H

#include <jackfield/base.h>
#include <jackfield/llm.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_TOOLS_V1 "jf.tools/1"

#define JF_EV_TOOL_LIST 0x0b01u     /* jf_tool_list, as `last` of list */
#define JF_EV_TOOL_PROGRESS 0x0b02u /* jf_str: what may be said to the caller while it runs, a sentence in the call's language */
#define JF_EV_TOOL_RESULT 0x0bffu   /* jf_tool_result, as `last` of call */

/* Flags of jf_tool. */
#define JF_TOOL_IDEMPOTENT 1u /* running it twice with one key does no more than once */
#define JF_TOOL_READ_ONLY 2u  /* changes nothing: may be run speculatively */

typedef struct jf_tool_list {
    uint32_t struct_size;
    uint32_t reserved;
    jf_array tools; /* jf_tool (llm.h); names of 1 to 48 of [A-Za-z0-9_-]; `parameters` is the JSON Schema of an object */
} jf_tool_list;

typedef struct jf_tool_request {
    uint32_t struct_size;
    uint32_t deadline_ms;   /* 0 none. Afterwards the op is cancelled, and what the tool did is unknown to the host */
    jf_str name;            /* as listed */
    jf_str arguments;       /* JSON object, checked by the host against the tool's parameters */
    jf_str idempotency_key; /* of call, turn and index: the same when the host tries again */
    jf_str call;            /* the call it is made from, empty outside calls */
    jf_str language;
    jf_str now_local;       /* RFC 3339 with offset */
} jf_tool_request;

typedef struct jf_tool_result {
    uint32_t struct_size;
    uint32_t flags;
    jf_str content; /* JSON, as the model gets it; at most 64 KiB */
} jf_tool_result;

typedef struct jf_tools_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* What this instance offers: completes with TOOL_LIST, at most 128 functions, all names different. Asked once the instance has started, and again
     * with back-off while it answers an error; cancelled after 10 s. What no model could be offered (its name or its schema is no good) is left
     * out by the host and logged. */
    jf_status (*list)(jf_instance* self, jf_op op, jf_error* error) JF_ON(control);
    /* Runs one; `request` is borrowed until this returns. Calls run side by side. PROGRESS, if any, then the completion with TOOL_RESULT.
     * A refusal that the model should know of ("that slot is taken") is a result; an error is the tool's own failure, after
     * which nothing has been done. NOT_FOUND: no such function. AGAIN, RATE: the host tries again within the deadline.
     * PEER_LOST, TIMEOUT: the outcome is unknown, and the host does not repeat it unless the tool is idempotent. After cancel(): CANCELLED where
     * nothing was done, PEER_LOST where that is not known, or the result after all. */
    jf_status (*call)(jf_instance* self, jf_op op, const jf_tool_request* request, jf_error* error) JF_ON(stream);
} jf_tools_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
