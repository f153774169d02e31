#include "call/dead_air.hpp"

#include <algorithm>

namespace jackfield::call {
namespace {

/// From text to sound through a voice over the network: a filler has to be ordered so much earlier than it is due.
constexpr base::Milliseconds voice_lead{500};
/// After a filler's words the voice and the playout may lag that far behind: no silence yet.
constexpr int hopeless_after = 2;  // times dead_air_words

}  // namespace

void DeadAir::owe(base::MonoTime last_voiced) {
    since_ = last_voiced;
    again_ = waits_ = filled_ = toned_ = gave_up_ = hopeless_ = false;
    fillers_ = 0;
}

void DeadAir::heard_words() {
    if (since_) waits_ = true;
}

void DeadAir::fell_silent(base::MonoTime now) {
    since_ = now;
    again_ = true;
    waits_ = filled_ = toned_ = gave_up_ = hopeless_ = false;
}

base::MonoTime DeadAir::filler_at() const {
    const auto after = again_ ? options_.filler_repeat : options_.dead_air;
    return *since_ + std::max(after - voice_lead, base::Milliseconds(0));
}

std::optional<base::MonoTime> DeadAir::next_deadline() const {
    if (!since_ || waits_) return std::nullopt;
    std::optional<base::MonoTime> next;
    const auto earlier = [&](base::MonoTime t) { next = next ? std::min(*next, t) : t; };
    if (!filled_ && can_fill_) earlier(filler_at());
    if (!toned_) earlier(*since_ + options_.dead_air);
    if (!gave_up_) earlier(*since_ + options_.dead_air_words + (again_ ? options_.filler_repeat : base::Milliseconds(0)));
    if (!hopeless_) earlier(*since_ + hopeless_after * options_.dead_air_words + (again_ ? options_.filler_repeat : base::Milliseconds(0)));
    return next;
}

std::optional<DeadAir::Step> DeadAir::due(base::MonoTime now, bool can_fill) {
    can_fill_ = can_fill;
    if (!since_ || waits_) return std::nullopt;
    const auto later = again_ ? options_.filler_repeat : base::Milliseconds(0);
    if (!hopeless_ && now >= *since_ + hopeless_after * options_.dead_air_words + later) {
        hopeless_ = gave_up_ = toned_ = filled_ = true;
        return Step::hopeless;
    }
    if (!gave_up_ && now >= *since_ + options_.dead_air_words + later) {
        gave_up_ = toned_ = filled_ = true;
        return Step::no_words;
    }
    if (!filled_ && can_fill && now >= filler_at()) {
        filled_ = true;
        return Step::filler;
    }
    if (!toned_ && now >= *since_ + options_.dead_air) {
        toned_ = true;
        return Step::tone;
    }
    return std::nullopt;
}

}  // namespace jackfield::call
