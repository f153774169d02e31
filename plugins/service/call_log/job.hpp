#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/records.hpp>

#include "call_facts.hpp"

namespace jackfield::call_log {

class Service;

/// A record of `call_log.summaries` whose summary is wanted.
struct Pending {
    std::string id;
    std::uint64_t revision = 0;
    std::int64_t attempts = 0;
    std::string call;
    std::string fallback; ///< the summary by rule, which stands in the record already
    std::string transcript;
};

/// One op of the host's (an event or a tick) from its start to its completion, over as many operations of its own as that takes. Each of
/// these keeps the job alive until it has ended; they are children of the job's op, so everything here runs on its strand.
class Job : public std::enable_shared_from_this<Job> {
  public:
    Job(Service& service, jf_op op) : service_(service), op_(op) {}
    Job(const Job&) = delete;

    jf_op op() const { return op_; }

    /// call.ended: keeps the call, then summarises it.
    void on_call(const std::string& event_id, const CallFacts& facts);
    /// A tick: takes up what earlier attempts left.
    void on_tick();
    /// The host gives the op up. On the strand.
    void cancel() { finish(JF_E_CANCELLED); }

    // For Service, under its mutex.
    jf_op asking = JF_NO_OP; ///< the model's op while it is asked
    std::string record;      ///< that this job works on

  private:
    friend class Service;
    using Answer = std::function<void(sdk::RecordsReply&)>;
    using Spoken = std::function<void(jf_status, std::string)>;
    class RecordsCall;
    class Generation;
    class Deadline;

    void query(const sdk::Query& query, Answer then);
    void write(const sdk::Write& write, Answer then);
    template <typename Start>
    void ask_records(Start start, Answer then);

    void take_up(Pending pending);
    void summarise(Pending pending);
    void ask_model(const Pending& pending, Spoken then);
    void settle(const Pending& pending, const char* state, const std::string& summary);
    /// After one record: the next of a tick, or the end.
    void next();

    void finish(jf_status status, const std::string& text = {}, std::uint32_t retry = JF_RETRY_NO);
    void finish(const sdk::RecordsReply& failed) { finish(failed.status, failed.error, failed.retry_class); }
    /// Runs a step; what it throws ends the job, so that the op completes in any case.
    template <typename Body>
    void step(Body body) noexcept;

    Service& service_;
    const jf_op op_;
    bool finished_ = false;
    std::deque<Pending> queue_;
};

}  // namespace jackfield::call_log
