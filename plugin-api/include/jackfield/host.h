/* jackfield/host.h: what the host gives a plugin. One table per instance; ctx carries the instance's identity and, where it has
 * one, its tenant. Everything further is a facility, asked for by id with query(): each facility is a table whose functions
 * take the same ctx.
 *
 * Using something takes two steps: op_open() an op with a sink, then the facility's (or another provider's) start function on it.
 * When the start function answers an error, nothing will be called back: cancel() the op to give it up, or try again on it.
 */
#ifndef JACKFIELD_HOST_H
#define JACKFIELD_HOST_H

#include <jackfield/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JF_LOG_DEBUG 0u
#define JF_LOG_INFO 1u  /* a milestone */
#define JF_LOG_WARN 2u  /* degraded */
#define JF_LOG_ERROR 3u /* someone must act */

typedef struct jf_host_v1 {
    uint32_t struct_size;
    uint32_t abi_minor; /* the host's */
    jf_host_ctx* ctx;

    /* A facility's table, or null when this host has none of that id. The table lives as long as the process. */
    const void* (*query)(jf_host_ctx* ctx, jf_str facility_id) JF_ON(any);

    /* Opens an op that this instance will use. `parent` is JF_NO_OP (the instance itself is the parent) or an open op of this
     * instance: the child runs on the parent's strand, and closing the parent closes the child.
     * INVALID: the parent is not an open op of this instance, or the sink is incomplete. QUOTA: too many ops are open. */
    jf_status (*op_open)(jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) JF_ON(any);

    /* Reports events on an op that the host started on this instance. Copied before it returns; delivered later, in order, never
     * from inside this call. AGAIN: the host's queue is full and none was taken; drop or retry. INVALID: not such an op, or it
     * has completed; counted, harmless. */
    jf_status (*emit)(jf_host_ctx* ctx, jf_op op, const jf_event* events, uint32_t n) JF_ON(any);

    /* Ends an op that the host started on this instance, after the events emitted before. `last` and `error` may be null. Never
     * refused for a full queue. A second completion is INVALID, counted and dropped. */
    jf_status (*complete)(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last,
                          const jf_error* error) JF_ON(any);

    /* Gives up an op that this instance opened. Idempotent. A started op still completes, exactly once, usually CANCELLED; one that was
     * never started closes silently. */
    jf_status (*cancel)(jf_host_ctx* ctx, jf_op op) JF_ON(any);

    /* `event` is a constant name ("stt.reconnect"), `fields` are jf_pair. No audio, transcript, phone number or key belongs here.
     * op is 0 or the op that it is about: the host adds call and tenant. */
    void (*log)(jf_host_ctx* ctx, uint32_t level, jf_op op, jf_str event, jf_array fields) JF_ON(any);

    /* The host's monotonic clock, simulated in tests. */
    uint64_t (*now_ns)(jf_host_ctx* ctx) JF_ON(any);

    /* JF_THREAD_*: what the calling thread is at the moment. */
    uint32_t (*thread_class)(jf_host_ctx* ctx) JF_ON(any);
} jf_host_v1;

/* ---- jf.host.timer/1 ------------------------------------------------------------------------------------------------------ */
#define JF_FACILITY_TIMER "jf.host.timer/1"
typedef struct jf_host_timer_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Completes the op with OK once `delay_ns` has passed; 0 is the way to get from a foreign thread onto the op's
     * strand. cancel(op) completes it with CANCELLED. */
    jf_status (*start)(jf_host_ctx* ctx, jf_op op, uint64_t delay_ns) JF_ON(any);
} jf_host_timer_v1;

/* ---- jf.host.worker/1 ----------------------------------------------------------------------------------------------------- */
#define JF_FACILITY_WORKER "jf.host.worker/1"
typedef struct jf_host_worker_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Runs work(user, op) on a pool thread of lower priority, where it may block; the op completes on its strand with what work
     * returned. `work` is run exactly once when this answered OK, also after cancel(op). AGAIN: the pool's queue is full. */
    jf_status (*start)(jf_host_ctx* ctx, jf_op op, jf_status (*work)(void* user, jf_op op), void* user) JF_ON(any);
} jf_host_worker_v1;

/* ---- jf.host.net/1 -------------------------------------------------------------------------------------------------------- */
#define JF_FACILITY_NET "jf.host.net/1"
#define JF_EV_DATAGRAM 0x0101u      /* jf_datagram */
#define JF_EV_TCP_CONNECTED 0x0102u /* jf_tcp_connected: the first event of each connection */
#define JF_EV_TCP_DATA 0x0103u      /* jf_tcp_data */
#define JF_EV_TCP_WRITABLE 0x0104u  /* no data: after tcp_send has answered AGAIN there is room again */
#define JF_EV_TCP_INCOMING 0x0105u  /* jf_tcp_incoming, on a listener's op */

#define JF_NET_IPV4 4u
#define JF_NET_IPV6 6u
/* An address without padding or host types. */
typedef struct jf_endpoint {
    uint8_t ip[16]; /* network order; IPv4 in the first four */
    uint16_t port;  /* host byte order */
    uint16_t family;
    uint32_t scope_id;
} jf_endpoint;

