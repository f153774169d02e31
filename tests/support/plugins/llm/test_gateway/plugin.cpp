// llm/test_gateway: a gateway's side of jf.host.net/1. It listens, gives bytes back as they come, and at the line "call" moves the connection
// to the op of a request, as a carrier moves one to a call. What happens it tells through metrics: a counter's name is what happened.

#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include <map>
#include <mutex>

namespace jackfield::test_gateway {

class Instance;

/// An op with a connection; it goes when the op is done.
class Line final : public sdk::OpUser {
  public:
    Line(Instance& owner, std::string prefix) : owner_(owner), prefix_(std::move(prefix)) {}
    jf_op op = JF_NO_OP;
    jf_op request = JF_NO_OP; ///< to be completed with the connection
    void on_event(jf_op, const jf_event& event) override;
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override;

  private:
    void heard(std::string_view data);
    void send();

    Instance& owner_;
    const std::string prefix_;
    std::string unsent_;
    bool first_ = true;
};

class Listener final : public sdk::OpUser {
  public:
    explicit Listener(Instance& owner) : owner_(owner) {}
    void on_event(jf_op, const jf_event& event) override;
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override;

  private:
    Instance& owner_;
};

class Instance {
  public:
    static std::unique_ptr<Instance> create(sdk::Host host, const sdk::Config&) { return std::make_unique<Instance>(host); }
    explicit Instance(sdk::Host on) : host(on), net(on.facility<jf_host_net_v1>(JF_FACILITY_NET)) {}

    void start(jf_op op) {
        jf_tcp_listen options = sdk::make<jf_tcp_listen>();
        options.bind = {{127, 0, 0, 1}, 0, JF_NET_IPV4, 0};
        jf_endpoint local{};
        listener_op_ = host.open(JF_NO_OP, listener_);
        if (net->tcp_listen(host.ctx(), listener_op_, &options, &local) != JF_OK) throw sdk::Failure(JF_E_QUOTA, "no port");
        note("port", local.port);
        host.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t) {
        host.cancel(listener_op_);
        const std::lock_guard lock(mutex);
        for (const auto& [line, owned] : lines) host.cancel(line);
        host.complete(op);
    }
    jf_status cancel(jf_op op) {
        {
            const std::lock_guard lock(mutex);
            if (waiting == op) waiting = JF_NO_OP;
        }
        return host.complete(op, JF_E_CANCELLED);
    }
    const void* query(std::string_view id) {
        static const jf_llm_v1 table = [] {
            jf_llm_v1 t = sdk::make<jf_llm_v1>();
            t.start = [](jf_instance* self, jf_op op, const jf_llm_request*, jf_error*) -> jf_status {
                auto& instance = *reinterpret_cast<Instance*>(self);
                const std::lock_guard lock(instance.mutex);
                instance.waiting = op;
                return JF_OK;
            };
            return t;
        }();
        return id == JF_LLM_V1 ? &table : nullptr;
    }
    Line& open_line(jf_op parent, std::string prefix) {
        auto line = std::make_unique<Line>(*this, std::move(prefix));
        Line& out = *line;
        out.op = host.open(parent, out);
        const std::lock_guard lock(mutex);
        lines[out.op] = std::move(line);
        return out;
    }
    void note(std::string_view what, std::uint64_t n = 1) const {
        host.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS)->count(host.ctx(), sdk::str(what), n);
    }

    const sdk::Host host;
    const jf_host_net_v1* const net;
    std::mutex mutex; ///< lines of several shards
    std::map<jf_op, std::unique_ptr<Line>> lines;
    jf_op waiting = JF_NO_OP; ///< a request that waits for its connection

  private:
    Listener listener_{*this};
    jf_op listener_op_ = JF_NO_OP;
};

void Listener::on_event(jf_op, const jf_event& event) {
    const auto* incoming = event.type == JF_EV_TCP_INCOMING ? sdk::data_of<jf_tcp_incoming>(event) : nullptr;
    if (!incoming) return;
    Line& line = owner_.open_line(JF_NO_OP, "line:");
    if (owner_.net->tcp_accept(owner_.host.ctx(), line.op, incoming->connection + 1000) == JF_E_NOT_FOUND) owner_.note("strange_connection_refused");
    if (owner_.net->tcp_accept(owner_.host.ctx(), line.op, incoming->connection) != JF_OK) owner_.note("not_accepted");
}
void Listener::on_done(jf_op, jf_status, const jf_event*, const jf_error*) { owner_.note("listener_done"); }

void Line::on_event(jf_op, const jf_event& event) {
    if (event.type == JF_EV_TCP_CONNECTED) owner_.note("connected");
    if (event.type == JF_EV_TCP_WRITABLE) send();
    if (const auto* data = event.type == JF_EV_TCP_DATA ? sdk::data_of<jf_tcp_data>(event) : nullptr) heard(sdk::view(data->data));
}

void Line::heard(std::string_view data) {
    if (data == "bye\n") return void(owner_.net->tcp_finish(owner_.host.ctx(), op));
    if (data == "call\n") {
        jf_op leg;
        {
            const std::lock_guard lock(owner_.mutex);
            leg = std::exchange(owner_.waiting, JF_NO_OP);
        }
        Line& moved = owner_.open_line(leg, "leg:");
        moved.request = leg;
        if (owner_.net->tcp_move(owner_.host.ctx(), op, moved.op) != JF_OK) owner_.note("not_moved");
        return;
    }
    if (std::exchange(first_, false)) unsent_ += prefix_;
    unsent_ += data;
    send();
}

/// As a relay does it: what the peer does not take is kept, and nothing more is read until it does.
void Line::send() {
    while (!unsent_.empty()) {
        const std::string chunk = unsent_.substr(0, 100'000);
        const jf_status status = owner_.net->tcp_send(owner_.host.ctx(), op, sdk::bytes(chunk));
        if (status == JF_E_AGAIN) {
            owner_.note("again");
            owner_.net->tcp_receive(owner_.host.ctx(), op, 0);
            return;
        }
        if (status != JF_OK) return owner_.note("send_failed");
        unsent_.erase(0, chunk.size());
    }
    owner_.net->tcp_receive(owner_.host.ctx(), op, 1);
}

void Line::on_done(jf_op done, jf_status status, const jf_event*, const jf_error*) {
    owner_.note("done_" + std::to_string(-status));
    if (request) owner_.host.complete(request);
    const std::lock_guard lock(owner_.mutex);
    owner_.lines.erase(done);
}

}  // namespace jackfield::test_gateway

JACKFIELD_MODULE(jackfield::test_gateway::Instance)
