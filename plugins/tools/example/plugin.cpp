// tools/example: two functions for a language model, one that only looks and one that changes something. Copy the folder, put real ones into
// the constructor.

#include <jackfield/sdk/tools.hpp>

#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace jackfield::tools_example {

/// Days since 1970 of a date that begins with YYYY-MM-DD; nothing where that is no day.
std::optional<long> day_number(const std::string& date) {
    int year = 0, month = 0, day = 0;
    if (std::sscanf(date.c_str(), "%4d-%2d-%2d", &year, &month, &day) != 3) return std::nullopt;
    std::tm parts{};
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    const std::time_t seconds = timegm(&parts);
    // timegm() takes February 30 for March 2.
    if (parts.tm_mon != month - 1 || parts.tm_mday != day) return std::nullopt;
    return static_cast<long>(seconds / 86400);
}

class Example final : public sdk::Tools {
  public:
    static std::unique_ptr<Example> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Example>(host, static_cast<std::size_t>(config.integer("most_votes", 1000)));
    }
    Example(sdk::Host host, std::size_t most_votes) : Tools(host), most_votes_(most_votes) {
        add({"days_until", "How many days it is until a date, in the caller's time zone",
             R"({"type":"object","properties":{"date":{"type":"string","description":"YYYY-MM-DD"}},"required":["date"]})", JF_TOOL_READ_ONLY},
            [](const sdk::ToolCall& call) { return days_until(call); });
        add({"vote", "Counts a vote for one of the caller's choices",
             R"({"type":"object","properties":{"choice":{"type":"string","minLength":1,"maxLength":40}},"required":["choice"]})", JF_TOOL_IDEMPOTENT},
            [this](const sdk::ToolCall& call) { return vote(call); });
    }
    const void* query(std::string_view interface_id) {
        return interface_id == JF_TOOLS_V1 ? sdk::tools_table<Example>() : nullptr;
    }

  private:
    static std::string days_until(const sdk::ToolCall& call) {
        const auto date = day_number(call.arguments.text("date").value_or(""));
        const auto today = day_number(std::string(sdk::view(call.request.now_local)));
        if (!today) throw sdk::Failure(JF_E_INVALID, "the request does not say what time it is");
        // What the model can mend is a result, not a failure: it asks the caller again.
        if (!date) return R"({"error":"that is no date; write YYYY-MM-DD"})";
        return "{\"days\":" + std::to_string(*date - *today) + "}";
    }

    /// Calls run side by side, hence the lock. The host may run one twice when an answer got lost: the key tells that it is the same call, and
    /// a vote that was counted is not counted again.
    std::string vote(const sdk::ToolCall& call) {
        const std::string choice = call.arguments.text("choice").value_or("");
        if (choice.empty()) return R"({"error":"a vote is for something"})";
        const std::lock_guard lock(mutex_);
        const std::string key(sdk::view(call.request.idempotency_key));
        if (key.empty() || !counted_.contains(key)) {
            if (counted_.size() >= most_votes_) return R"({"error":"no more votes are counted"})";
            counted_.insert(key.empty() ? std::to_string(counted_.size()) : key);
            ++votes_[choice];
        }
        return "{\"choice\":" + sdk::quoted(choice) + ",\"votes\":" + std::to_string(votes_[choice]) + "}";
    }

    const std::size_t most_votes_;
    std::mutex mutex_;
    std::set<std::string> counted_;
    std::map<std::string, int> votes_;
};

}  // namespace jackfield::tools_example

JACKFIELD_MODULE(jackfield::tools_example::Example)
