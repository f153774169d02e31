/* jackfield/vectors.h: jf.vectors/1, vectors with attributes, found by nearness.
 *
 * A space is a collection of vectors of one dimension and one metric; within it a tenant sees only its own. Filters are the terms of
 * records.h over the space's declared attributes. The vectors here are float32 arrays whose stride is sizeof(float); their number is the
 * dimension. INVALID: another dimension than the space's (the text names both), a value that is not finite, a zero vector in a
 * cosine space, which points nowhere.
 *
 * Capabilities in the descriptor, under "vectors": {"metrics": ["cosine"], "max_dim": 4096, "filter": true, "exact_below": 20000,
 * "visible_after_ms": 0}.
 */
#ifndef JACKFIELD_VECTORS_H
#define JACKFIELD_VECTORS_H

#include <jackfield/base.h>
#include <jackfield/records.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_VECTORS_V1 "jf.vectors/1"

#define JF_EV_MATCHES 0x0a01u       /* jf_matches, nearest first, as `last` of search */
#define JF_EV_SPACE 0x0a02u         /* as `last` of ensure: pos = the space's handle, never 0, the same for as long as the instance lives */
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
    jf_str name;         /* "<plugin>.<name>": [a-z0-9_.]; the host forms the first part */
    jf_array attributes; /* jf_field, numbered from JF_FIELD_FIRST as in records */
} jf_vector_space;

typedef struct jf_vector {
    uint32_t struct_size;
    uint32_t reserved;
    jf_str id;           /* unique in its space and tenant; never empty, at most 256 bytes */
    jf_array values;     /* float */
    jf_array attributes; /* jf_edit with verb SET; those left out are null */
} jf_vector;

typedef struct jf_vector_upsert {
    uint32_t struct_size;
    uint32_t space;   /* handle from ensure */
    jf_str tenant;    /* empty in host-scoped spaces, and only there */
    jf_array vectors; /* jf_vector */
} jf_vector_upsert;

typedef struct jf_vector_query {
    uint32_t struct_size;
    uint32_t space;
    uint32_t limit;     /* 0: 10; at most 10000 */
    float least_score;  /* matches below are left out; -INFINITY: none are */
    jf_str tenant;
    jf_array values;    /* float */
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
    uint32_t exact; /* 1: every vector that the terms let through was compared; 0: an index may have missed some */
    jf_array matches; /* jf_match, nearest first; equal scores in no order that is promised */
} jf_matches;

/* By `ids`, by `where`, or by both: of these ids those that match. Both empty removes all of the tenant's. */
typedef struct jf_vector_remove {
    uint32_t struct_size;
    uint32_t space;
    jf_str tenant;
    jf_array ids;   /* jf_str */
    jf_array where; /* jf_term; all hold */
} jf_vector_remove;

typedef struct jf_vector_stats {
    uint32_t struct_size;
    uint32_t dim;
    uint64_t vectors; /* of the tenant */
    uint64_t bytes;   /* that their values take where they are kept; 0 unknown */
    uint64_t memory;  /* bytes of the provider's memory that serve searches of these at the moment; 0 none or unknown */
    uint64_t indexed; /* how many an index covers at the moment; the others are compared one by one */
} jf_vector_stats;

typedef struct jf_vectors_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Makes the space, or adds attributes that it lacks. CONFLICT: it stands with another scope, dimension, metric or
     * type. UNSUPPORTED: a metric or dimension that the provider hasn't. */
    jf_status (*ensure)(jf_instance* self, jf_op op, const jf_vector_space* space, jf_error* error) JF_ON(control);
    /* All or none, durable when the op completes with OK. Found by searches that start after the completion, or later where the provider
     * indexes in its own time: its descriptor says so ("visible_after_ms"). An id given twice: the later one stands. */
    jf_status (*upsert)(jf_instance* self, jf_op op, const jf_vector_upsert* upsert, jf_error* error) JF_ON(blocking);
    /* Completes with MATCHES. NOT_FOUND: there is no space of that handle. INVALID: another dimension, an attribute that was not declared. */
    jf_status (*search)(jf_instance* self, jf_op op, const jf_vector_query* query, jf_error* error) JF_ON(blocking);
    jf_status (*remove)(jf_instance* self, jf_op op, const jf_vector_remove* remove, jf_error* error) JF_ON(blocking);
    jf_status (*stats)(jf_instance* self, jf_op op, uint32_t space, jf_str tenant, jf_error* error) JF_ON(blocking);
} jf_vectors_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
