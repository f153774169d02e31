/* jackfield/draft/blobs.h: jf.blobs/0, large immutable objects: recordings above all. Draft: loads only where the operator opted in, and
 * may change.
 *
 * Keys are "<tenant>/<what>/<id>"; the host forms the first part. An object is written once, whole, and appears only when its writing has
 * completed.
 *
 * Capabilities in the descriptor, under "blobs": {"max_bytes": 5368709120, "ranges": true, "links": true, "expiry": true}.
 */
#ifndef JACKFIELD_DRAFT_BLOBS_H
#define JACKFIELD_DRAFT_BLOBS_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_BLOBS_V0 "jf.blobs/0"

#define JF_EV_BLOB_DATA 0x1001u /* jf_bytes; pos = offset in the object */
#define JF_EV_BLOB_INFO 0x1002u /* jf_blob_info, before the first data of get; as `last` of put and stat */
#define JF_EV_BLOB_KEYS 0x1003u /* jf_blob_keys */
#define JF_EV_BLOB_LINK 0x1004u /* jf_str, as `last` of link */

typedef struct jf_blob_info {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t bytes;
    int64_t written_us;  /* UTC microseconds */
    int64_t expires_us;  /* 0 never */
    uint8_t sha256[32];  /* of the contents */
    jf_str media_type;
} jf_blob_info;

typedef struct jf_blob_put {
    uint32_t struct_size;
    uint32_t flags;      /* JF_BLOB_* */
    jf_str key;
    jf_str media_type;
    uint64_t bytes;      /* the whole length when it is known, else UINT64_MAX */
    int64_t expires_us;  /* UTC microseconds, 0 never */
} jf_blob_put;
#define JF_BLOB_REPLACE 1u /* without it an object that stands is CONFLICT */

typedef struct jf_blob_keys {
    uint32_t struct_size;
    uint32_t reserved;
    jf_array keys;   /* jf_str */
    jf_bytes cursor; /* for the next list(); empty: no more */
} jf_blob_keys;

typedef struct jf_blobs_v0 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Opens an object for writing; data follows by write(), then finish(). Cancelled or failed, nothing of it remains. */
    jf_status (*put)(jf_instance* self, jf_op op, const jf_blob_put* put, jf_error* error) JF_ON(blocking);
    /* In order. AGAIN: wait for CREDIT. */
    jf_status (*write)(jf_instance* self, jf_op op, jf_bytes data) JF_ON(blocking);
    /* Durable and readable when the op completes with OK. */
    jf_status (*finish)(jf_instance* self, jf_op op) JF_ON(blocking);
    /* `length` bytes from `offset`, UINT64_MAX: to the end. NOT_FOUND. */
    jf_status (*get)(jf_instance* self, jf_op op, jf_str key, uint64_t offset, uint64_t length, jf_error* error) JF_ON(blocking);
    jf_status (*stat)(jf_instance* self, jf_op op, jf_str key, jf_error* error) JF_ON(blocking);
    /* OK also when there was none. */
    jf_status (*remove)(jf_instance* self, jf_op op, jf_str key, jf_error* error) JF_ON(blocking);
    jf_status (*list)(jf_instance* self, jf_op op, jf_str prefix, jf_bytes cursor, uint32_t limit, jf_error* error) JF_ON(blocking);
    /* An address that anybody may read the object from for `seconds`. May be null. */
    jf_status (*link)(jf_instance* self, jf_op op, jf_str key, uint32_t seconds, jf_error* error) JF_ON(blocking);
} jf_blobs_v0;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
