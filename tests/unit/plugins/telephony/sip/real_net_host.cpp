#include "real_net_host.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::test {
namespace {

// The host's table carries one context, which is TestHost's; one of these exists at a time.
RealNetHost* current = nullptr;

sockaddr_in native(const jf_endpoint& endpoint) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(endpoint.port);
    std::memcpy(&out.sin_addr, endpoint.ip, 4);
    return out;
}

jf_endpoint endpoint(const sockaddr_in& address) {
    jf_endpoint out{};
    out.family = JF_NET_IPV4;
    out.port = ntohs(address.sin_port);
    std::memcpy(out.ip, &address.sin_addr, 4);
    return out;
}

}  // namespace

bool Call::has(std::uint32_t type) const {
    return std::find(events.begin(), events.end(), type) != events.end();
}

RealNetHost::RealNetHost() {
    current = this;
    table_ = *base_.table();
    table_.op_open =
        [](jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) -> jf_status {
        const jf_status status = current->base_.table()->op_open(ctx, parent, sink, out);
        const std::lock_guard lock(current->mutex_);
        if (status == JF_OK) current->children_.emplace(parent, *out);
        return status;
    };
    table_.complete = [](jf_host_ctx* ctx,
                         jf_op op,
                         jf_status status,
                         const jf_event* last,
                         const jf_error* error) -> jf_status {
        const jf_status result = current->base_.table()->complete(ctx, op, status, last, error);
        current->close_children(op);
        return result;
    };
    table_.cancel = [](jf_host_ctx* ctx, jf_op op) -> jf_status {
        current->close_socket(op);
        return current->base_.table()->cancel(ctx, op);
    };
    table_.log = [](jf_host_ctx*, std::uint32_t, jf_op, jf_str event, jf_array fields) {
        std::map<std::string, std::string> copy;
        for (std::uint32_t i = 0; i < fields.n; ++i) {
            const auto* field = JF_AT(jf_pair, fields, i);
            copy[std::string(sdk::view(field->key))] = sdk::view(field->value);
        }
        const std::lock_guard lock(current->mutex_);
        current->log_.emplace_back(sdk::view(event), std::move(copy));
    };

    net_ = sdk::make<jf_host_net_v1>();
    net_.udp_open =
        [](jf_host_ctx*, jf_op op, const jf_udp_open* options, jf_endpoint* local) -> jf_status {
        const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_in address = native(options->bind);
        address.sin_port = htons(options->port_first);
        for (std::uint32_t port = options->port_first;
             bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
             port += 2) {
            if (port + 2 > options->port_last) {
                close(fd);
                return JF_E_QUOTA;
            }
            address.sin_port = htons(static_cast<std::uint16_t>(port + 2));
        }
        socklen_t size = sizeof address;
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
        *local = endpoint(address);
        const jf_sink sink = current->base_.sink_of(op);
        const std::lock_guard lock(current->mutex_);
        current->sockets_[op] = {fd, sink};
        return JF_OK;
    };
    net_.udp_send = [](jf_host_ctx*, jf_op op, const jf_endpoint* to, jf_bytes data) -> jf_status {
        const std::lock_guard lock(current->mutex_);
        const auto found = current->sockets_.find(op);
        if (found == current->sockets_.end()) return JF_E_INVALID;
        const sockaddr_in address = native(*to);
        const auto sent = sendto(found->second.fd,
                                 data.ptr,
                                 static_cast<std::size_t>(data.len),
                                 0,
                                 reinterpret_cast<const sockaddr*>(&address),
                                 sizeof address);
        return sent < 0 ? JF_E_AGAIN : JF_OK;
    };
    base_.add_facility(JF_FACILITY_NET, &net_);

    calls_ = sdk::make<jf_host_calls_v1>();
    calls_.incoming = [](jf_host_ctx*, const jf_incoming* incoming, jf_op* out) -> jf_status {
        if (current->incoming_status_ != JF_OK) return current->incoming_status_;
        const auto call = current->open_call();
        const std::lock_guard lock(current->mutex_);
        call->leg = sdk::view(incoming->leg);
        call->from = sdk::view(incoming->from);
        call->from_name = sdk::view(incoming->from_name);
        call->to = sdk::view(incoming->to);
        call->leg_state = sdk::view(incoming->leg_state);
        for (std::uint32_t i = 0; i < incoming->keys.n; ++i)
            call->keys.emplace_back(sdk::view(*JF_AT(jf_str, incoming->keys, i)));
        for (std::uint32_t i = 0; i < incoming->headers.n; ++i) {
            const auto* header = JF_AT(jf_pair, incoming->headers, i);
            call->headers.emplace_back(sdk::view(header->key), sdk::view(header->value));
        }
        current->waiting_.push_back(call);
        *out = call->op;
        return JF_OK;
    };
    base_.add_facility(JF_FACILITY_CALLS, &calls_);

    metrics_ = sdk::make<jf_host_metrics_v1>();
    metrics_.count = [](jf_host_ctx*, jf_str name, std::uint64_t n) {
        const std::lock_guard lock(current->mutex_);
        current->counts_[std::string(sdk::view(name))] += n;
    };
    metrics_.gauge = [](jf_host_ctx*, jf_str name, double value) {
        const std::lock_guard lock(current->mutex_);
        current->gauges_[std::string(sdk::view(name))] = value;
    };
    base_.add_facility(JF_FACILITY_METRICS, &metrics_);
}

