/* jackfield/records.h: jf.records/1, typed records. Not SQL text: collections are declared, the plugin makes real tables of them.
 *
 * Every record has the fields JF_FIELD_ID..JF_FIELD_UPDATED; declared fields are numbered from JF_FIELD_FIRST in the order of their
 * declaration, and that number is the field's name for ever: new ones are appended. Times are UTC microseconds. Text order is
 * binary. A record of a tenant-scoped collection is found by (tenant, id); an operation on such a collection without a tenant
 * is refused.
 *
 * Values. A value has exactly its field's type; an INT is no REAL. Null is a value of every field without NOT_NULL: it matches
 * IS_NULL only, neither EQ nor NE, and sorts before everything. JSON has neither order nor equality: it can be set, tested for null,
 * appended to and added up. Text is UTF-8 without zero bytes.
 *
 * What an op answers. INVALID, UNSUPPORTED, TOO_NEW and STATE refuse the request at once; what the store's state decides
 * (CONFLICT, QUOTA, TIMEOUT) completes the op. An op that did not complete with OK has changed nothing.
 *
 * Capabilities in the descriptor, under "records": {"claim": true, "text_search": false, "watch": false, "batch": true,
 * "aggregates": true, "include": true, "migrate": false}. What is not declared is false and answers UNSUPPORTED: CLAIM; TEXT terms, `text` and
 * RANK; watch; batch with more than one write; `aggregates`; `include`, `columns` and terms with `via`; migrate.
 *
 * docs/decisions/0011-records.md shows the hardest queries of known products in these terms.
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
#define JF_EV_MIGRATION 0x0703u    /* jf_migration_step, of migrate */
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
#define JF_FIELD_RANK 5u    /* REAL, only in `order`, `fields` and `columns` of a query with `text` or a TEXT term: how well the record fits; greater is better */
#define JF_FIELD_FIRST 8u

#define JF_FIELD_NOT_NULL 1u
#define JF_FIELD_TEXT_SEARCH 2u /* TEXT: its words are found by TEXT terms */
#define JF_FIELD_DROPPED 4u     /* its number stays taken; nothing can be written to it, and it reads as null */
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
    uint32_t version; /* of the declaration, counted from 1 by its author; 0: fields and indexes are only ever appended */
    uint32_t reserved;
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
/* Every word of the value stands in the field. Words are runs of letters and digits, compared without case and diacritics. A word with `*` at
 * its end stands for all that begin so; "words in quotes" follow each other. A value without words matches nothing. */
#define JF_TERM_TEXT 10u
#define JF_TERM_NOT_NULL 11u
typedef struct jf_term {
    uint32_t struct_size;
    uint16_t field;
    uint16_t verb;
    jf_value value;
    jf_array more; /* jf_value, for IN */
    uint16_t via;  /* 0, or a declared reference of the collection: `field` is then the referenced record's. No such record: no match */
    uint16_t reserved;
    uint32_t reserved_2;
} jf_term;

#define JF_EDIT_SET 0u
#define JF_EDIT_INC 1u    /* by value.i or value.f; null counts as 0 */
#define JF_EDIT_MAX 2u
#define JF_EDIT_APPEND 3u /* text to text, an element to a JSON array */
#define JF_EDIT_UNSET 4u
#define JF_EDIT_ADD_EACH 5u /* JSON array of numbers to the field's, element by element; the longer one decides the length, null is empty */
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
#define JF_AGGREGATE_SUM_EACH 5u /* of JSON arrays of numbers, element by element, as ADD_EACH; null when there are none: histograms */
typedef struct jf_aggregate {
    uint32_t struct_size;
    uint16_t field;
    uint16_t verb;
} jf_aggregate;

/* One column of an answer: a field of the collection, or of the record that its reference `via` names (null when there is none). */
typedef struct jf_column {
    uint32_t struct_size;
    uint16_t via; /* 0, or a declared reference */
    uint16_t field;
} jf_column;

