/* jackfield/records.h: jf.records/1, typed records. Not SQL text: collections are declared, the plugin makes real tables of them.
 *
 * Every record has the fields JF_FIELD_ID..JF_FIELD_UPDATED; declared fields are numbered from JF_FIELD_FIRST in the order of their
 * declaration, and that number is the field's name for ever: new ones are appended. Times are UTC microseconds. Text order is
 * binary. A record of a tenant-scoped collection is found by (tenant, id); an operation on such a collection without a tenant
 * is refused.
 *
 * Capabilities in the descriptor, under "records": {"claim": true, "text_search": false, "watch": false, "batch": true}.
 */
#ifndef JACKFIELD_RECORDS_H
#define JACKFIELD_RECORDS_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_RECORDS_V1 "jf.records/1"

#define JF_EV_ROWS 0x0701u         /* jf_rows */
#define JF_EV_WAKE 0x0702u         /* watch: something changed; no data */
#define JF_EV_DECLARED 0x07feu     /* as `last` of declare: pos = the collection's handle */
#define JF_EV_RECORDS_DONE 0x07ffu /* jf_records_done, as `last` of query, write and batch */

#define JF_VALUE_NULL 0u
#define JF_VALUE_INT 1u   /* i */
#define JF_VALUE_REAL 2u  /* f, finite */
#define JF_VALUE_TEXT 3u  /* s, UTF-8 */
#define JF_VALUE_BYTES 4u /* s */
#define JF_VALUE_TIME 5u  /* i, UTC microseconds since 1970 */
#define JF_VALUE_BOOL 6u  /* i, 0 or 1 */
#define JF_VALUE_JSON 7u  /* s, JSON text */

typedef struct jf_value {
    uint32_t type;
    uint32_t reserved;
    int64_t i;
    double f;
    jf_str s;
} jf_value;

#define JF_FIELD_ID 0u      /* TEXT, the caller's; unique in its tenant and collection */
#define JF_FIELD_TENANT 1u  /* TEXT, empty in host-scoped collections */
#define JF_FIELD_REV 2u     /* INT, 1 at first, +1 with each change */
#define JF_FIELD_CREATED 3u /* TIME */
#define JF_FIELD_UPDATED 4u /* TIME */
#define JF_FIELD_FIRST 8u

#define JF_FIELD_NOT_NULL 1u
#define JF_FIELD_TEXT_SEARCH 2u
typedef struct jf_field {
    uint32_t struct_size;
    uint16_t type; /* JF_VALUE_* */
    uint16_t flags;
    jf_str name;       /* [a-z][a-z0-9_]* */
    jf_str references; /* a collection whose ids stand here, or empty */
} jf_field;

#define JF_INDEX_UNIQUE 1u
typedef struct jf_index {
    uint32_t struct_size;
    uint32_t flags;
    jf_array fields; /* uint16_t field numbers, in order; the tenant comes first by itself */
} jf_index;

#define JF_SCOPE_HOST 0u
#define JF_SCOPE_TENANT 1u
typedef struct jf_collection {
    uint32_t struct_size;
    uint32_t scope;
    jf_str name;     /* "<plugin>.<name>" or "jf.<name>": [a-z0-9_.]; the host forms the first part */
    jf_array fields; /* jf_field */
    jf_array indexes; /* jf_index */
} jf_collection;

#define JF_TERM_EQ 0u
#define JF_TERM_NE 1u
#define JF_TERM_LT 2u
#define JF_TERM_LE 3u
#define JF_TERM_GT 4u
#define JF_TERM_GE 5u
#define JF_TERM_IN 6u /* value is the first of `more` */
#define JF_TERM_PREFIX 7u
#define JF_TERM_CONTAINS 8u
#define JF_TERM_IS_NULL 9u
#define JF_TERM_TEXT 10u
#define JF_TERM_NOT_NULL 11u
typedef struct jf_term {
    uint32_t struct_size;
    uint16_t field;
    uint16_t verb;
    jf_value value;
    jf_array more; /* jf_value, for IN */
} jf_term;

#define JF_EDIT_SET 0u
#define JF_EDIT_INC 1u    /* by value.i or value.f; null counts as 0 */
#define JF_EDIT_MAX 2u
#define JF_EDIT_APPEND 3u /* text to text, an element to a JSON array */
#define JF_EDIT_UNSET 4u
typedef struct jf_edit {
    uint32_t struct_size;
    uint16_t field;
    uint16_t verb;
    jf_value value;
} jf_edit;

