#include "plugin_host/overruns.hpp"

#include <utility>

namespace jackfield::plugin_host {
namespace {

constexpr std::chrono::minutes between_two{1};

}  // namespace

void Overruns::note(ThreadClass thread_class, std::chrono::nanoseconds elapsed, jf_op op, const OpOwner& owner) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    // Somebody is reading: the metrics count this one, and a plugin that is slow will be slow again.
    if (!lock) return;
    Class& of = classes_[static_cast<std::size_t>(thread_class)];
    ++of.count;
    if (elapsed <= of.longest) return;
    of.longest = elapsed;
    of.op = op;
    of.owner = owner;
}

std::optional<Overruns::Told> Overruns::take(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < classes_.size(); ++i) {
        Class& of = classes_[i];
        if (of.count == 0 || (of.told_at && now - *of.told_at < between_two)) continue;
        const Told told{static_cast<ThreadClass>(i), of.longest, of.op, of.owner, of.count};
        of = {};
        of.told_at = now;
        return told;
    }
    return std::nullopt;
}

}  // namespace jackfield::plugin_host
