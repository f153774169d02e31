/* jackfield/webhook.h: jf.webhook/1, requests from outside. The host owns the listener, the replay cache and the limits.
 *
 * What happens to a request, in this order:
 *  1. The host reads it within its limits (1 MiB of body, 64 headers, 16 KiB of them) and refuses what is larger.
 *  2. route() looks at the untrusted bytes and names the account, number or agent that it is for. The host finds tenant and instance by that.
 *  3. receive() of that instance verifies the signature over the body as it was received, in constant time and before it parses it, and the
 *     sender's timestamp where there is one. Nothing was verified: complete with AUTH, and the host answers 401.
 *  4. It emits HTTP_ONCE with the sender's id of this delivery. A host that has seen the id drops the events that follow on this op, so that a replayed
 *     or repeated delivery does nothing twice; the reply goes out as if it had.
 *  5. It emits what has happened: JF_EV_MSG_* of messaging.h, or calls jf.host.calls/1.
 *  6. It completes with HTTP_REPLY, at the latest 10 s after receive(), or later when it has emitted HTTP_DEFER.
 */
#ifndef JACKFIELD_WEBHOOK_H
#define JACKFIELD_WEBHOOK_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_WEBHOOK_V1 "jf.webhook/1"

#define JF_EV_HTTP_REPLY 0x0801u /* jf_http_reply, as `last` of a completion with OK, always */
#define JF_EV_HTTP_DEFER 0x0802u /* pos = milliseconds from now until the completion at the latest, at most 60000; once per op */
#define JF_EV_HTTP_ONCE 0x0803u  /* jf_str of 1 to 256 bytes: the delivery's id. At most once per op, before every event that does something */

typedef struct jf_http_request {
    uint32_t struct_size;
    uint32_t flags;
    jf_str method;
    jf_str url;       /* as the sender had it: scheme, host, path, query */
    jf_str path;      /* below the instance's prefix */
    jf_str query;
    jf_array headers; /* jf_pair, names in lower case */
    jf_bytes body;    /* as received, never re-serialised: signatures cover it */
    jf_str remote;    /* address of the sender */
} jf_http_request;

/* The host checks it and answers 500 in its place when it is no answer: status 200 to 599; at most 32 headers, names of RFC 9110 tokens, values of visible
 * characters, spaces and tabs (no CR, LF, NUL), 8 KiB together; none of connection, content-length, transfer-encoding, upgrade, which are the
 * host's; at most 1 MiB of body. */
typedef struct jf_http_reply {
    uint32_t struct_size;
    uint32_t status;
    jf_array headers; /* jf_pair */
    jf_bytes body;
} jf_http_reply;

#define JF_ROUTE_KEYS 16u       /* of one request at most: the host's `cap` */
#define JF_ROUTE_KEY_BYTES 256u /* of one key at most */

typedef struct jf_webhook_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Untrusted bytes, no secret, no instance: which account, number or agent is this for? Writes up to `cap` keys, most specific first, and their
     * number to *n. Keys are parts of the request (of its url, path, query, a header's value or the body), borrowed from it: the host copies them when
     * this returns, and refuses one that lies elsewhere. Pure, and in time that grows with the request's size only.
     * NOT_FOUND: it says of nobody whom it is for, the host answers 404. INVALID: it is no request of this sender's, 400. */
    jf_status (*route)(const jf_http_request* request, jf_str* keys, uint32_t cap, uint32_t* n) JF_ON(scan);
    /* Steps 3 to 6; `request` is borrowed until this returns. AGAIN, STATE, QUOTA: not now, the host answers 503 and the sender comes again. AUTH: 401.
     * INVALID: 400. Other errors: 500. When the op is cancelled the sender has gone. */
    jf_status (*receive)(jf_instance* self, jf_op op, const jf_http_request* request, jf_error* error) JF_ON(stream);
} jf_webhook_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
