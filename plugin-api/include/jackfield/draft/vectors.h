/* jackfield/draft/vectors.h: jf.vectors/1, vectors with attributes, found by nearness. A draft until a provider and a consumer of it are
 * shipped.
 *
 * A space is a collection of vectors of one dimension and one metric; within it a tenant sees only its own. Filters are the terms of
 * records.h over the space's declared attributes.
 *
 * Capabilities in the descriptor, under "vectors": {"metrics": ["cosine"], "max_dim": 4096, "filter": true, "exact_below": 20000}.
 */
#ifndef JACKFIELD_DRAFT_VECTORS_H
#define JACKFIELD_DRAFT_VECTORS_H

#include <jackfield/base.h>
#include <jackfield/records.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_VECTORS_V1 "jf.vectors/1"

#define JF_EV_MATCHES 0x0a01u       /* jf_matches, nearest first */
#define JF_EV_SPACE 0x0a02u         /* as `last` of ensure: pos = the space's handle */
#define JF_EV_VECTOR_STATS 0x0a03u  /* jf_vector_stats, as `last` of stats */
#define JF_EV_VECTORS_DONE 0x0affu  /* as `last` of upsert and remove: pos = how many vectors were changed */

#define JF_METRIC_COSINE 0u /* score 1 equal .. -1 opposite */
#define JF_METRIC_DOT 1u
#define JF_METRIC_L2 2u     /* score = -distance, so that larger is nearer for each metric */

typedef struct jf_vector_space {
    uint32_t struct_size;
    uint32_t scope; /* JF_SCOPE_HOST or JF_SCOPE_TENANT */
    uint32_t dim;
    uint32_t metric;
    jf_str name;         /* "<plugin>.<name>" */
    jf_array attributes; /* jf_field, numbered from JF_FIELD_FIRST as in records */
} jf_vector_space;

typedef struct jf_vector {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str id;           /* unique in its space and tenant */
    const float* values; /* as many as the space's dimension, all finite */
    jf_array attributes; /* jf_edit with verb SET */
} jf_vector;

typedef struct jf_vector_query {
    uint32_t struct_size;
    uint32_t space;
    uint32_t limit;     /* 0: 10 */
    float least_score;  /* matches below are left out; -INFINITY: none are */
    jf_str tenant;
    const float* values;
    jf_array where;     /* jf_term; all hold */
    jf_array fields;    /* uint16_t: attributes wanted back */
} jf_vector_query;

typedef struct jf_match {
    uint32_t struct_size;
    float score;
    jf_str id;
    jf_array values; /* jf_value, in the order of the query's fields */
} jf_match;

typedef struct jf_matches {
    uint32_t struct_size;
    uint32_t exact; /* 1: every vector was compared; 0: an index may have missed some */
    jf_array matches; /* jf_match */
} jf_matches;

typedef struct jf_vector_stats {
    uint32_t struct_size;
    uint32_t dim;
    uint64_t vectors;
    uint64_t bytes; /* 0 unknown */
} jf_vector_stats;

typedef struct jf_vectors_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Makes the space, or adds attributes that it lacks. CONFLICT: it stands with another dimension, metric or type. */
    jf_status (*ensure)(jf_instance* self, jf_op op, const jf_vector_space* space, jf_error* error) JF_ON(control);
    /* `vectors` are jf_vector; all or none. Found by searches that start after the completion, or later where the provider indexes
     * in its own time: its descriptor says so ("visible_after_ms"). */
    jf_status (*upsert)(jf_instance* self, jf_op op, uint32_t space, jf_str tenant, jf_array vectors, jf_error* error) JF_ON(blocking);
    jf_status (*search)(jf_instance* self, jf_op op, const jf_vector_query* query, jf_error* error) JF_ON(blocking);
    /* By `ids` (jf_str) or, when that is empty, by `where` (jf_term). Both empty removes all of the tenant's. */
    jf_status (*remove)(jf_instance* self, jf_op op, uint32_t space, jf_str tenant, jf_array ids, jf_array where,
                        jf_error* error) JF_ON(blocking);
    jf_status (*stats)(jf_instance* self, jf_op op, uint32_t space, jf_str tenant, jf_error* error) JF_ON(blocking);
} jf_vectors_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
