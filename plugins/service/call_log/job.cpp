#include "job.hpp"

#include "service.hpp"

namespace jackfield::call_log {
namespace {

constexpr std::size_t longest_reply = 64 * 1024;

}  // namespace

/// One operation on the record store. Owns itself until its on_done.
class Job::RecordsCall final : public sdk::OpUser {
  public:
    RecordsCall(std::shared_ptr<Job> job, Answer then) : job_(std::move(job)), then_(std::move(then)) {}
    void on_event(jf_op, const jf_event& event) override { reply_.on_event(event); }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<RecordsCall> self(this);
        reply_.on_done(status, last, error);
        if (!job_->finished_) job_->step([&] { then_(reply_); });
    }

  private:
    std::shared_ptr<Job> job_;
    Answer then_;
    sdk::RecordsReply reply_;
};

/// The model's answer. Owns itself until its on_done.
class Job::Generation final : public sdk::OpUser {
  public:
    Generation(std::shared_ptr<Job> job, Spoken then) : job_(std::move(job)), then_(std::move(then)) {}
    void on_event(jf_op, const jf_event& event) override {
        const auto* token = event.type == JF_EV_TOKEN ? sdk::data_of<jf_str>(event) : nullptr;
        if (token && text_.size() + token->len <= longest_reply) text_ += sdk::view(*token);
    }
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Generation> self(this);
        job_->service_.end_generation(*job_);
        if (deadline != JF_NO_OP) job_->service_.host().cancel(deadline);
        if (!job_->finished_) job_->step([&] { then_(status, std::move(text_)); });
    }
    jf_op deadline = JF_NO_OP;

  private:
    std::shared_ptr<Job> job_;
    Spoken then_;
    std::string text_;
};

/// Gives a generation up that takes too long. Owns itself until its on_done.
class Job::Deadline final : public sdk::OpUser {
  public:
    Deadline(sdk::Host host, jf_op generation) : host_(host), generation_(generation) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Deadline> self(this);
        if (status == JF_OK) host_.cancel(generation_);
    }

  private:
    sdk::Host host_;
    jf_op generation_;
};

template <typename Body>
void Job::step(Body body) noexcept {
    jf_error error = sdk::make<jf_error>();
    const jf_status status = sdk::guarded(&error, [&] { body(); });
    if (status == JF_OK || std::exchange(finished_, true)) return;
    service_.complete(*this, status, &error);
}

void Job::finish(jf_status status, const std::string& text, std::uint32_t retry) {
    if (std::exchange(finished_, true)) return;
    jf_error error = sdk::make<jf_error>();
    if (status != JF_OK) sdk::Failure(status, text.empty() ? "given up" : text, retry).write(&error);
    service_.complete(*this, status, status == JF_OK ? nullptr : &error);
}

template <typename Start>
void Job::ask_records(Start start, Answer then) {
    auto call = std::make_unique<RecordsCall>(shared_from_this(), std::move(then));
    const jf_op op = service_.host().open(op_, *call);
    jf_error error = sdk::make<jf_error>();
    const jf_status status = start(static_cast<const jf_records_v1*>(service_.records().table), op, &error);
    if (status == JF_OK) {
        // Its completion may be on its way already, and deletes it.
        call.release();
        return;
    }
    service_.host().cancel(op);
    throw sdk::Failure(status, error.text[0] ? error.text : "the record store took no request", JF_RETRY_AFTER);
}

void Job::query(const sdk::Query& query, Answer then) {
    ask_records([&](const jf_records_v1* records, jf_op op, jf_error* error) {
        return records->query(service_.records().instance, op, query.abi(), error);
    }, std::move(then));
}

void Job::write(const sdk::Write& write, Answer then) {
    ask_records([&](const jf_records_v1* records, jf_op op, jf_error* error) {
        return records->write(service_.records().instance, op, write.abi(), error);
    }, std::move(then));
}

void Job::on_call(const std::string& event_id, const CallFacts& facts) {
    step([&] {
        if (!service_.reserve(*this, event_id)) throw sdk::Failure(JF_E_STATE, "this call is being worked on", JF_RETRY_AFTER);
        Pending pending;
        pending.id = event_id;
        pending.call = facts.call;
        pending.fallback = summary_by_rule(facts);
        // Without a model, or without a word of the caller's, there is nothing to wait for.
        const bool wanted = service_.has_llm() && !facts.first_words.empty();
        if (wanted) pending.transcript = facts.transcript;
        write(sdk::Write::insert_or_get(service_.collection(), {}, event_id)
                  .set(field_call, facts.call)
                  .set(field_agent, facts.agent)
                  .set(field_caller, facts.caller)
                  .set(field_cause, facts.cause)
                  .set(field_seconds, facts.seconds)
                  .set(field_turns, facts.turns)
                  .set(field_summary, pending.fallback)
                  .set(field_state, wanted ? "pending" : "done")
                  .set(field_attempts, wanted ? 1 : 0)
                  .set(field_transcript, facts.transcript),
              [this, wanted, pending](sdk::RecordsReply& reply) mutable {
            if (reply.status != JF_OK) return finish(reply);
            if (reply.affected == 1) {
                if (!wanted) return finish(JF_OK);
                pending.revision = 1;
                pending.attempts = 1;
                return summarise(std::move(pending));
            }
            // Delivered again: what the first time left unfinished goes on from the record.
            if (reply.rows.empty() || reply.rows.front().field(field_state).text() != "pending") return finish(JF_OK);
            const sdk::Row& row = reply.rows.front();
            pending.revision = row.rev();
            pending.attempts = row.field(field_attempts).integer();
            take_up(std::move(pending));
        });
    });
}