RealNetHost::~RealNetHost() {
    for (const auto& [op, socket] : sockets_) close(socket.fd);
    current = nullptr;
}

std::shared_ptr<Call> RealNetHost::open_call() {
    auto call = std::make_shared<Call>();
    call->op = base_.start_op(
        [this, call](jf_op, const jf_event& event) { record(*call, event); },
        [this, call](jf_op, jf_status status, const jf_event* last, const jf_error* error) {
            finish(*call, status, last, error);
        });
    return call;
}

std::shared_ptr<Call> RealNetHost::take_incoming() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return nullptr;
    auto call = waiting_.front();
    waiting_.erase(waiting_.begin());
    return call;
}

void RealNetHost::record(Call& call, const jf_event& event) {
    const std::lock_guard lock(mutex_);
    switch (event.type) {
        case JF_EV_MEDIA:
            if (const auto* frame = sdk::data_of<jf_frame>(event)) {
                call.pts.push_back(frame->pts);
                call.last_audio = sdk::view(frame->data);
            }
            return;
        case JF_EV_QUALITY:
            ++call.quality;
            if (const auto* last = sdk::data_of<jf_quality>(event)) call.last_quality = *last;
            return;
        case JF_EV_DTMF:
            call.digits += static_cast<char>(sdk::data_of<jf_dtmf>(event)->digit);
            break;
        case JF_EV_SIGNALLING:
            if (const auto* message = sdk::data_of<jf_signalling>(event))
                call.messages.push_back((message->direction == JF_SIGNALLING_OUT ? ">" : "<") + std::string(sdk::view(message->data)));
            return;
        case JF_EV_HOLD:
            call.holds.push_back(event.flags);
            break;
        case JF_EV_TRANSFERRED:
            call.transfers.emplace_back(event.flags, event.pos);
            break;
        case JF_EV_REFER_RECEIVED:
            call.refer_to = sdk::view(*sdk::data_of<jf_str>(event));
            break;
        case JF_EV_LEG_STATE:
            call.leg_state = sdk::view(*sdk::data_of<jf_bytes>(event));
            break;
        case JF_EV_ANSWERED:
        case JF_EV_FORMAT:
            call.formats.push_back(*sdk::data_of<jf_format>(event));
            break;
        default:
            break;
    }
    call.events.push_back(event.type);
}

void RealNetHost::finish(Call& call,
                         jf_status status,
                         const jf_event* last,
                         const jf_error* error) {
    const std::lock_guard lock(mutex_);
    call.done = true;
    call.status = status;
    if (error) call.error = error->text;
    if (const auto* end = last ? sdk::data_of<jf_call_end>(*last) : nullptr) {
        call.end = *end;
        call.end_text = sdk::view(end->text);
    }
}

void RealNetHost::close_children(jf_op parent) {
    std::vector<jf_op> children;
    {
        const std::lock_guard lock(mutex_);
        const auto [first, last] = children_.equal_range(parent);
        for (auto it = first; it != last; ++it) children.push_back(it->second);
        children_.erase(first, last);
    }
    for (const jf_op child : children) {
        close_socket(child);
        base_.table()->cancel(base_.table()->ctx, child);
    }
}

void RealNetHost::close_socket(jf_op op) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = sockets_.find(op);
        if (found == sockets_.end()) return;
        close(found->second.fd);
        sockets_.erase(found);
    }
    base_.complete_used(op, JF_E_CANCELLED);
}

void RealNetHost::pump() {
    std::vector<std::pair<jf_op, Socket>> sockets;
    {
        const std::lock_guard lock(mutex_);
        sockets.assign(sockets_.begin(), sockets_.end());
    }
    std::vector<pollfd> ready;
    for (const auto& [op, socket] : sockets) ready.push_back({socket.fd, POLLIN, 0});
    poll(ready.data(), ready.size(), 1);
    for (const auto& [op, socket] : sockets) {
        std::array<char, 2048> buffer;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        while (true) {
            const auto n = recvfrom(socket.fd,
                                    buffer.data(),
                                    buffer.size(),
                                    0,
                                    reinterpret_cast<sockaddr*>(&from),
                                    &size);
            if (n < 0) break;
            jf_datagram datagram = sdk::make<jf_datagram>();
            datagram.from = endpoint(from);
            datagram.data = {buffer.data(), static_cast<std::uint64_t>(n)};
            const jf_event event =
                sdk::Host::event_of(JF_EV_DATAGRAM, &datagram, sizeof datagram, 0, 0);
            socket.sink.on_event(socket.sink.user, op, &event, 1, sizeof event);
        }
    }
    const auto now = std::chrono::steady_clock::now();
    base_.advance(now - last_);
    last_ = now;
}

bool RealNetHost::pump_until(const std::function<bool()>& ready,
                             std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!ready()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        pump();
    }
    return true;
}

std::uint64_t RealNetHost::counted(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
}

double RealNetHost::gauge(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = gauges_.find(name);
    return found == gauges_.end() ? -1 : found->second;
}

std::string RealNetHost::log_field(const std::string& event, const std::string& key) const {
    const auto all = log_fields(event, key);
    return all.empty() ? "" : all.front();
}

std::vector<std::string> RealNetHost::log_fields(const std::string& event,
                                                 const std::string& key) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& [name, fields] : log_)
        if (name == event && fields.contains(key)) out.push_back(fields.at(key));
    return out;
}

}  // namespace jackfield::test
