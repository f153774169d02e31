#pragma once

#include <jackfield/sdk/records.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/kit/bench.hpp"

namespace jackfield::conformance {

/// A record store as its users have it: each request waits for its answer, whatever refuses it.
class RecordsUser {
  public:
    explicit RecordsUser(Bench& bench);
    RecordsUser(Bench& bench, std::shared_ptr<Bench::Instance> instance);

    using Reply = sdk::RecordsReply;
    Reply declare(const sdk::Collection& collection);
    /// The collection's handle; fails when it is refused. Names are the kit's own, one for each check.
    std::uint32_t declared(const sdk::Collection& collection);
    Reply operator()(const sdk::Query& query) { return raw(*query.abi()); }
    Reply operator()(const sdk::Write& write) { return raw(*write.abi()); }
    Reply operator()(const sdk::Batch& batch) { return raw(batch.abi()); }
    Reply raw(const jf_query& query);
    Reply raw(const jf_write& write);
    Reply raw(jf_array writes);
    Reply watch(std::uint32_t collection, std::string_view tenant);
    /// Asks for a plan.
    Reply migrate();
    /// As the operators, failing unless the answer is OK.
    template <typename Request>
    Reply done(const Request& request, std::string_view what) {
        Reply reply = (*this)(request);
        require_reply(what, reply, {JF_OK});
        return reply;
    }

    /// Several threads at once: `requests` of each are made one after the other. Answers come in the same places.
    using Request = std::function<jf_status(const plugin_host::RecordsPort&, jf_op, jf_error*)>;
    std::vector<std::vector<Reply>> parallel(const std::vector<std::vector<Request>>& requests);
    static Request request(std::shared_ptr<const sdk::Write> write);

    /// The descriptor's word for it.
    bool can(std::string_view capability) const { return bench_.target().capability("records", capability).boolean_or(false); }
    /// Ends the check unless it can.
    void needs(std::string_view capability) const;

    static void require_reply(std::string_view what, const Reply& reply, std::initializer_list<jf_status> wanted);

    Bench& bench() { return bench_; }
    const plugin_host::RecordsPort& port() const { return port_; }
    const std::shared_ptr<Bench::Instance>& instance() const { return instance_; }

  private:
    Reply ask(const char* what, const std::function<jf_status(jf_op, jf_error*)>& start);
    Reply reply_of(OpRecord& record);

    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    plugin_host::RecordsPort port_;
};

/// Ids of the rows, in order.
std::string ids(const sdk::RecordsReply& reply);

}  // namespace jackfield::conformance
