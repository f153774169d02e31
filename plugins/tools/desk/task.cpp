#include "task.hpp"

#include "book.hpp"
#include "desk.hpp"

namespace jackfield::desk {

/// One operation on the record store. Owns itself until its on_done.
class Task::RecordsCall final : public sdk::OpUser {
  public:
    RecordsCall(std::shared_ptr<Task> task, Answer then) : task_(std::move(task)), then_(std::move(then)) {}
    void on_event(jf_op, const jf_event& event) override { reply_.on_event(event); }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        const std::unique_ptr<RecordsCall> self(this);
        reply_.on_done(status, last, error);
        if (!task_->finished_) task_->step([&] { then_(reply_); });
    }

  private:
    std::shared_ptr<Task> task_;
    Answer then_;
    sdk::RecordsReply reply_;
};

Task::Task(Desk& desk, jf_op op, const jf_tool_request& request)
    : desk_(desk),
      op_(op),
      name_(sdk::view(request.name)),
      arguments_(Arguments::parse(sdk::view(request.arguments))),
      key_(sdk::view(request.idempotency_key)),
      call_(sdk::view(request.call)),
      now_(Desk::now_of(request)) {
    if (key_.empty()) key_ = "once-" + std::to_string(desk.host().now_ns()) + "-" + std::to_string(op);
}

void Task::run() {
    step([this] {
        if (name_ == "free_times") list_free();
        else if (name_ == "book") book();
        else if (name_ == "find") find();
        else cancel_appointment();
    });
}

void Task::cancel() { fail(JF_E_CANCELLED, nullptr); }

void Task::list_free() {
    const auto day = parse_date(arguments_["date"]);
    if (!day) return answer(refusal("there is no day " + arguments_["date"]));
    query(sdk::Query(desk_.appointments()).prefix(appointment_starts, date_text(*day) + "T").limit(10000), [this, day = *day](sdk::RecordsReply& reply) {
        if (reply.status != JF_OK) return fail(reply);
        std::vector<std::string> taken;
        for (const sdk::Row& row : reply.rows) taken.push_back(row.field(appointment_starts).text());
        answer(free_times_json(day, free_times(desk_.config(), day, taken, now_)));
    });
}

void Task::book() {
    const auto day = parse_date(arguments_["date"]);
    const auto minute = parse_time(arguments_["time"]);
    if (!day || !minute) return answer(refusal("that is no day and time: " + arguments_["date"] + " " + arguments_["time"]));
    wanted_ = {*day, *minute};
    if (const std::string why = objection(desk_.config(), wanted_, now_); !why.empty()) return answer(refusal(why));
    try_seat(0);
}

/// The id is the call's key, so that a second try of the same call finds what the first one made; the index of time and seat keeps
/// everybody else out.
void Task::try_seat(int seat) {
    if (seat == desk_.config().at_once) return answer(refusal("that time is taken"));
    const std::string code = code_for(key_);
    auto made = sdk::Write::insert_or_get(desk_.appointments(), {}, key_);
    made.set(appointment_starts, starts_text(wanted_))
        .set(appointment_seat, seat)
        .set(appointment_name, arguments_["name"])
        .set(appointment_phone, digits_of(arguments_["phone"]))
        .set(appointment_note, arguments_["note"])
        .set(appointment_code, code)
        .set(appointment_call, call_);
    write(made, [this, seat, code](sdk::RecordsReply& reply) {
        if (reply.status == JF_E_CONFLICT) return try_seat(seat + 1);
        if (reply.status != JF_OK) return fail(reply);
        const std::string starts = reply.rows.empty() ? starts_text(wanted_) : reply.rows.front().field(appointment_starts).text();
        answer(booked_json(code, starts, arguments_["name"]));
    });
}

