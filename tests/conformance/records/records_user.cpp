#include "conformance/records/records_user.hpp"

#include <fmt/format.h>

#include <thread>

namespace jackfield::conformance {

RecordsUser::RecordsUser(Bench& bench) : RecordsUser(bench, bench.start()) {}

RecordsUser::RecordsUser(Bench& bench, std::shared_ptr<Bench::Instance> instance)
    : bench_(bench), instance_(std::move(instance)), port_(*instance_) {
    conformance::require(static_cast<bool>(port_), "it has no jf.records/1");
}

RecordsUser::Reply RecordsUser::reply_of(OpRecord& record) {
    bench_.expect_done(record, "the op");
    return bench_.locked([&] {
        Reply reply;
        for (const Heard& heard : record.events) reply.on_event(heard.event);
        reply.on_done(record.status, record.last ? &record.last->event : nullptr, nullptr);
        reply.error = record.error;
        return reply;
    });
}

RecordsUser::Reply RecordsUser::ask(const char* what, const std::function<jf_status(jf_op, jf_error*)>& start) {
    OpRecord& record = bench_.open(*instance_);
    std::string refused;
    bench_.begin_blocking(record, *instance_, what, [&] {
        jf_error error = make<jf_error>();
        const jf_status status = start(record.op, &error);
        if (status != JF_OK) refused = error.text;
        return status;
    });
    Reply reply = reply_of(record);
    if (!refused.empty()) reply.error = refused;
    return reply;
}

RecordsUser::Reply RecordsUser::declare(const sdk::Collection& collection) {
    return ask("declare", [&](jf_op op, jf_error* error) { return port_.declare(op, *collection.abi(), error); });
}

std::uint32_t RecordsUser::declared(const sdk::Collection& collection) {
    const Reply reply = declare(collection);
    require_reply("declare", reply, {JF_OK});
    conformance::require(reply.collection != 0, "declare completed without DECLARED and a handle in its pos");
    return reply.collection;
}

RecordsUser::Reply RecordsUser::raw(const jf_query& query) {
    return ask("query", [&](jf_op op, jf_error* error) { return port_.query(op, query, error); });
}
RecordsUser::Reply RecordsUser::raw(const jf_write& write) {
    return ask("write", [&](jf_op op, jf_error* error) { return port_.write(op, write, error); });
}
RecordsUser::Reply RecordsUser::raw(jf_array writes) {
    return ask("batch", [&](jf_op op, jf_error* error) { return port_.batch(op, writes, error); });
}

RecordsUser::Reply RecordsUser::watch(std::uint32_t collection, std::string_view tenant) {
    return ask("watch", [&](jf_op op, jf_error* error) { return port_.watch(op, collection, str(tenant), error); });
}
RecordsUser::Reply RecordsUser::migrate() {
    const jf_migrate request = make<jf_migrate>();
    return ask("migrate", [&](jf_op op, jf_error* error) { return port_.migrate(op, request, error); });
}

RecordsUser::Request RecordsUser::request(std::shared_ptr<const sdk::Write> write) {
    return [write = std::move(write)](const plugin_host::RecordsPort& port, jf_op op, jf_error* error) { return port.write(op, *write->abi(), error); };
}

std::vector<std::vector<RecordsUser::Reply>> RecordsUser::parallel(const std::vector<std::vector<Request>>& requests) {
    std::vector<std::vector<OpRecord*>> records(requests.size());
    for (std::size_t t = 0; t < requests.size(); ++t)
        for (std::size_t i = 0; i < requests[t].size(); ++i) records[t].push_back(&bench_.open(*instance_));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < requests.size(); ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < requests[t].size(); ++i) {
                OpRecord& record = *records[t][i];
                jf_error error = make<jf_error>();
                const jf_status status = requests[t][i](port_, record.op, &error);
                bench_.spy().op_answered(record.op, status == JF_OK);
                if (status != JF_OK) bench_.ops().complete(*instance_, record.op, status, nullptr, &error);
            }
        });
    for (std::thread& thread : threads) thread.join();
    std::vector<std::vector<Reply>> out(requests.size());
    for (std::size_t t = 0; t < requests.size(); ++t)
        for (OpRecord* record : records[t]) out[t].push_back(reply_of(*record));
    return out;
}

void RecordsUser::needs(std::string_view capability) const {
    if (!can(capability)) not_applicable(fmt::format("its capabilities don't declare records.{}", capability));
}

void RecordsUser::require_reply(std::string_view what, const Reply& reply, std::initializer_list<jf_status> wanted) {
    for (const jf_status status : wanted)
        if (reply.status == status) return;
    std::string names;
    for (const jf_status status : wanted) names += (names.empty() ? "" : " or ") + status_name(status);
    fail(fmt::format("{} came to {}{}; wanted: {}", what, status_name(reply.status), reply.error.empty() ? "" : ": " + reply.error, names));
}

std::string ids(const sdk::RecordsReply& reply) {
    std::string out;
    for (const sdk::Row& row : reply.rows) out += (out.empty() ? "" : " ") + row.id();
    return out;
}

}  // namespace jackfield::conformance
