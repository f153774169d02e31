#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include "dialogue.hpp"

namespace jackfield::scripted {

/// One reply on its way out: hints, then the words, then the tool call, then the completion. Runs on its op's strand.
class Generation : public sdk::OpUser {
  public:
    enum class Progress { done, waiting };

    Generation(const sdk::Host& host, jf_op op, Turn turn, std::uint64_t tokens_in);

    /// Emits until all is out, or until a timer has to pass between two words or because the host's queue is full.
    Progress pump(std::chrono::nanoseconds token_delay);
    /// Gives up: completes the op now, or when the timer's completion arrives.
    Progress cancel();

    jf_op op() const { return op_; }
    /// Called when the op has completed after a wait; destroys this.
    void (*on_finished)(void* owner, jf_op op) = nullptr;
    void* owner = nullptr;

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op timer, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    jf_status emit_hints();
    jf_status emit_call();
    Progress wait(std::chrono::nanoseconds delay);
    Progress complete(jf_status status);

    const sdk::Host host_;
    const jf_op op_;
    const Turn turn_;
    const std::uint64_t tokens_in_;
    std::vector<std::string_view> tokens_;  // of turn_.reply; together they are the reply
    std::size_t next_ = 0;                  // 0 hints, then tokens, then the call
    std::chrono::nanoseconds token_delay_{0};
    jf_op timer_ = JF_NO_OP;
    bool cancelled_ = false;
};

}  // namespace jackfield::scripted