/* All terms of `where` hold. With `aggregates` the columns of a row are the group fields, then the aggregates; with bucket_edges the last
 * field of `group` appears as its bucket instead: the index of the last edge <= the value, null for null and below the first. Edges of local
 * days and the like come from jf.host.calendar/1.
 *
 * A row without `columns` and `fields` has every field that the collection has, which may be more than the caller declared: later fields stand
 * behind, so the row's first columns are the caller's. After an `include` that would move what follows: `columns` says exactly what
 * is wanted.
 *
 * Cursors are exact: with what is written between two pages, each record that was there all the time is answered once. Two things are of the
 * moment: groups, and the order by RANK. A cursor goes with the collection, tenant, terms and order that it was made with, else INVALID. */
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
    jf_str text;           /* words as in JF_TERM_TEXT, each of which stands in some TEXT_SEARCH field */
    jf_array columns;      /* jf_column; instead of `fields` and `include` */
} jf_query;

#define JF_WRITE_INSERT 0u        /* CONFLICT when the id or a unique index stands already */
/* By id, or by `unique_index` - 1 when that is not 0. A record that stands gets `edits` where some are given, else `values`, and keeps what they
 * don't name; a new one gets `values`. Values of a unique index that it goes by are needed and not null. */
#define JF_WRITE_UPSERT 1u
#define JF_WRITE_INSERT_OR_GET 2u /* answers the record that stands, as ROWS; affected 1 when it is new, else 0 */
#define JF_WRITE_UPDATE_WHERE 3u  /* edits on records that match id, where and expect_rev */
#define JF_WRITE_DELETE_WHERE 4u
/* Up to `limit` matching records, the first of the order, edited and answered as ROWS. No record goes to two claims whose terms the edits
 * made false, whatever runs at the same time.
 *
 * With fair_by the claim goes round: a value of that field with fewer records under way comes first, `order` decides among equals. Under way are
 * records of that value which match `fair_busy`, and those this claim has taken; with fair_most no value gets beyond that many. So each
 * of a thousand tenants gets its turn, also when each claim takes one record. */
#define JF_WRITE_CLAIM 5u

#define JF_WRITE_REQUIRE 1u /* CONFLICT when it affects no record: makes a batch depend on a lease, or on a token that is unused */
#define JF_WRITE_ERASE 2u   /* DELETE_WHERE, UPDATE_WHERE: what is removed or replaced is not to be found in the store's files either, when the op
                             * completes. Slow. Copies made before are beyond it. TIMEOUT: done, but a reader kept the old pages from being overwritten
                             * until now; they go with its end */
