#include "plugin_host/net_facility.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "plugin_host/facility_support.hpp"
#include "plugin_host/marshal.hpp"

namespace jackfield::plugin_host {
namespace {

constexpr std::chrono::seconds longest_wait_for_accept{10};
/// How often a thread that is behind is asked whether it has caught up.
constexpr std::chrono::milliseconds look_again{10};
constexpr std::uint32_t most_waiting_default = 64;
constexpr std::uint32_t most_send_bytes = 16u * 1024 * 1024;

net::Endpoint endpoint_from(const jf_endpoint& e) {
    net::Endpoint out;
    std::memcpy(out.bytes, e.ip, sizeof out.bytes);
    out.port = e.port;
    out.ipv6 = e.family == JF_NET_IPV6;
    out.scope_id = e.scope_id;
    return out;
}

jf_endpoint endpoint_to(const net::Endpoint& e) {
    jf_endpoint out{};
    std::memcpy(out.ip, e.bytes, sizeof out.ip);
    out.port = e.port;
    out.family = e.ipv6 ? JF_NET_IPV6 : JF_NET_IPV4;
    out.scope_id = e.scope_id;
    return out;
}

net::TcpLimits limits_of(std::uint32_t send_bytes, std::uint32_t dscp) {
    net::TcpLimits limits;
    if (send_bytes) limits.send_bytes = std::min(send_bytes, most_send_bytes);
    limits.dscp = dscp;
    return limits;
}

std::span<const std::byte> span_of(jf_bytes data) { return {static_cast<const std::byte*>(data.ptr), data.len}; }

template <typename T>
T made() {
    T out{};
    out.struct_size = sizeof out;
    return out;
}

}  // namespace

NetFacility::NetFacility(OpTable& ops, net::Network& network)
    : ops_(ops), network_(network), udp_(ops), tcp_(ops), listeners_(ops) {}
NetFacility::~NetFacility() = default;

void NetFacility::Runner::cancel(OpSlot& slot) {
    slot.runner_object.reset();
    // Not from inside the caller's stack: its user might be the one that is calling.
    const jf_op op = slot.id();
    ops_.shard_of(op).post([this, op] {
        if (OpSlot* s = ops_.find(op)) ops_.finish(*s, JF_E_CANCELLED, nullptr, nullptr);
    });
}

void NetFacility::tell(jf_op op, std::uint32_t type, const void* data, std::uint64_t size) {
    OpSlot* const slot = ops_.find(op);
    if (!slot) return;
    auto event = made<jf_event>();
    event.type = type;
    event.mono_ns = static_cast<std::uint64_t>(ops_.shard_of(op).now().ns);
    event.data = data;
    event.data_size = size;
    ops_.deliver(*slot, event);
}

void NetFacility::end_later(jf_op op, jf_status status) {
    ops_.shard_of(op).post([this, op, status] {
        if (OpSlot* slot = ops_.find(op)) ops_.finish(*slot, status, nullptr, nullptr);
    });
}

// ---- UDP ---------------------------------------------------------------------------------------------------------------------------

jf_status NetFacility::udp_open(OpSlot& slot, const jf_udp_open& options, jf_endpoint* local) {
    net::UdpOptions wanted;
    wanted.bind = endpoint_from(options.bind);
    wanted.port_first = options.port_first;
    wanted.port_last = options.port_last;
    wanted.dscp = options.dscp;
    wanted.receive_bytes = options.receive_bytes;
    const jf_op op = slot.id();
    auto socket = network_.open_udp(ops_.shard_of(op), wanted, [this, op](const net::Endpoint& from, std::span<const std::byte> data) {
        auto datagram = made<jf_datagram>();
        datagram.from = endpoint_to(from);
        datagram.data = {data.data(), data.size()};
        tell(op, JF_EV_DATAGRAM, &datagram, sizeof datagram);
    });
    if (!socket) return static_cast<jf_status>(socket.error().code());
    *local = endpoint_to((*socket)->local());
    slot.runner = &udp_;
    slot.runner_object = std::shared_ptr<net::UdpSocket>(std::move(*socket));
    return JF_OK;
}

jf_status NetFacility::udp_send(OpSlot& slot, const jf_endpoint& to, jf_bytes data) {
    if (slot.runner != &udp_ || !slot.runner_object) return JF_E_INVALID;
    auto& socket = *static_cast<net::UdpSocket*>(slot.runner_object.get());
    return static_cast<jf_status>(socket.send(endpoint_from(to), span_of(data)));
}

// ---- TCP ---------------------------------------------------------------------------------------------------------------------------

jf_status NetFacility::tcp_listen(OpSlot& slot, const jf_tcp_listen& options, jf_endpoint* local) {
    net::TcpListenOptions wanted;
    wanted.bind = endpoint_from(options.bind);
    wanted.limits = limits_of(options.send_bytes, options.dscp);
    const jf_op op = slot.id();
    const std::uint32_t most = options.most_waiting ? options.most_waiting : most_waiting_default;
    auto listener = network_.listen_tcp(ops_.shard_of(op), wanted,
                                        [this, op, most](std::unique_ptr<net::TcpStream> stream) { arrived(op, most, std::move(stream)); });
    if (!listener) return static_cast<jf_status>(listener.error().code());
    *local = endpoint_to((*listener)->local());
    slot.runner = &listeners_;
    slot.runner_object = std::shared_ptr<net::TcpListener>(std::move(*listener));
    return JF_OK;
}

void NetFacility::arrived(jf_op listener, std::uint32_t most, std::unique_ptr<net::TcpStream> stream) {
    OpSlot* const slot = ops_.find(listener);
    if (!slot) return;
    auto incoming = made<jf_tcp_incoming>();
    incoming.from = endpoint_to(stream->remote);
    incoming.to = endpoint_to(stream->local);
    {
        const std::lock_guard lock(mutex_);
        const auto waiting = std::count_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.second.listener == listener; });
        if (static_cast<std::uint32_t>(waiting) >= most) return; // closed
        incoming.connection = ++last_connection_;
        waiting_.emplace(incoming.connection, Waiting{std::move(stream), slot->user, listener});
    }
    runtime::Shard& shard = ops_.shard_of(listener);
    shard.start_timer(shard.now() + longest_wait_for_accept, [this, connection = incoming.connection] {
        const std::lock_guard lock(mutex_);
        waiting_.erase(connection);
    });
    tell(listener, JF_EV_TCP_INCOMING, &incoming, sizeof incoming);
}

