/* jackfield/draft/messaging.h: jf.messaging/1, written messages: SMS, WhatsApp, e-mail. A draft until a provider and a consumer of
 * it are shipped.
 *
 * One op per message sent; one long-lived op for what comes in. Providers that are called by webhook instead emit the same events
 * from jf.webhook/1.
 *
 * Capabilities in the descriptor, under "messaging": {"channels": ["whatsapp"], "templates": true, "receipts": ["delivered", "read"],
 * "idempotent": true, "session_hours": 24}.
 */
#ifndef JACKFIELD_DRAFT_MESSAGING_H
#define JACKFIELD_DRAFT_MESSAGING_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_MESSAGING_V1 "jf.messaging/1"

#define JF_EV_MSG_INBOUND 0x0901u   /* jf_inbound_message, on poll()'s op or a webhook's */
#define JF_EV_MSG_SENT 0x0902u      /* jf_message_receipt: the provider has taken it */
#define JF_EV_MSG_DELIVERED 0x0903u /* jf_message_receipt */
#define JF_EV_MSG_READ 0x0904u      /* jf_message_receipt */
#define JF_EV_MSG_FAILED 0x0905u    /* jf_message_receipt; flags JF_MSG_PERMANENT when no later try can succeed */

#define JF_MSG_PERMANENT 1u

typedef struct jf_attachment {
    uint32_t struct_size;
    uint32_t flags;
    jf_str name;
    jf_str media_type;
    jf_str url;     /* where it is fetched from; empty when `data` has it */
    jf_bytes data;
} jf_attachment;

typedef struct jf_outbound_message {
    uint32_t struct_size;
    uint32_t flags;
    jf_str channel; /* "sms", "whatsapp", "email" */
    jf_str from;    /* empty: the instance's */
    jf_str to;      /* E.164 or an address of the channel's */
    jf_str subject;
    jf_str text;
    jf_str html;               /* e-mail's other form; `text` is always given */
    jf_str template_name;      /* a template approved by the provider; `text` is then what it should read as */
    jf_array template_values;  /* jf_pair */
    jf_array attachments;      /* jf_attachment */
    jf_str thread;             /* the conversation it belongs to, as an inbound message named it */
    jf_str in_reply_to;        /* the provider's id of a message */
    jf_str idempotency_key;    /* equal keys are sent once where the provider can promise it */
} jf_outbound_message;

typedef struct jf_inbound_message {
    uint32_t struct_size;
    uint32_t flags;
    jf_str id; /* the provider's, unique for ever: the key for taking it once */
    jf_str channel;
    jf_str from;
    jf_str to;
    jf_str subject;
    jf_str text;
    jf_str html;
    jf_str thread;
    jf_str in_reply_to;
    jf_array attachments; /* jf_attachment */
    jf_array headers;     /* jf_pair, names in lower case */
    int64_t sent_us;      /* UTC microseconds, 0 unknown */
} jf_inbound_message;

typedef struct jf_message_receipt {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str id;            /* the provider's */
    jf_str recipient;
    jf_str reason;        /* of FAILED, for people; no secret in it */
    int64_t vendor_code;  /* of FAILED, 0 none */
    int64_t at_us;        /* UTC microseconds, 0 unknown */
} jf_message_receipt;

typedef struct jf_messaging_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Completes after SENT, or with an error that says whether another try makes sense. An outcome that is not known (the connection
     * broke after the request was out) is PEER_LOST: the host never repeats it by itself unless the provider is idempotent.
     * Receipts that come later are emitted where inbound messages are. */
    jf_status (*send)(jf_instance* self, jf_op op, const jf_outbound_message* message, jf_error* error) JF_ON(stream);
    /* INBOUND and receipts on the op until it is cancelled. An inbound message is acknowledged to the provider only by accept().
     * May be null: this provider calls webhooks. */
    jf_status (*poll)(jf_instance* self, jf_op op, jf_error* error) JF_ON(stream);
    /* The message with this id is stored and need not come again. */
    jf_status (*accept)(jf_instance* self, jf_op op, jf_str id) JF_ON(stream);
} jf_messaging_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
