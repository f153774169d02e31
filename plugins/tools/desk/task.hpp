#pragma once

#include <functional>
#include <memory>
#include <string>

#include <jackfield/sdk/records.hpp>
#include <jackfield/tools.h>

#include "functions.hpp"

namespace jackfield::desk {

class Desk;

/// One call of a function that needs the appointment book, on its op's strand. Lives while the desk or one of its record operations holds
/// it.
class Task : public std::enable_shared_from_this<Task> {
  public:
    Task(Desk& desk, jf_op op, const jf_tool_request& request);

    void run();
    /// The host has given the op up. What is being written is written; nobody hears of it here.
    void cancel();
    jf_op op() const { return op_; }

  private:
    class RecordsCall;
    using Answer = std::function<void(sdk::RecordsReply&)>;

    void list_free();
    void book();
    void try_seat(int seat);
    void find();
    void cancel_appointment();
    void remove(const sdk::Row& appointment);

    void query(const sdk::Query& query, Answer then);
    void write(const sdk::Write& write, Answer then);
    void batch(const sdk::Batch& batch, Answer then);
    template <typename Start>
    void ask(Start start, Answer then);
    /// Runs a step; what it throws ends the task with that failure.
    template <typename Body>
    void step(Body body) noexcept;
    void answer(const std::string& json);
    void fail(jf_status status, const jf_error* error);
    void fail(const sdk::RecordsReply& reply);

    Desk& desk_;
    const jf_op op_;
    const std::string name_;
    const Arguments arguments_;
    std::string key_;
    const std::string call_;
    Moment now_;
    Moment wanted_;
    bool finished_ = false;
};

}  // namespace jackfield::desk
