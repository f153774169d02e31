/* jackfield/base.h: types that every interface shares. C11 and C++20, 64-bit little-endian targets.
 *
 * The contract in one page (docs/plugins/ tells it at leisure):
 *  - Memory. Everything passed in either direction is borrowed until the call returns; who wants it longer copies. Nothing
 *    allocated on one side is freed on the other. Tables and descriptors live as long as the mapping, which is for ever.
 *  - Operations. Each asynchronous act is a jf_op. A start-like function answers JF_OK (accepted: ordered events, then exactly one
 *    completion), JF_E_AGAIN (not accepted, try on credit) or an error (not accepted, no completion).
 *  - Threads. Each member of a table carries its thread class (JF_ON). All calls and callbacks for an op and its
 *    descendants are serial; two ops of one instance may run at the same time on different threads.
 *  - No exception, panic or longjmp crosses this boundary.
 */
#ifndef JACKFIELD_BASE_H
#define JACKFIELD_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_ABI_MAJOR 1u
#define JF_ABI_MINOR 0u

/* Thread classes, read from the headers by tools:
 *   scan      pure, no instance state, any thread
 *   control   one at a time per instance; may block within its budget (5 s for start and quiesce)
 *   blocking  a pool thread, parallel across ops, may block until the op's deadline
 *   stream    on the op's strand; 200 us typical, 2 ms budget; never blocks
 *   media     as stream; no allocation, no lock; per audio frame
 *   any       from any thread, also from inside a callback
 */
#if defined(__clang__)
#define JF_ON(thread_class) __attribute__((annotate("jf_on:" #thread_class)))
#else
#define JF_ON(thread_class)
#endif

#if defined(__GNUC__)
#define JF_EXPORT __attribute__((visibility("default")))
#else
#define JF_EXPORT
#endif

#define JF_THREAD_FOREIGN 0u /* a thread of the plugin's own */
#define JF_THREAD_CONTROL 1u
#define JF_THREAD_BLOCKING 2u
#define JF_THREAD_STREAM 3u
#define JF_THREAD_MEDIA 4u

/* 0 is success, -1..-999 are these, below -1000 is the vendor's own. */
typedef int32_t jf_status;
#define JF_OK 0
#define JF_E_INVALID (-1)      /* an argument is wrong, or the op is not one of this instance's open ops */
#define JF_E_STATE (-2)        /* right call, wrong moment */
#define JF_E_UNSUPPORTED (-3)  /* unknown interface, facility, verb or capability */
#define JF_E_AGAIN (-4)        /* not accepted: a bounded queue is full; try when credit arrives */
#define JF_E_CANCELLED (-5)
#define JF_E_TIMEOUT (-6)
#define JF_E_TOO_NEW (-7)      /* a struct carries fields that this side does not know */
#define JF_E_PEER_LOST (-8)    /* the connection, process or thread behind the op is gone */
#define JF_E_AUTH (-9)
#define JF_E_QUOTA (-10)
#define JF_E_RATE (-11)
#define JF_E_NOT_FOUND (-12)
#define JF_E_CONFLICT (-13)
#define JF_E_INTERNAL (-14)

/* What the host may do with a failure. */
#define JF_RETRY_NO 0u
#define JF_RETRY_NOW 1u
#define JF_RETRY_AFTER 2u /* after retry_after_ms */
#define JF_RETRY_OTHER_PROVIDER 3u

/* An operation: generation << 32 | shard << 24 | slot. Minted by the host; 0 is no operation. A stale id is harmless:
 * every function answers it with JF_E_INVALID. */
typedef uint64_t jf_op;
#define JF_NO_OP ((jf_op)0)

/* UTF-8, not terminated. ptr may be null when len is 0. */
typedef struct jf_str {
    const char* ptr;
    uint64_t len;
} jf_str;

typedef struct jf_bytes {
    const void* ptr;
    uint64_t len;
} jf_bytes;

/* n elements, stride bytes apart. Readers step by stride, since a newer writer's elements may be longer. */
typedef struct jf_array {
    const void* ptr;
    uint32_t n;
    uint32_t stride;
} jf_array;
#define JF_AT(T, array, i) ((const T*)((const char*)(array).ptr + (size_t)(i) * (array).stride))

