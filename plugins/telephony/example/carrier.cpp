#include "carrier.hpp"

#include <jackfield/sdk/async.hpp>

namespace jackfield::telephony_example {
namespace {

/// A number drawn from the op's id, which no other call of this host has had: SplitMix64's mixing step.
std::uint64_t number_of_call(jf_op op, std::uint64_t now_ns) {
    std::uint64_t x = op ^ (now_ns << 20);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

}  // namespace

std::unique_ptr<Carrier> Carrier::create(sdk::Host host, const sdk::Config& config) {
    const auto bind = read_endpoint(config.text("bind", "127.0.0.1"), static_cast<std::uint16_t>(config.integer("port", 5090)));
    if (!bind) throw sdk::Failure(JF_E_INVALID, "bind: '" + config.text("bind") + "' is no IPv4 address");
    return std::make_unique<Carrier>(host, *bind, config.text("number", "example"));
}

/// Sockets are opened on a strand, and a control call is on none: a timer without delay gets there.
void Carrier::start(jf_op op) {
    gate_.open();
    sdk::after(host_, JF_NO_OP, std::chrono::nanoseconds(0), [this, op] {
        jf_error error = sdk::make<jf_error>();
        const jf_status status = sdk::guarded(&error, [&] { listen(op); });
        const sdk::Host host = host_;
        host.table()->complete(host.ctx(), op, status, nullptr, &error);
    });
}

void Carrier::listen(jf_op) {
    const auto* net = host_.facility<jf_host_net_v1>(JF_FACILITY_NET);
    if (!net) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no network");
    const jf_op socket = host_.open(JF_NO_OP, *this);
    jf_udp_open options = sdk::make<jf_udp_open>();
    options.bind = bind_;
    options.port_first = options.port_last = bind_.port;
    jf_endpoint local{};
    if (const jf_status status = net->udp_open(host_.ctx(), socket, &options, &local); status != JF_OK) {
        host_.cancel(socket);
        throw sdk::Failure(status, "cannot listen at " + text_of(bind_), JF_RETRY_AFTER);
    }
    {
        const std::lock_guard lock(mutex_);
        listening_ = socket;
    }
    host_.log(JF_LOG_INFO, "carrier.listens", {{"at", text_of(local)}});
}

/// No new calls; those that there are go on until they end, or the budget does.
void Carrier::quiesce(jf_op op, std::uint32_t budget_ms) {
    jf_op socket = JF_NO_OP;
    {
        const std::lock_guard lock(mutex_);
        std::swap(socket, listening_);
    }
    if (socket != JF_NO_OP) host_.cancel(socket);
    gate_.close(host_, op, budget_ms);
}

jf_status Carrier::cancel(jf_op op) {
    const auto found = leg(op);
    if (!found) return JF_E_INVALID;
    found->hang_up(JF_CAUSE_NORMAL);
    return JF_OK;
}

jf_endpoint Carrier::bind_address() const {
    jf_endpoint out = bind_;
    out.port = 0;
    return out;
}

void Carrier::dial(jf_op op, const jf_dial& dial, const jf_answer& media, std::string_view key) {
    const auto to = read_address(sdk::view(dial.to));
    if (!to) throw sdk::Failure(JF_E_INVALID, "whom to call is written as 127.0.0.1:5090/reception");
    const std::string from = dial.from.len ? std::string(sdk::view(dial.from)) : number_;
    auto leg = std::make_shared<Leg>(*this, host_, op, number_of_call(op, host_.now_ns()), to->endpoint, false);
    leg->dialled_as = key;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [other, kept] : legs_)
            if (!key.empty() && kept.leg->dialled_as == key) throw sdk::Failure(JF_E_CONFLICT, "this call has been dialled already");
        sit_down(leg);
    }
    try {
        leg->dial(to->who, from, dial.ring_timeout_ms, media);
    } catch (...) {
        ended(op); // refused: there is no such leg
        throw;
    }
}