typedef struct jf_order {
    uint32_t struct_size;
    uint16_t field;
    uint16_t descending; /* 1: largest first. The id breaks ties, so that cursors are exact */
} jf_order;

#define JF_AGGREGATE_COUNT 0u
#define JF_AGGREGATE_SUM 1u
#define JF_AGGREGATE_MIN 2u
#define JF_AGGREGATE_MAX 3u
#define JF_AGGREGATE_AVG 4u
typedef struct jf_aggregate {
    uint32_t struct_size;
    uint16_t field;
    uint16_t verb;
} jf_aggregate;

/* All terms of `where` hold. With `aggregates` the columns of a row are the group fields, then the bucket (index into
 * bucket_edges of the last edge <= the value; the field is the last of `group`), then the aggregates. */
typedef struct jf_query {
    uint32_t struct_size;
    uint32_t collection; /* handle from declare */
    uint32_t limit;      /* 0: 1000 */
    uint32_t flags;
    jf_str tenant;
    jf_array where;   /* jf_term */
    jf_array order;   /* jf_order; empty: by id */
    jf_array fields;  /* uint16_t; empty: all, as id, tenant, rev, created, updated, then the declared ones */
    jf_array include; /* uint16_t: declared references to follow; their records' fields are appended to the row */
    jf_array group;   /* uint16_t */
    jf_array aggregates;   /* jf_aggregate */
    jf_array bucket_edges; /* int64_t, ascending */
    jf_bytes cursor;       /* from the jf_records_done before, or empty */
    jf_str text;           /* words, for JF_TERM_TEXT over every TEXT_SEARCH field */
} jf_query;

#define JF_WRITE_INSERT 0u        /* CONFLICT when the id or a unique index stands already */
#define JF_WRITE_UPSERT 1u        /* by id, or by `unique_index` - 1 when that is not 0 */
#define JF_WRITE_INSERT_OR_GET 2u /* answers the record that stands, as ROWS; affected 1 when it is new, else 0 */
#define JF_WRITE_UPDATE_WHERE 3u  /* edits on records that match id, where and expect_rev */
#define JF_WRITE_DELETE_WHERE 4u
#define JF_WRITE_CLAIM 5u         /* up to `limit` matching records nobody else is claiming: edited and answered as ROWS */
typedef struct jf_write {
    uint32_t struct_size;
    uint32_t verb;
    uint32_t collection;
    uint32_t flags;
    jf_str tenant;
    jf_str id;           /* empty in UPDATE_WHERE, DELETE_WHERE, CLAIM: every record that `where` matches */
    uint64_t expect_rev; /* 0 any. Otherwise CONFLICT when the record has another */
    jf_array values;     /* jf_edit with verb SET, for INSERT, UPSERT, INSERT_OR_GET */
    jf_array edits;      /* jf_edit, for UPDATE_WHERE and CLAIM */
    jf_array where;      /* jf_term */
    jf_array order;      /* jf_order, for CLAIM */
    uint32_t unique_index;
    uint32_t limit;      /* 0: 1 for CLAIM, no bound for the others */
} jf_write;

typedef struct jf_rows {
    uint32_t struct_size;
    uint32_t columns;
    jf_array values; /* jf_value, row after row */
} jf_rows;

typedef struct jf_records_done {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t affected;
    uint64_t revision; /* of the one record written, else 0 */
    jf_bytes cursor;   /* empty: no more rows */
} jf_records_done;

typedef struct jf_records_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Makes the collection, or extends it by the fields and indexes it lacks. CONFLICT: it stands with other types. */
    jf_status (*declare)(jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) JF_ON(control);
    jf_status (*query)(jf_instance* self, jf_op op, const jf_query* query, jf_error* error) JF_ON(blocking);
    /* Durable when the op completes with OK. */
    jf_status (*write)(jf_instance* self, jf_op op, const jf_write* write, jf_error* error) JF_ON(blocking);
    /* jf_write after jf_write: all or none. `affected` is the sum; ROWS of the writes that answer some, in order. */
    jf_status (*batch)(jf_instance* self, jf_op op, jf_array writes, jf_error* error) JF_ON(blocking);
    /* WAKE on the op whenever the collection may have changed, until it is cancelled. May be null. */
    jf_status (*watch)(jf_instance* self, jf_op op, uint32_t collection, jf_str tenant, jf_error* error) JF_ON(blocking);
} jf_records_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