typedef struct jf_datagram {
    uint32_t struct_size;
    uint32_t reserved;
    jf_endpoint from;
    jf_bytes data;
} jf_datagram;

typedef struct jf_udp_open {
    uint32_t struct_size;
    uint16_t port_first; /* 0, 0: any port. Otherwise an even port in [port_first, port_last] is taken; n, n: port n, also an odd one (RTCP) */
    uint16_t port_last;
    jf_endpoint bind;       /* port ignored; family says which; a zero ip is any */
    uint32_t dscp;          /* IP differentiated services code point, 46 (EF) for audio */
    uint32_t receive_bytes; /* kernel receive buffer wanted, 0 the default */
} jf_udp_open;

typedef struct jf_tcp_connected {
    uint32_t struct_size;
    uint32_t reserved;
    jf_endpoint local;
    jf_endpoint remote;
} jf_tcp_connected;

/* The next bytes of the stream, at most 16 KiB at a time; where they are cut means nothing (RFC 9293 3.7). */
typedef struct jf_tcp_data {
    uint32_t struct_size;
    uint32_t reserved;
    jf_bytes data;
} jf_tcp_data;

typedef struct jf_tcp_incoming {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t connection; /* for tcp_accept, once, within 10 seconds; then the host closes it */
    jf_endpoint from;
    jf_endpoint to;
} jf_tcp_incoming;

typedef struct jf_tcp_listen {
    uint32_t struct_size;
    uint32_t most_waiting; /* connections that nobody has accepted yet; more are closed at once. 0: 64 */
    jf_endpoint bind;      /* port 0: any; a zero ip is any */
    uint32_t send_bytes;   /* of each connection: what may wait to be sent. 0: 262144, at most 16777216 */
    uint32_t dscp;
} jf_tcp_listen;

typedef struct jf_tcp_connect {
    uint32_t struct_size;
    uint32_t timeout_ms; /* until the connection stands. 0: 10000 */
    jf_endpoint to;      /* an address: names are not looked up */
    uint32_t send_bytes; /* as above */
    uint32_t dscp;
} jf_tcp_connect;

/* udp_open and tcp_listen answer with a port, so they are called where the host can wait for it: on the op's strand, from `start` and other control
 * calls, from worker calls, and from an instance's own thread (placement = "thread"). STATE elsewhere.
 *
 * An op that carries a connection ends with OK when either side has closed it in good order (what the peer sent before comes first; half-closed
 * connections are not kept: when the peer has finished, what waits to be sent is sent and the connection closes), PEER_LOST when it broke or
 * could not be made, TIMEOUT when it was not made in time or the peer does not take what tcp_finish still had to send, CANCELLED at once. */
typedef struct jf_host_net_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Binds a UDP socket on the op's shard; its datagrams arrive as JF_EV_DATAGRAM on the op's sink until the op is cancelled or
     * its parent closes. *local gets the bound address. QUOTA: no port of the range is free. */
    jf_status (*udp_open)(jf_host_ctx* ctx, jf_op op, const jf_udp_open* options, jf_endpoint* local) JF_ON(stream);
    /* Sends now or never: AGAIN when the socket's buffer is full. Only on the op's strand. */
    jf_status (*udp_send)(jf_host_ctx* ctx, jf_op op, const jf_endpoint* to, jf_bytes data) JF_ON(media);
    /* From here on appended to 1.0-rc0: look with JF_HAS. Listens on the op's shard until the op ends: each connection is a JF_EV_TCP_INCOMING. QUOTA: the port is taken. */
    jf_status (*tcp_listen)(jf_host_ctx* ctx, jf_op op, const jf_tcp_listen* options, jf_endpoint* local) JF_ON(stream);
    /* The connection of a JF_EV_TCP_INCOMING becomes `op`'s, on that op's shard. NOT_FOUND: it was taken, or waited too long. Any thread. */
    jf_status (*tcp_accept)(jf_host_ctx* ctx, jf_op op, uint64_t connection) JF_ON(stream);
    /* Any thread. OK: the op carries the attempt, JF_EV_TCP_CONNECTED or its completion follows. */
    jf_status (*tcp_connect)(jf_host_ctx* ctx, jf_op op, const jf_tcp_connect* options) JF_ON(stream);
    /* Takes all or nothing; what the peer does not take yet waits in the host. AGAIN: too much waits already, JF_EV_TCP_WRITABLE will follow.
     * STATE: not connected, or behind tcp_finish. Only on the op's strand. */
    jf_status (*tcp_send)(jf_host_ctx* ctx, jf_op op, jf_bytes data) JF_ON(media);
    /* 0: no more JF_EV_TCP_DATA until 1, so that the peer has to wait. Only on the op's strand. */
    jf_status (*tcp_receive)(jf_host_ctx* ctx, jf_op op, uint32_t on) JF_ON(media);
    /* Sends what waits, then closes; within 10 seconds. What still comes is thrown away. Only on the op's strand. */
    jf_status (*tcp_finish)(jf_host_ctx* ctx, jf_op op) JF_ON(media);
    /* The connection goes from one op to another that was opened and not started, as to a call's, whose shard may be another one: `from` ends with OK,
     * `to` begins with JF_EV_TCP_CONNECTED. Nothing is lost or doubled. Only on the strand of `from`. */
    jf_status (*tcp_move)(jf_host_ctx* ctx, jf_op from, jf_op to) JF_ON(stream);
} jf_host_net_v1;