/// Under the lock.
void Carrier::sit_down(const std::shared_ptr<Leg>& leg) {
    for (Seat& seat : seats_) {
        if (seat.op != JF_NO_OP) continue;
        gate_.enter(leg->op());
        seat.leg = leg.get();
        seat.op = leg->op();
        legs_[leg->op()] = Kept{leg};
        return;
    }
    throw sdk::Failure(JF_E_QUOTA, "all lines are taken");
}

std::shared_ptr<Leg> Carrier::leg(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = legs_.find(op);
    return found == legs_.end() ? nullptr : found->second.leg;
}

Leg* Carrier::leg_on_strand(jf_op op) const {
    for (const Seat& seat : seats_)
        if (seat.op.load(std::memory_order_acquire) == op) return seat.leg;
    return nullptr;
}

void Carrier::keep(jf_op op) {
    const std::lock_guard lock(mutex_);
    if (const auto found = legs_.find(op); found != legs_.end()) ++found->second.holders;
}

void Carrier::let_go(jf_op op) {
    std::shared_ptr<Leg> gone; // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    const auto found = legs_.find(op);
    if (found == legs_.end() || --found->second.holders > 0) return;
    gone = std::move(found->second.leg);
    legs_.erase(found);
}

void Carrier::ended(jf_op op) {
    {
        const std::lock_guard lock(mutex_);
        for (Seat& seat : seats_)
            if (seat.op == op) seat.op = JF_NO_OP;
    }
    gate_.leave(host_, op);
    let_go(op);
}

void Carrier::on_event(jf_op, const jf_event& event) {
    const auto* datagram = event.type == JF_EV_DATAGRAM ? sdk::data_of<jf_datagram>(event) : nullptr;
    const auto packet = datagram ? read_packet(sdk::view(datagram->data)) : std::nullopt;
    if (packet && packet->type == 'C') take_call(*packet, datagram->from);
    if (packet && packet->type == 'H') take_end(*packet);
}

/// The caller has given up before anybody here answered, and knows this port only. The leg is on a strand of its own: a timer gets there.
void Carrier::take_end(const Packet& packet) {
    std::shared_ptr<Leg> leg;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [op, kept] : legs_)
            if (kept.leg->call() == packet.call) leg = kept.leg;
    }
    if (leg) sdk::after(host_, leg->op(), std::chrono::nanoseconds(0), [leg] { leg->end_by_far_end(JF_CAUSE_CANCELLED); });
}

void Carrier::on_done(jf_op, jf_status, const jf_event*, const jf_error*) {}

void Carrier::take_call(const Packet& packet, const jf_endpoint& from) {
    const std::size_t line = packet.rest.find('\n');
    if (line == std::string_view::npos || line == 0 || packet.rest.size() > 200) return;
    const std::string_view to = packet.rest.substr(0, line), caller = packet.rest.substr(line + 1);
    const std::string id = text_of(from) + "/" + std::to_string(packet.call);
    const jf_str key = sdk::str(to);
    jf_incoming call = sdk::make<jf_incoming>();
    call.leg = sdk::str(id);
    call.from = sdk::str(caller);
    call.to = sdk::str(to);
    call.keys = sdk::array(&key, 1);
    const auto* calls = host_.facility<jf_host_calls_v1>(JF_FACILITY_CALLS);
    jf_op op = JF_NO_OP;
    // The host may call for the new op on another thread before incoming() has returned here. leg() waits for this lock.
    const std::lock_guard lock(mutex_);
    if (!calls || calls->incoming(host_.ctx(), &call, &op) != JF_OK) return; // unanswered: the caller's time runs out
    const auto leg = std::make_shared<Leg>(*this, host_, op, packet.call, from, true);
    if (const jf_status status = sdk::guarded(nullptr, [&] { sit_down(leg); }); status != JF_OK) host_.complete(op, status);
}

}  // namespace jackfield::telephony_example
