/* jackfield/embedding.h: jf.embedding/1, texts to vectors. One op per request; a request is whole when it is made, and its answer may come
 * in parts.
 *
 * Capabilities in the descriptor, under "embedding": {"dim": 1536, "max_texts": 100, "max_tokens": 8191, "normalised": true,
 * "languages": ["*"]}. max_texts: of one request, at most 2048. max_tokens: of one text; a longer one fails its request with INVALID and is
 * never cut in silence.
 *
 * The host counts on what is said here and on nothing else: an answer that leaves a text out, gives one twice, has another dimension than
 * was asked for or a value that is not finite makes the op fail with INTERNAL, and its consumer sees none of it.
 */
#ifndef JACKFIELD_EMBEDDING_H
#define JACKFIELD_EMBEDDING_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_EMBEDDING_V1 "jf.embedding/1"

/* jf_embeddings. Several may come, in any order, before the completion; together they answer every text exactly once. */
#define JF_EV_EMBEDDINGS 0x0601u
#define JF_EV_EMBEDDING_USAGE 0x06ffu /* jf_embedding_usage, as `last`; may be missing where the provider does not count */

/* What the vectors are for: some models embed the two sides of a search differently. One that does not ignores it. */
#define JF_EMBED_DOCUMENT 0u
#define JF_EMBED_QUERY 1u
#define JF_EMBED_SIMILARITY 2u

typedef struct jf_embedding_request {
    uint32_t struct_size;
    uint32_t purpose;     /* JF_EMBED_* */
    uint32_t dim;         /* wanted, 0: the model's own. UNSUPPORTED where the model cannot be shortened to it */
    uint32_t deadline_ms; /* for the whole answer, 0 none. The host cancels the op when it has passed */
    jf_array texts;       /* jf_str, at least one, none empty, each at most 1 MiB */
    jf_str language;      /* BCP 47, empty: unknown */
} jf_embedding_request;

typedef struct jf_embeddings {
    uint32_t struct_size;
    uint32_t first; /* index of the text that the first vector belongs to */
    uint32_t n;     /* vectors, at least 1 */
    uint32_t dim;   /* the same in every event of the op; what was asked for, where something was; at most 8192 */
    jf_array values; /* float, n * dim of them, vector after vector, all finite; stride is sizeof(float) */
} jf_embeddings;

typedef struct jf_embedding_usage {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t tokens; /* what the provider bills, 0 unknown */
} jf_embedding_usage;

typedef struct jf_embedding_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Vectors for all texts or none: a fault of one text fails the op. `request` is borrowed until this returns.
     * AGAIN: too many requests are under way; the host tries again later, with back-off.
     * INVALID: no text, an empty one, or one that is longer than max_tokens. QUOTA: more texts than max_texts; the host sends fewer.
     * UNSUPPORTED: the dimension. After cancel(): CANCELLED, and what has been emitted is thrown away.
     * The completion's error: RATE with retry_after_ms, AUTH, TIMEOUT, PEER_LOST; asking again is always safe. */
    jf_status (*embed)(jf_instance* self, jf_op op, const jf_embedding_request* request, jf_error* error) JF_ON(stream);
} jf_embedding_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