/* ---- jf.host.calls/1 ------------------------------------------------------------------------------------------------------ */
#define JF_FACILITY_CALLS "jf.host.calls/1"
typedef struct jf_incoming {
    uint32_t struct_size;
    uint32_t flags;
    jf_str leg;         /* the provider's id of this leg, unique for ever within the provider (SIP Call-ID) */
    jf_str from;        /* caller, E.164 where it is a number, else as the provider has it */
    jf_str from_name;   /* display name, may be empty */
    jf_str to;          /* called, likewise */
    jf_array keys;      /* jf_str: routing keys, most specific first, as agents name them after "instance/" */
    jf_bytes leg_state; /* at most 4096 bytes: what jf.telephony/1 reap() needs to hang this leg up after a crash */
    jf_array headers;   /* jf_pair: what the provider said besides, for tools and records */
} jf_incoming;

typedef struct jf_host_calls_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* A call has come in. Mints its op, which the host has started on this instance: emit on it, complete it when the leg is gone.
     * The host binds tenant and agent by the keys, stores the leg, and then calls answer, control(REJECT) or hangup of
     * jf.telephony/1 on the op, maybe on another thread and before this function has returned: have answer() wait for the lock that you hold over incoming().
     * STATE: the host takes no new calls at present (draining): refuse so that the carrier reroutes (503). QUOTA: full. There is no op then, nothing to complete. */
    jf_status (*incoming)(jf_host_ctx* ctx, const jf_incoming* call, jf_op* out) JF_ON(any);
} jf_host_calls_v1;

/* ---- jf.host.providers/1 -------------------------------------------------------------------------------------------------- */
#define JF_FACILITY_PROVIDERS "jf.host.providers/1"
/* A provider of the tenant's, as this instance may use it: a table of the interface asked for and the instance to pass to
 * it. Both stand for the host's thunks; open an op with a sink first. Interfaces: llm, embedding, messaging, telemetry, tools, vectors.
 *
 * A thunk checks the request (INVALID) and the answer (what is against the contract ends the op with INTERNAL), confines data to the consumer's
 * tenant, lets a consumer have 64 ops under way with one provider (QUOTA), and gives up what takes too long (TIMEOUT): after deadline_ms of the
 * request or 60 s for embed, 30 s for a tool, 10 s for a list of tools, 60 s for a message, 30 s for telemetry and vectors. A generation of
 * llm ends when its consumer cancels it, and so does a poll. Vectors: only in spaces named "<plugin>.<name>" that this instance ensured. */
typedef struct jf_provider_ref {
    uint32_t struct_size;
    uint32_t reserved;
    jf_instance* instance;
    const void* table; /* e.g. const jf_llm_v1* */
} jf_provider_ref;

typedef struct jf_host_providers_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* `name` is the [providers.*] name in the configuration, also "host:name". NOT_FOUND, or UNSUPPORTED when it has no such
     * interface. The reference is valid until this instance is destroyed. */
    jf_status (*find)(jf_host_ctx* ctx, jf_str name, jf_str interface_id, jf_provider_ref* out, jf_error* error) JF_ON(any);
} jf_host_providers_v1;

/* ---- jf.host.records/1 ---------------------------------------------------------------------------------------------------- */
/* The tenant's record store, as jf_provider_ref for jf.records/1 (records.h). Every operation through it is confined to the
 * instance's tenant and to collections that this instance declared, named `<plugin>.<name>`; others are refused with AUTH. */
#define JF_FACILITY_RECORDS "jf.host.records/1"
typedef struct jf_host_records_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    jf_status (*find)(jf_host_ctx* ctx, jf_provider_ref* out, jf_error* error) JF_ON(any);
} jf_host_records_v1;

/* ---- jf.host.metrics/1 ---------------------------------------------------------------------------------------------------- */
#define JF_FACILITY_METRICS "jf.host.metrics/1"
typedef struct jf_host_metrics_v1 {
    uint32_t struct_size;
    uint32_t reserved;
    /* Adds to the counter `jackfield_plugin_<name>_total{provider=...,tenant=...}`. `name` is a constant of [a-z0-9_]. */
    void (*count)(jf_host_ctx* ctx, jf_str name, uint64_t n) JF_ON(any);
    /* Sets the gauge `jackfield_plugin_<name>{...}`. */
    void (*gauge)(jf_host_ctx* ctx, jf_str name, double value) JF_ON(any);
} jf_host_metrics_v1;

#ifdef __cplusplus
} /* extern "C" */
#endif
#endif
