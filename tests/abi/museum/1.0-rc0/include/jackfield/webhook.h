/* jackfield/webhook.h: jf.webhook/1, requests from outside. The host owns the listener, the replay cache and the limits. */
#ifndef JACKFIELD_WEBHOOK_H
#define JACKFIELD_WEBHOOK_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_WEBHOOK_V1 "jf.webhook/1"

#define JF_EV_HTTP_REPLY 0x0801u /* jf_http_reply, as `last` */
#define JF_EV_HTTP_DEFER 0x0802u /* pos = milliseconds until the reply at the latest */

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

typedef struct jf_http_reply {
    uint32_t struct_size;
    uint32_t status;
    jf_array headers; /* jf_pair */
    jf_bytes body;
} jf_http_reply;

typedef struct jf_webhook_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Untrusted bytes, no secret, no instance: which account, number or agent is this for? Up to `cap` keys, borrowed from the request. */
    jf_status (*route)(const jf_http_request* request, jf_str* keys, uint32_t cap, uint32_t* n) JF_ON(scan);
    /* Verifies the signature, emits events, then completes with HTTP_REPLY; or emits HTTP_DEFER first. */
    jf_status (*receive)(jf_instance* self, jf_op op, const jf_http_request* request, jf_error* error) JF_ON(stream);
} jf_webhook_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