std::unique_ptr<net::TcpStream> NetFacility::take_waiting(Instance& instance, std::uint64_t connection) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(connection);
    if (found == waiting_.end() || found->second.owner != &instance) return nullptr;
    auto stream = std::move(found->second.stream);
    waiting_.erase(found);
    return stream;
}

net::TcpEvents NetFacility::events_of(jf_op op) {
    net::TcpEvents events;
    events.connected = [this, op](const net::Endpoint& local, const net::Endpoint& remote) {
        auto connected = made<jf_tcp_connected>();
        connected.local = endpoint_to(local);
        connected.remote = endpoint_to(remote);
        tell(op, JF_EV_TCP_CONNECTED, &connected, sizeof connected);
    };
    events.data = [this, op](std::span<const std::byte> bytes) {
        auto data = made<jf_tcp_data>();
        data.data = {bytes.data(), bytes.size()};
        tell(op, JF_EV_TCP_DATA, &data, sizeof data);
        hold_if_behind(op);
    };
    events.writable = [this, op] { tell(op, JF_EV_TCP_WRITABLE, nullptr, 0); };
    events.end = [this, op](const base::Result<>& result) {
        OpSlot* const slot = ops_.find(op);
        if (!slot) return;
        if (result) return ops_.finish(*slot, JF_OK, nullptr, nullptr);
        auto error = made<jf_error>();
        error.code = static_cast<jf_status>(result.error().code());
        error.retry_class = JF_RETRY_NOW;
        const std::string text = result.error().text();
        std::memcpy(error.text, text.data(), std::min(text.size(), sizeof error.text - 1));
        ops_.finish(*slot, error.code, nullptr, &error);
    };
    return events;
}

