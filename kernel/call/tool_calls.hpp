#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace jackfield::call {

struct ChatMessage;

/// The tools that a model called and that providers carry out: what waits for its result, and where call and result belong in the
/// conversation. Results come in any order and whatever the caller does meanwhile; they enter the conversation in the order of the
/// calls, once the last of them is there, at the place where the calls were made. So the model is never asked in between: it could not
/// tell a call under way from one that was never made, and would make it again.
class ToolCalls {
  public:
    /// What the agent's model may call besides the host's own, by the names that it sees.
    void offer(std::vector<std::string> names) { offered_ = std::move(names); }
    bool offers(std::string_view name) const;

    /// The model has made a call in reply `reply`; `place` is the number of messages before it. Answers the call's index in that reply:
    /// together they name it for ever.
    std::uint32_t begin(base::MonoTime now, std::uint64_t reply, std::size_t place, std::string_view id, std::string_view name,
                        std::string_view arguments);
    /// False when no such call waits.
    bool finish(std::uint64_t reply, std::uint32_t index, std::string_view content);
    /// What may be said while it runs.
    void progress(std::uint64_t reply, std::uint32_t index, std::string_view text);
    std::string take_progress() { return std::exchange(progress_, {}); }
    bool has_progress() const { return !progress_.empty(); }

    bool waiting() const;
    /// When the first of those that wait was made.
    base::MonoTime since() const { return since_; }
    /// This reply has made calls whose results are not in the conversation yet.
    bool made_in(std::uint64_t reply) const;
    /// What was said before the results were known stands before them: `place` messages.
    void stand_behind(std::size_t place);
    /// With nothing waiting any more: puts the calls and their results where they belong.
    void settle(std::vector<ChatMessage>& messages);

  private:
    struct Pending {
        std::uint64_t reply;
        std::uint32_t index;
        std::size_t place;
        std::string id;
        std::string name;
        std::string arguments;
        std::optional<std::string> content;
    };
    Pending* find(std::uint64_t reply, std::uint32_t index);

    std::vector<std::string> offered_;
    std::vector<Pending> pending_;
    std::uint64_t last_reply_ = 0;
    std::uint32_t next_index_ = 0;
    base::MonoTime since_;
    std::string progress_;
};

}  // namespace jackfield::call