void Task::find() {
    const std::string phone = digits_of(arguments_["phone"]);
    if (phone.size() < 3) return answer(refusal("that is no telephone number"));
    query(sdk::Query(desk_.appointments())
              .eq(appointment_phone, phone)
              .ge(appointment_starts, starts_text(now_))
              .order_by(appointment_starts)
              .limit(20),
          [this](sdk::RecordsReply& reply) {
        if (reply.status != JF_OK) return fail(reply);
        answer(found_json(reply.rows));
    });
}

void Task::cancel_appointment() {
    const std::string code = digits_of(arguments_["code"]);
    query(sdk::Query(desk_.cancellations()).id(key_), [this, code](sdk::RecordsReply& before) {
        if (before.status != JF_OK) return fail(before);
        // The same call once more: it was done.
        if (!before.rows.empty()) return answer(R"({"ok":true})");
        query(sdk::Query(desk_.appointments()).eq(appointment_code, code).ge(appointment_starts, starts_text(now_)).limit(2),
              [this](sdk::RecordsReply& found) {
            if (found.status != JF_OK) return fail(found);
            if (found.rows.size() != 1)
                return answer(refusal(found.rows.empty() ? "there is no appointment with that code" : "the code is not clear: ask a person"));
            remove(found.rows.front());
        });
    });
}

void Task::remove(const sdk::Row& appointment) {
    sdk::Batch both;
    auto note = sdk::Write::insert(desk_.cancellations(), {}, key_);
    note.set(cancellation_code, appointment.field(appointment_code).text())
        .set(cancellation_starts, appointment.field(appointment_starts).text())
        .set(cancellation_name, appointment.field(appointment_name).text())
        .set(cancellation_phone, appointment.field(appointment_phone).text());
    both.add(note).add(sdk::Write::remove(desk_.appointments(), {}, appointment.id()));
    batch(both, [this](sdk::RecordsReply& reply) {
        if (reply.status != JF_OK) return fail(reply);
        answer(R"({"ok":true})");
    });
}

template <typename Start>
void Task::ask(Start start, Answer then) {
    auto call = std::make_unique<RecordsCall>(shared_from_this(), std::move(then));
    const jf_op op = desk_.host().open(op_, *call);
    jf_error error = sdk::make<jf_error>();
    const jf_status status = start(static_cast<const jf_records_v1*>(desk_.records().table), op, &error);
    if (status == JF_OK) {
        // Its completion may be on its way already, and deletes it.
        call.release();
        return;
    }
    desk_.host().cancel(op);
    throw sdk::Failure(status, error.text[0] ? error.text : "the record store took no request", JF_RETRY_AFTER);
}

void Task::query(const sdk::Query& query, Answer then) {
    ask([&](const jf_records_v1* records, jf_op op, jf_error* error) { return records->query(desk_.records().instance, op, query.abi(), error); },
        std::move(then));
}

void Task::write(const sdk::Write& write, Answer then) {
    ask([&](const jf_records_v1* records, jf_op op, jf_error* error) { return records->write(desk_.records().instance, op, write.abi(), error); },
        std::move(then));
}

void Task::batch(const sdk::Batch& batch, Answer then) {
    ask([&](const jf_records_v1* records, jf_op op, jf_error* error) { return records->batch(desk_.records().instance, op, batch.abi(), error); },
        std::move(then));
}

template <typename Body>
void Task::step(Body body) noexcept {
    jf_error error = sdk::make<jf_error>();
    if (const jf_status status = sdk::guarded(&error, [&] { body(); }); status != JF_OK) fail(status, &error);
}

void Task::answer(const std::string& json) {
    if (std::exchange(finished_, true)) return;
    desk_.answer(op_, json);
}

void Task::fail(jf_status status, const jf_error* error) {
    if (std::exchange(finished_, true)) return;
    desk_.fail(op_, status, error);
}

void Task::fail(const sdk::RecordsReply& reply) {
    jf_error error = sdk::make<jf_error>();
    sdk::Failure(reply.status, "the appointment book: " + reply.error, reply.retry_class).write(&error);
    error.retry_after_ms = reply.retry_after_ms;
    fail(reply.status, &error);
}

}  // namespace jackfield::desk