void NetFacility::tcp_attach(OpSlot& slot, std::unique_ptr<net::TcpStream> stream) {
    slot.runner = &tcp_;
    if (slot.cancel_sent) return tcp_.cancel(slot); // given up on its way here from another thread
    const jf_op op = slot.id();
    auto connection = network_.attach_tcp(ops_.shard_of(op), std::move(stream), events_of(op));
    if (!connection) return end_later(op, JF_E_UNSUPPORTED);
    slot.runner_object = std::make_shared<Tcp>(Tcp{std::move(connection)});
}

void NetFacility::tcp_connect(OpSlot& slot, const jf_tcp_connect& options) {
    slot.runner = &tcp_;
    if (slot.cancel_sent) return tcp_.cancel(slot);
    net::TcpConnectOptions wanted;
    wanted.to = endpoint_from(options.to);
    wanted.limits = limits_of(options.send_bytes, options.dscp);
    if (options.timeout_ms) wanted.timeout = std::chrono::milliseconds(options.timeout_ms);
    const jf_op op = slot.id();
    auto connection = network_.connect_tcp(ops_.shard_of(op), wanted, events_of(op));
    if (!connection) return end_later(op, static_cast<jf_status>(connection.error().code()));
    slot.runner_object = std::make_shared<Tcp>(Tcp{std::move(*connection)});
}

NetFacility::Tcp* NetFacility::tcp_of(OpSlot& slot) {
    return slot.runner == &tcp_ ? static_cast<Tcp*>(slot.runner_object.get()) : nullptr;
}

/// A thread that takes longer over the bytes than the peer makes the peer wait, not the host's memory grow.
void NetFacility::hold_if_behind(jf_op op) {
    OpSlot* const slot = ops_.find(op);
    Tcp* const tcp = slot ? tcp_of(*slot) : nullptr;
    const Instance* const user = slot ? slot->user.load() : nullptr;
    if (!tcp || !user || tcp->held || !user->is_behind()) return;
    tcp->held = true;
    tcp->connection->receive(false);
    runtime::Shard& shard = ops_.shard_of(op);
    shard.start_timer(shard.now() + look_again, [this, op] {
        OpSlot* const s = ops_.find(op);
        Tcp* const held = s ? tcp_of(*s) : nullptr;
        if (!held) return;
        held->held = false;
        hold_if_behind(op);
        if (!held->held) held->connection->receive(held->wanted);
    });
}

jf_status NetFacility::tcp_send(OpSlot& slot, std::span<const std::byte> data) {
    Tcp* const tcp = tcp_of(slot);
    return tcp ? static_cast<jf_status>(tcp->connection->send(data)) : JF_E_INVALID;
}

jf_status NetFacility::tcp_receive(OpSlot& slot, bool on) {
    Tcp* const tcp = tcp_of(slot);
    if (!tcp) return JF_E_INVALID;
    tcp->wanted = on;
    if (!tcp->held) tcp->connection->receive(on);
    return JF_OK;
}

jf_status NetFacility::tcp_finish(OpSlot& slot) {
    Tcp* const tcp = tcp_of(slot);
    if (!tcp) return JF_E_INVALID;
    tcp->connection->finish();
    return JF_OK;
}

std::unique_ptr<net::TcpStream> NetFacility::tcp_detach(OpSlot& slot) {
    Tcp* const tcp = tcp_of(slot);
    auto stream = tcp ? tcp->connection->detach() : nullptr;
    if (!stream) return nullptr;
    slot.runner_object.reset();
    end_later(slot.id(), JF_OK);
    return stream;
}

// ---- the table ----------------------------------------------------------------------------------------------------------------------