typedef struct jf_write {
    uint32_t struct_size;
    uint32_t verb;
    uint32_t collection;
    uint32_t flags;
    jf_str tenant;
    jf_str id;           /* empty in UPDATE_WHERE, DELETE_WHERE, CLAIM: every record that `where` matches */
    uint64_t expect_rev; /* 0 any. Otherwise CONFLICT when the record has another */
    jf_array values;     /* jf_edit with verb SET, for INSERT, UPSERT, INSERT_OR_GET */
    jf_array edits;      /* jf_edit, for UPDATE_WHERE, CLAIM and UPSERT */
    jf_array where;      /* jf_term */
    jf_array order;      /* jf_order: which come first, for CLAIM and others with a limit */
    uint32_t unique_index;
    uint32_t limit;      /* 0: 1 for CLAIM, no bound for the others */
    uint16_t fair_by;    /* CLAIM: 0 or a declared field */
    uint16_t reserved;
    uint32_t fair_most;  /* 0: no bound */
    jf_array fair_busy;  /* jf_term */
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

#define JF_MIGRATE_PLAN 0u          /* what APPLY would do */
#define JF_MIGRATE_APPLY 1u
#define JF_MIGRATE_PLAN_ROLLBACK 2u /* what ROLLBACK would do */
#define JF_MIGRATE_ROLLBACK 3u      /* takes the last migration back, one for each collection */
#define JF_MIGRATE_STATUS 4u        /* what stands: one STANDS step for each collection, and MIGRATED for each migration done */
#define JF_MIGRATE_LOSSY 1u         /* flag: steps with JF_STEP_LOSSY may be done too */
typedef struct jf_migrate {
    uint32_t struct_size;
    uint32_t action;   /* JF_MIGRATE_PLAN .. STATUS */
    jf_str collection; /* empty: all */
    uint32_t flags;
    uint32_t reserved;
} jf_migrate;

#define JF_STEP_STANDS 0u
#define JF_STEP_ADD_FIELD 1u
#define JF_STEP_RENAME_FIELD 2u
#define JF_STEP_RETYPE_FIELD 3u
#define JF_STEP_DROP_FIELD 4u
#define JF_STEP_FIELD_FLAGS 5u /* NOT_NULL, TEXT_SEARCH, references */
#define JF_STEP_INDEXES 6u
#define JF_STEP_BACKUP 7u      /* a copy of the store, made before */
#define JF_STEP_MIGRATED 8u    /* STATUS: a migration that was done */
#define JF_STEP_LOSSY 1u       /* values are lost with it, or only a rollback brings them back */
#define JF_STEP_BLOCKED 2u     /* can't be done as things stand; `text` says why */
#define JF_STEP_REVERSIBLE 4u  /* ROLLBACK takes it back */
typedef struct jf_migration_step {
    uint32_t struct_size;
    uint32_t kind;
    jf_str collection;
    jf_str text; /* a sentence for people */
    uint32_t from_version;
    uint32_t to_version;
    uint64_t rows; /* that it touches */
    uint64_t lost; /* values without a counterpart afterwards */
    uint32_t estimate_ms;
    uint32_t flags; /* JF_STEP_LOSSY .. */
} jf_migration_step;

typedef struct jf_records_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Makes the collection, or extends it by the fields and indexes it lacks. An older declaration that is how the newer one begins fits, too.
     * CONFLICT: it stands otherwise. With a later version the declaration is kept for migrate(), where the store has that; with an earlier one the
     * data is newer than the program, and the text says so. */
    jf_status (*declare)(jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) JF_ON(control);
    jf_status (*query)(jf_instance* self, jf_op op, const jf_query* query, jf_error* error) JF_ON(blocking);
    /* Durable when the op completes with OK. */
    jf_status (*write)(jf_instance* self, jf_op op, const jf_write* write, jf_error* error) JF_ON(blocking);
    /* jf_write after jf_write: all or none. `affected` is the sum; ROWS of the writes that answer some, in order. */
    jf_status (*batch)(jf_instance* self, jf_op op, jf_array writes, jf_error* error) JF_ON(blocking);
    /* WAKE on the op whenever the collection may have changed, until it is cancelled; several changes may share one. Without a
     * tenant: changes of any. A hint beside polling, never the only way to learn of something. May be null. */
    jf_status (*watch)(jf_instance* self, jf_op op, uint32_t collection, jf_str tenant, jf_error* error) JF_ON(blocking);
    /* Plans, does and takes back what brings stored collections to the declarations that were refused for a later version. MIGRATION events tell
     * the steps in order; each collection is changed wholly or not at all. CONFLICT: a step is blocked, or lossy without the flag.
     * Nothing else may use the collections meanwhile; they are declared anew afterwards. May be null. */
    jf_status (*migrate)(jf_instance* self, jf_op op, const jf_migrate* request, jf_error* error) JF_ON(blocking);
} jf_records_v1;

/* ---- jf.host.calendar/1, a facility of the host's --------------------------------------------------------------------------- */
#define JF_FACILITY_CALENDAR "jf.host.calendar/1"
#define JF_CALENDAR_HOUR 0u
#define JF_CALENDAR_DAY 1u
#define JF_CALENDAR_WEEK 2u /* Monday first, ISO 8601 */
#define JF_CALENDAR_MONTH 3u
typedef struct jf_host_calendar_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* The local beginnings of hours, days, weeks or months in `zone` (IANA; empty: the instance's tenant's), in UTC microseconds: from the one that holds
     * `from_us` to the first at or after `to_us`, so that n - 1 buckets cover the span whatever the clocks did in it. Writes at most `capacity`
     * and answers how many there are in *n. INVALID: no such zone or unit, or the span has more than 100000. */
    jf_status (*edges)(jf_host_ctx* ctx, jf_str zone, uint32_t unit, int64_t from_us, int64_t to_us, int64_t* out,
                       uint32_t capacity, uint32_t* n) JF_ON(any);
} jf_host_calendar_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
