/* jackfield/module.h: what a plugin file exports, and what the host reads from it before it loads it.
 *
 * One symbol is exported, jf_module_entry_v1. An ELF note (owner "Jackfield", type 1) and the ELF section `.jackfield.desc` (JSON,
 * the descriptor) are read from the file without executing anything; jackfield_add_plugin() makes both.
 */
#ifndef JACKFIELD_MODULE_H
#define JACKFIELD_MODULE_H

#include <jackfield/host.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_NOTE_OWNER "Jackfield"
#define JF_NOTE_TYPE 1u
#define JF_DESCRIPTOR_SECTION ".jackfield.desc"
/* The note's contents. */
typedef struct jf_note {
    uint32_t abi_major;
    uint32_t abi_need_minor; /* the smallest minor that the plugin can work with */
    uint32_t abi_built_minor;
    uint32_t flags; /* JF_MODULE_* */
} jf_note;

#define JF_MODULE_USES_DRAFTS 1u /* needs an interface in draft/: loads only where the operator opted in */

typedef struct jf_instance_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Brings the instance into service: connects, listens, registers. Completes the op when it serves. Its failure is the instance's:
     * the host tries again with back-off. */
    jf_status (*start)(jf_instance* self, jf_op op, jf_error* error) JF_ON(control);
    /* No new work from outside; completes the op when what runs is done, at the latest after budget_ms. */
    jf_status (*quiesce)(jf_instance* self, jf_op op, uint32_t budget_ms) JF_ON(control);
    /* Every op of the instance has completed. Frees the instance; nothing may be called or emitted afterwards. */
    void (*destroy)(jf_instance* self) JF_ON(control);
    /* A table for the interface ("jf.stt/1"), or null. The table lives as long as the mapping. */
    const void* (*query)(jf_instance* self, jf_str interface_id) JF_ON(any);
    /* The host gives up an op that it started here. Idempotent; the completion follows within 1000 ms, else the host
     * completes the op itself and marks the plugin. INVALID: unknown op (it may have completed just now). */
    jf_status (*cancel)(jf_instance* self, jf_op op) JF_ON(stream);
    /* Completes the op with OK when the instance could serve now. May be null: always healthy. */
    jf_status (*health)(jf_instance* self, jf_op op, jf_error* error) JF_ON(control);
} jf_instance_v1;

typedef struct jf_module_v1 {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_need_minor;
    uint32_t abi_built_minor;
    uint64_t flags;
    jf_str build_id;
    /* Once per mapping, before anything else. `host` here has no instance: only log, now_ns and query work on it. */
    jf_status (*init)(const jf_host_v1* host, jf_error* error) JF_ON(control);
    /* Once, at process exit. The mapping stays. */
    void (*deinit)(void) JF_ON(control);
    /* Makes an instance, without connecting to anything. `config_json` has been checked against the descriptor's schema and has the defaults
     * filled in; `config_pairs` (jf_pair) is the same, flattened. `host` outlives the instance; config is borrowed. */
    jf_status (*create)(const jf_host_v1* host, jf_str plugin_id, jf_str config_json, jf_array config_pairs,
                        jf_instance** out, const jf_instance_v1** table, jf_error* error) JF_ON(control);
} jf_module_v1;

/* Never null. Pure; called once per mapping. */
JF_EXPORT const jf_module_v1* jf_module_entry_v1(void);

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