void Job::on_tick() {
    step([&] {
        query(sdk::Query(service_.collection())
                  .eq(field_state, "pending")
                  .order_by(JF_FIELD_UPDATED)
                  .limit(service_.config().per_tick),
              [this](sdk::RecordsReply& reply) {
            if (reply.status != JF_OK) return finish(reply);
            for (const sdk::Row& row : reply.rows)
                queue_.push_back({row.id(), row.rev(), row.field(field_attempts).integer(), row.field(field_call).text(),
                                  row.field(field_summary).text(), row.field(field_transcript).text()});
            next();
        });
    });
}

void Job::next() {
    service_.release(*this);
    while (!queue_.empty() && !service_.stopping()) {
        Pending pending = std::move(queue_.front());
        queue_.pop_front();
        if (!service_.reserve(*this, pending.id)) continue; // an event's job is at it
        return take_up(std::move(pending));
    }
    finish(JF_OK);
}

/// Counts the attempt before it is made, so that a call on which the host dies is not taken up for ever.
void Job::take_up(Pending pending) {
    if (!service_.has_llm()) return settle(pending, "done", pending.fallback); // the option was taken away
    if (pending.attempts >= service_.config().max_attempts) return settle(pending, "failed", pending.fallback);
    sdk::Write taken = sdk::Write::update(service_.collection(), {}, pending.id).expect_rev(pending.revision).inc(field_attempts, 1);
    write(taken, [this, pending = std::move(pending)](sdk::RecordsReply& reply) mutable {
        // Somebody else has it, another host for example.
        if (reply.status == JF_E_CONFLICT || (reply.status == JF_OK && reply.affected == 0)) return next();
        if (reply.status != JF_OK) return finish(reply);
        ++pending.revision;
        ++pending.attempts;
        summarise(std::move(pending));
    });
}

void Job::summarise(Pending pending) {
    if (service_.stopping()) return finish(JF_OK); // the record waits for the next start
    ask_model(pending, [this, pending](jf_status status, const std::string& reply) {
        if (service_.stopping()) return finish(JF_OK);
        if (status == JF_OK) {
            const std::string summary = tidied(reply);
            service_.count(summary.empty() ? "call_log_fallbacks" : "call_log_summaries");
            return settle(pending, "done", summary.empty() ? pending.fallback : summary);
        }
        service_.count("call_log_llm_failures");
        service_.host().log(JF_LOG_WARN, "call_log.llm_failed",
                            {{"call_id", pending.call}, {"status", std::to_string(status)}, {"attempt", std::to_string(pending.attempts)}},
                            op_);
        // A model that is down should cost a tick one attempt, not one for each call that waits.
        queue_.clear();
        if (pending.attempts < service_.config().max_attempts) return next(); // stays pending: a tick comes back to it
        settle(pending, "failed", pending.fallback);
    });
}

void Job::ask_model(const Pending& pending, Spoken then) {
    jf_message messages[2] = {sdk::make<jf_message>(), sdk::make<jf_message>()};
    messages[0].role = JF_ROLE_SYSTEM;
    messages[0].content = sdk::str(service_.config().instruction);
    messages[1].role = JF_ROLE_USER;
    messages[1].content = sdk::str(pending.transcript);
    jf_llm_request request = sdk::make<jf_llm_request>();
    request.deadline_ms = static_cast<std::uint32_t>(service_.config().timeout.count());
    request.messages = sdk::array(messages, 2);
    request.session = sdk::str(pending.call);

    const sdk::Host& host = service_.host();
    auto reply = std::make_unique<Generation>(shared_from_this(), then);
    const jf_op op = host.open(op_, *reply);
    auto deadline = std::make_unique<Deadline>(host, op);
    const jf_op timer_op = host.open(op_, *deadline);
    const auto* timer = host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
    const auto delay = static_cast<std::uint64_t>(std::chrono::nanoseconds(service_.config().timeout).count());
    const bool timed = timer && timer->start(host.ctx(), timer_op, delay) == JF_OK;
    if (timed) deadline.release();
    reply->deadline = timer_op;
    jf_error error = sdk::make<jf_error>();
    jf_status status = JF_E_STATE;
    // Without its deadline a model could keep the record for ever.
    if (timed && service_.begin_generation(*this, op))
        status = static_cast<const jf_llm_v1*>(service_.llm().table)->start(service_.llm().instance, op, &request, &error);
    if (status == JF_OK) {
        // Its completion may be on its way already, and deletes it.
        reply.release();
        return;
    }
    service_.end_generation(*this);
    host.cancel(op);
    host.cancel(timer_op);
    then(status, {});
}

void Job::settle(const Pending& pending, const char* state, const std::string& summary) {
    const bool failed = std::string_view(state) == "failed";
    write(sdk::Write::update(service_.collection(), {}, pending.id)
              .expect_rev(pending.revision)
              .set(field_state, state)
              .set(field_summary, summary),
          [this, failed](sdk::RecordsReply& reply) {
        // After a conflict somebody else has settled it.
        if (reply.status != JF_OK && reply.status != JF_E_CONFLICT) return finish(reply);
        if (failed && reply.status == JF_OK) service_.count("call_log_fallbacks");
        next();
    });
}

}  // namespace jackfield::call_log
