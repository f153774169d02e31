#include "store/records_client.hpp"

namespace jackfield::store {
namespace {

using Done = std::function<void(base::Result<WriteDone>, std::uint64_t pos, std::string cursor)>;

/// Gathers one request's answer; deletes itself with the completion. Everything on its shard.
class RequestSink final : public plugin_host::OpSink {
  public:
    RequestSink(runtime::Shard& shard, Done done) : shard_(shard), done_(std::move(done)) {}

    void give_up_after(base::Milliseconds time, plugin_host::OpTable& ops, jf_op op) {
        timer_ = shard_.start_timer(shard_.now() + time, [this, &ops, op] {
            timer_ = 0;
            ops.expire(op);
        });
    }

    void on_event(jf_op, const jf_event& event) override { reply_.on_event(event); }

    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<RequestSink> self(this);
        if (timer_) shard_.cancel_timer(timer_);
        reply_.on_done(status, last, error);
        if (status != JF_OK) return done_(plugin_host::error_from(status, error), 0, {});
        WriteDone result{reply_.affected, reply_.revision, std::move(reply_.rows), std::move(reply_.steps)};
        done_(std::move(result), reply_.collection, std::move(reply_.cursor));
    }

  private:
    runtime::Shard& shard_;
    Done done_;
    sdk::RecordsReply reply_;
    runtime::TimerId timer_ = 0;
};

/// A caller hears it ring until their call is stored, and a call that is over waits for its last record. What a slow disk does in its worst moments
/// stays below it.
constexpr base::Milliseconds request_deadline{10'000};
constexpr base::Milliseconds no_deadline{0}; ///< of what goes through all there is

}  // namespace

RecordsClient::RecordsClient(plugin_host::PluginHost& host, plugin_host::Instance& store) : host_(host), port_(store) {}

template <typename Request, typename Run>
void RecordsClient::submit(runtime::Shard& shard, Request request, Run run, Done done, base::Milliseconds deadline) {
    plugin_host::OpTable& ops = host_.ops();
    plugin_host::Instance& instance = port_.instance();
    auto* const sink = new RequestSink(shard, std::move(done));
    const jf_op op = ops.open(shard, sink, &instance);
    if (op == JF_NO_OP) {
        shard.post([sink] { sink->on_done(JF_NO_OP, JF_E_AGAIN, nullptr, nullptr); });
        return;
    }
    const auto begin_deadline = [sink, deadline, &ops, op] {
        if (ops.find(op)) sink->give_up_after(deadline, ops, op); // it is there as long as its op
    };
    if (deadline > no_deadline && shard.is_current()) begin_deadline();
    else if (deadline > no_deadline) shard.post(begin_deadline);
    // Shared, since a task must be copyable in some pools and the request is not cheap.
    auto shared = std::make_shared<Request>(std::move(request));
    const bool taken = host_.runtime().storage_pool().submit([&ops, &instance, op, shared, run] {
        jf_error error = sdk::make<jf_error>();
        const jf_status status = run(op, *shared, &error);
        if (status != JF_OK) ops.complete(instance, op, status, nullptr, &error);
    });
    if (!taken) ops.complete(instance, op, JF_E_AGAIN, nullptr, nullptr);
}

void RecordsClient::declare(runtime::Shard& shard, sdk::Collection collection, OnDeclared done) {
    submit(
        shard, std::move(collection),
        [port = port_](jf_op op, const sdk::Collection& c, jf_error* error) { return port.declare(op, *c.abi(), error); },
        [done = std::move(done)](base::Result<WriteDone> result, std::uint64_t pos, std::string) {
            if (!result) done(result.error());
            else done(static_cast<std::uint32_t>(pos));
        },
        no_deadline);
}

void RecordsClient::write(runtime::Shard& shard, sdk::Write write, OnWritten done) {
    submit(
        shard, std::move(write),
        [port = port_](jf_op op, const sdk::Write& w, jf_error* error) { return port.write(op, *w.abi(), error); },
        [done = std::move(done)](base::Result<WriteDone> result, std::uint64_t, std::string) { done(std::move(result)); }, request_deadline);
}

void RecordsClient::batch(runtime::Shard& shard, sdk::Batch batch, OnWritten done) {
    submit(
        shard, std::move(batch),
        [port = port_](jf_op op, const sdk::Batch& b, jf_error* error) { return port.batch(op, b.abi(), error); },
        [done = std::move(done)](base::Result<WriteDone> result, std::uint64_t, std::string) { done(std::move(result)); }, request_deadline);
}

void RecordsClient::migrate(runtime::Shard& shard, Migration migration, OnWritten done) {
    submit(
        shard, std::move(migration),
        [port = port_](jf_op op, const Migration& m, jf_error* error) {
            jf_migrate request = sdk::make<jf_migrate>();
            request.action = m.action;
            request.collection = sdk::str(m.collection);
            request.flags = m.lossy ? JF_MIGRATE_LOSSY : 0;
            return port.migrate(op, request, error);
        },
        [done = std::move(done)](base::Result<WriteDone> result, std::uint64_t, std::string) { done(std::move(result)); }, no_deadline);
}

void RecordsClient::query(runtime::Shard& shard, sdk::Query query, OnRows done) {
    submit(
        shard, std::move(query),
        [port = port_](jf_op op, const sdk::Query& q, jf_error* error) { return port.query(op, *q.abi(), error); },
        [done = std::move(done)](base::Result<WriteDone> result, std::uint64_t, std::string cursor) {
            if (!result) done(result.error());
            else done(QueryDone{std::move(result->rows), std::move(cursor)});
        },
        request_deadline);
}

}  // namespace jackfield::store
