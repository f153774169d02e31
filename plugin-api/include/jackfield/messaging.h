/* jackfield/messaging.h: jf.messaging/1, written messages: SMS, WhatsApp, e-mail.
 *
 * One op per message sent; one long-lived op, poll()'s, for what comes in. Providers that are called by webhook emit the same events from
 * jf.webhook/1 instead and have no poll().
 *
 * Nothing is lost and nothing is sent twice by the host: an inbound message comes again until the host accepted it (so it may come twice: its id
 * is the key for taking it once), and a message whose fate is unknown is never repeated unless the provider promised to be idempotent.
 *
 * Capabilities in the descriptor, under "messaging": {"channels": ["whatsapp"], "templates": true, "receipts": ["delivered", "read"],
 * "idempotent": true, "session_hours": 24, "max_text": 4096}. session_hours: how long after an inbound message free text may be sent; later
 * only templates (0: always free). max_text: bytes of `text`, 0 unknown.
 */
#ifndef JACKFIELD_MESSAGING_H
#define JACKFIELD_MESSAGING_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_MESSAGING_V1 "jf.messaging/1"

/* On poll()'s op or a webhook's. Ids are never empty: an INBOUND or a receipt without one, and a SENT without one on send()'s op, is dropped and
 * counted by the host, and a send that then completes with OK fails with INTERNAL. */
#define JF_EV_MSG_INBOUND 0x0901u   /* jf_inbound_message */
#define JF_EV_MSG_SENT 0x0902u      /* jf_message_receipt: the provider has taken it. On send()'s op exactly once, before its completion with OK */
#define JF_EV_MSG_DELIVERED 0x0903u /* jf_message_receipt; receipts of one message may come in any order, and twice */
#define JF_EV_MSG_READ 0x0904u      /* jf_message_receipt */
#define JF_EV_MSG_FAILED 0x0905u    /* jf_message_receipt of a message that had been SENT; flags JF_MSG_PERMANENT when no later try can succeed */

#define JF_MSG_PERMANENT 1u

typedef struct jf_attachment {
    uint32_t struct_size;
    uint32_t flags;
    jf_str name;
    jf_str media_type;
    jf_str url;     /* where it is fetched from; empty when `data` has it */
    jf_bytes data;  /* all of a message's together at most 8 MiB */
} jf_attachment;

typedef struct jf_outbound_message {
    uint32_t struct_size;
    uint32_t flags;
    jf_str channel; /* "sms", "whatsapp", "email": one of the capability's. UNSUPPORTED otherwise */
    jf_str from;    /* empty: the instance's */
    jf_str to;      /* E.164 or an address of the channel's; never empty */
    jf_str subject;
    jf_str text;
    jf_str html;               /* e-mail's other form; `text` is always given */
    jf_str template_name;      /* a template approved by the provider; `text` is then what it should read as */
    jf_array template_values;  /* jf_pair */
    jf_array attachments;      /* jf_attachment */
    jf_str thread;             /* the conversation it belongs to, as an inbound message named it */
    jf_str in_reply_to;        /* the provider's id of a message */
    jf_str idempotency_key;    /* equal keys are sent once where the capability promises it */
} jf_outbound_message;

typedef struct jf_inbound_message {
    uint32_t struct_size;
    uint32_t flags;
    jf_str id; /* the provider's, unique for ever: the key for taking it once; at most 256 bytes */
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
    jf_str id;            /* the provider's, as SENT named it; at most 256 bytes */
    jf_str recipient;
    jf_str reason;        /* of FAILED, for people; no secret in it */
    int64_t vendor_code;  /* of FAILED, 0 none */
    int64_t at_us;        /* UTC microseconds, 0 unknown */
} jf_message_receipt;

typedef struct jf_messaging_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Sends one message, borrowed until this returns: SENT, then the completion with OK, or an error that says whether another try makes sense.
     * AGAIN: too many wait. INVALID: an address or a text that the channel cannot take. STATE: the session is over and there is no
     * template. RATE with retry_after_ms. Errors other than PEER_LOST and TIMEOUT mean that nothing was sent.
     * PEER_LOST, TIMEOUT: the outcome is unknown (the connection broke after the request was out); the host never repeats it by itself
     * unless the provider is idempotent. The same holds after cancel(): CANCELLED says nothing about the message, and a provider that knows
     * that it went out completes with OK instead. Receipts that come later are emitted where inbound messages are. */
    jf_status (*send)(jf_instance* self, jf_op op, const jf_outbound_message* message, jf_error* error) JF_ON(stream);
    /* INBOUND and receipts on the op until it is cancelled, which completes it with CANCELLED. At most one poll is open per instance: STATE.
     * When emit answers AGAIN the message is kept and emitted again after a while, never dropped. An inbound message is acknowledged to the
     * provider only by accept(); those that were not accepted when the op ended come again on the next poll's. A completion with an error
     * (the mailbox cannot be reached, AUTH) makes the host poll again with back-off. May be null: this provider calls webhooks. */
    jf_status (*poll)(jf_instance* self, jf_op op, jf_error* error) JF_ON(stream);
    /* The message with this id is stored and need not come again. `op` is poll()'s, on whose strand this runs; `id` is borrowed.
     * NOT_FOUND: no message of that id waits to be accepted, maybe since it was. INVALID: `op` is no open poll. Null where poll is. */
    jf_status (*accept)(jf_instance* self, jf_op op, jf_str id) JF_ON(stream);
} jf_messaging_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
