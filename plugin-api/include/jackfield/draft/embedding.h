/* jackfield/draft/embedding.h: jf.embedding/1, texts to vectors. A draft until a provider and a consumer of it are shipped.
 *
 * Capabilities in the descriptor, under "embedding": {"dim": 1536, "max_texts": 100, "max_tokens": 8191, "normalised": true}.
 */
#ifndef JACKFIELD_DRAFT_EMBEDDING_H
#define JACKFIELD_DRAFT_EMBEDDING_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_EMBEDDING_V1 "jf.embedding/1"

#define JF_EV_EMBEDDINGS 0x0601u      /* jf_embeddings; several may come, which together answer every text once */
#define JF_EV_EMBEDDING_USAGE 0x06ffu /* jf_embedding_usage, as `last` */

/* What the vectors are for: some models embed the two sides of a search differently. */
#define JF_EMBED_DOCUMENT 0u
#define JF_EMBED_QUERY 1u
#define JF_EMBED_SIMILARITY 2u

typedef struct jf_embedding_request {
    uint32_t struct_size;
    uint32_t purpose;     /* JF_EMBED_* */
    uint32_t dim;         /* wanted, 0: the model's own. UNSUPPORTED where the model cannot be shortened to it */
    uint32_t deadline_ms; /* 0 none */
    jf_array texts;       /* jf_str, none empty */
    jf_str language;      /* BCP 47, empty: unknown */
} jf_embedding_request;

typedef struct jf_embeddings {
    uint32_t struct_size;
    uint32_t first; /* index of the text that the first vector belongs to */
    uint32_t n;
    uint32_t dim;
    const float* values; /* n x dim, vector after vector, all finite */
} jf_embeddings;

typedef struct jf_embedding_usage {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t tokens;
} jf_embedding_usage;

typedef struct jf_embedding_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Vectors for all texts or none: an error in one text fails the op. QUOTA: more texts than the capability says. */
    jf_status (*embed)(jf_instance* self, jf_op op, const jf_embedding_request* request, jf_error* error) JF_ON(stream);
} jf_embedding_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