/* True when `member` of the struct that `p` points to lies within its struct_size. */
#define JF_HAS(p, T, member) \
    ((p) != 0 && (p)->struct_size >= offsetof(T, member) + sizeof(((const T*)0)->member))

#define JF_ERROR_TEXT 232
/* Filled by whoever fails. `text` is UTF-8, terminated, and never contains a secret. */
typedef struct jf_error {
    uint32_t struct_size;
    jf_status code;
    uint32_t retry_class;
    uint32_t retry_after_ms;
    int64_t vendor_code; /* the provider's own number, 0 for none */
    char text[JF_ERROR_TEXT];
} jf_error;

/* One event on an op. `data` points to the struct that the type names; its size stands in data_size, so that an older
 * reader takes the part that it knows. Unknown types are ignored and counted. */
typedef struct jf_event {
    uint32_t struct_size;
    uint32_t type;
    uint32_t flags;
    uint32_t reserved;
    uint64_t mono_ns; /* the host's clock when it happened; 0: the host fills it in */
    uint64_t pos;     /* position in the op's own unit, as the type says */
    const void* data;
    uint64_t data_size;
} jf_event;

/* Event types are unique over all interfaces: interface number << 8 | n. */
#define JF_EV_CREDIT 0x0001u /* the op takes more; no data, pos = how many units, 0 unknown */

/* Audio. */
#define JF_CODEC_L16 1u  /* signed 16 bit, host byte order */
#define JF_CODEC_PCMU 2u /* G.711 mu-law, ITU-T G.711 */
#define JF_CODEC_PCMA 3u /* G.711 A-law */
#define JF_CODEC_G722 4u

#define JF_FRAME_DISCONTINUITY 1u /* samples before this frame are missing: pts jumped */
#define JF_FRAME_TALKSPURT 2u     /* first after silence (the RTP marker bit) */
#define JF_FRAME_SILENCE 4u       /* the writer knows that this is silence */

typedef struct jf_frame {
    uint32_t struct_size;
    uint16_t codec;
    uint8_t channels; /* interleaved */
    uint8_t flags;
    uint32_t rate_hz;
    uint32_t samples; /* per channel */
    uint64_t pts;     /* samples since the stream opened, kept across a re-feed */
    jf_bytes data;
} jf_frame;

typedef struct jf_format {
    uint32_t struct_size;
    uint16_t codec;
    uint8_t channels;
    uint8_t reserved;
    uint32_t rate_hz;
    uint32_t ptime_ms; /* packet time that the far end wants, 0 any */
} jf_format;

typedef struct jf_word {
    uint32_t struct_size;
    float confidence; /* < 0: unknown */
    jf_str text;
    uint64_t audio_from; /* samples since the stream opened */
    uint64_t audio_to;
} jf_word;

/* Recognised or spoken text. */
typedef struct jf_text {
    uint32_t struct_size;
    uint32_t revision; /* grows while a segment's text is replaced */
    jf_str text;
    jf_array words;        /* jf_word */
    float confidence;      /* 0..1, < 0: unknown */
    float end_probability; /* that the speaker has finished, < 0: unknown */
    jf_str language;       /* BCP 47, empty: unknown */
    uint64_t audio_from;   /* samples since the stream opened */
    uint64_t audio_to;
} jf_text;

/* A named value, as configuration and log fields have it. `value` is always text: numbers in decimal, booleans
 * `true` and `false`. */
typedef struct jf_pair {
    jf_str key; /* dotted path, array elements by index: "listen.0" */
    jf_str value;
} jf_pair;

/* How a user of an op is called back. Serial with everything else on the op. */
typedef struct jf_sink {
    uint32_t struct_size;
    uint32_t reserved;
    void* user;
    /* n events, `stride` bytes apart, borrowed until this returns. */
    void (*on_event)(void* user, jf_op op, const jf_event* events, uint32_t n, uint32_t stride) JF_ON(stream);
    /* Exactly once for every op that was accepted. `last` and `error` may be null. The op's id is stale afterwards. */
    void (*on_done)(void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) JF_ON(stream);
} jf_sink;

typedef struct jf_instance jf_instance; /* the plugin's own */
typedef struct jf_host_ctx jf_host_ctx; /* the host's own */

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