namespace {

/// What answers with a port: on the op's strand, or where the host may wait for that strand.
template <typename Request, typename Open>
jf_status open_with_port(jf_host_ctx* ctx, jf_op op, const Request* options, jf_endpoint* local, Open open) {
    if (!options || !local) return JF_E_INVALID;
    Request own;
    if (const jf_status known = take_request(options, own); known != JF_OK) return known;
    if (is_gone(ctx)) return JF_E_INVALID;
    PluginHost& host = host_of(ctx);
    if (!host.ops().knows_shard(op)) return JF_E_INVALID;
    const bool here = host.ops().shard_of(op).is_current();
    if (!here && !may_wait_for_shard(ctx)) return JF_E_STATE;
    jf_status status;
    OpSlot* const slot = startable(ctx, op, status);
    if (!slot) return status;
    status = here ? open(host, *slot, own, local)
                  : on_shard_of(host, op, local, [own, open](PluginHost& h, OpSlot& s, jf_endpoint* bound) { return open(h, s, own, bound); });
    if (status != JF_OK) slot->give_start_back();
    return status;
}

/// On the strand of an op of the caller's. An instance's own thread is its strand, and waits for the shard.
template <typename Body>
jf_status on_own_op(jf_host_ctx* ctx, jf_op op, Body body) {
    if (is_gone(ctx)) return JF_E_INVALID;
    PluginHost& host = host_of(ctx);
    OpSlot* const slot = host.ops().find(op);
    if (!slot || slot->user != &Instance::from(ctx)) return JF_E_INVALID;
    if (host.ops().shard_of(op).is_current()) return body(host, *slot);
    if (!may_wait_for_shard(ctx)) return JF_E_STATE;
    char none;
    return on_shard_of(host, op, &none, [body](PluginHost& h, OpSlot& s, char*) { return body(h, s); });
}

jf_status plugin_udp_open(jf_host_ctx* ctx, jf_op op, const jf_udp_open* options, jf_endpoint* local) {
    return open_with_port(ctx, op, options, local, [](PluginHost& host, OpSlot& slot, const jf_udp_open& own, jf_endpoint* bound) {
        return host.net().udp_open(slot, own, bound);
    });
}

struct Carried {
    NetFacility* net;
    jf_endpoint to;
};

jf_status plugin_udp_send(jf_host_ctx* ctx, jf_op op, const jf_endpoint* to, jf_bytes data) {
    if (is_gone(ctx) || (!data.ptr && data.len)) return JF_E_INVALID;
    PluginHost& host = host_of(ctx);
    OpSlot* const slot = host.ops().find(op);
    if (!slot || !to || slot->user != &Instance::from(ctx)) return JF_E_INVALID;
    if (host.ops().shard_of(op).is_current()) return host.net().udp_send(*slot, *to, data);
    if (!may_wait_for_shard(ctx)) return JF_E_STATE;
    // In the order in which the plugin says things: a farewell, and then the completion that closes the socket. What the socket has no room for
    // then is lost, as in the network.
    thread_local std::vector<std::byte> carried;
    carried.resize(sizeof(Carried));
    const Carried head{&host.net(), *to};
    std::memcpy(carried.data(), &head, sizeof head);
    const auto bytes = span_of(data);
    carried.insert(carried.end(), bytes.begin(), bytes.end());
    const auto send = [](OpSlot& s, std::span<const std::byte> all) {
        Carried first;
        std::memcpy(&first, all.data(), sizeof first);
        first.net->udp_send(s, first.to, {all.data() + sizeof first, all.size() - sizeof first});
    };
    if (!host.ops().run_in_order(Instance::from(ctx), op, send, carried)) return JF_E_AGAIN;
    return JF_OK;
}

jf_status plugin_tcp_listen(jf_host_ctx* ctx, jf_op op, const jf_tcp_listen* options, jf_endpoint* local) {
    return open_with_port(ctx, op, options, local, [](PluginHost& host, OpSlot& slot, const jf_tcp_listen& own, jf_endpoint* bound) {
        return host.net().tcp_listen(slot, own, bound);
    });
}

/// UniqueFunction takes what can only be moved, on_strand's body need not be copied; the stream closes when the op is gone by then.
void attach_on_strand(PluginHost& host, jf_op op, std::unique_ptr<net::TcpStream> stream) {
    on_strand(host.ops(), op, [&host, stream = std::move(stream)](OpSlot& slot) mutable { host.net().tcp_attach(slot, std::move(stream)); });
}

jf_status plugin_tcp_accept(jf_host_ctx* ctx, jf_op op, std::uint64_t connection) {
    jf_status status;
    OpSlot* const slot = startable(ctx, op, status);
    if (!slot) return status;
    PluginHost& host = host_of(ctx);
    auto stream = host.net().take_waiting(Instance::from(ctx), connection);
    if (!stream) {
        slot->give_start_back();
        return JF_E_NOT_FOUND;
    }
    attach_on_strand(host, op, std::move(stream));
    return JF_OK;
}

jf_status plugin_tcp_connect(jf_host_ctx* ctx, jf_op op, const jf_tcp_connect* options) {
    if (!options) return JF_E_INVALID;
    jf_tcp_connect own;
    if (const jf_status known = take_request(options, own); known != JF_OK) return known;
    if (own.to.port == 0 || (own.to.family != JF_NET_IPV4 && own.to.family != JF_NET_IPV6)) return JF_E_INVALID;
    jf_status status;
    if (!startable(ctx, op, status)) return status;
    PluginHost& host = host_of(ctx);
    on_strand(host.ops(), op, [&host, own](OpSlot& slot) { host.net().tcp_connect(slot, own); });
    return JF_OK;
}

jf_status plugin_tcp_send(jf_host_ctx* ctx, jf_op op, jf_bytes data) {
    if (!data.ptr && data.len) return JF_E_INVALID;
    if (is_gone(ctx)) return JF_E_INVALID;
    const auto bytes = span_of(data);
    if (host_of(ctx).ops().knows_shard(op) && host_of(ctx).ops().shard_of(op).is_current())
        return on_own_op(ctx, op, [bytes](PluginHost& host, OpSlot& slot) { return host.net().tcp_send(slot, bytes); });
    return on_own_op(ctx, op, [copy = std::vector<std::byte>(bytes.begin(), bytes.end())](PluginHost& host, OpSlot& slot) {
        return host.net().tcp_send(slot, copy);
    });
}

jf_status plugin_tcp_receive(jf_host_ctx* ctx, jf_op op, std::uint32_t on) {
    return on_own_op(ctx, op, [on](PluginHost& host, OpSlot& slot) { return host.net().tcp_receive(slot, on != 0); });
}

jf_status plugin_tcp_finish(jf_host_ctx* ctx, jf_op op) {
    return on_own_op(ctx, op, [](PluginHost& host, OpSlot& slot) { return host.net().tcp_finish(slot); });
}

jf_status plugin_tcp_move(jf_host_ctx* ctx, jf_op from, jf_op to) {
    jf_status status;
    OpSlot* const slot = startable(ctx, to, status);
    if (!slot) return status;
    status = on_own_op(ctx, from, [to](PluginHost& host, OpSlot& giving) {
        auto stream = host.net().tcp_detach(giving);
        if (!stream) return JF_E_STATE;
        attach_on_strand(host, to, std::move(stream));
        return JF_OK;
    });
    if (status != JF_OK) slot->give_start_back();
    return status;
}

}  // namespace

const jf_host_net_v1& NetFacility::table() {
    static const jf_host_net_v1 table = {sizeof table,       0,
                                         plugin_udp_open,    plugin_udp_send,    plugin_tcp_listen, plugin_tcp_accept, plugin_tcp_connect,
                                         plugin_tcp_send,    plugin_tcp_receive, plugin_tcp_finish, plugin_tcp_move};
    return table;
}

}  // namespace jackfield::plugin_host
