#include "pool.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::pocketsphinx {

void Pool::warm() {
    std::unique_ptr<Decoder> made = Decoder::create(options_, lexicon_);
    {
        const std::lock_guard lock(mutex_);
        ++total_;
    }
    give_back(std::move(made));
}

Pool::Borrow Pool::borrow(std::uint64_t vocabulary, std::unique_ptr<Decoder>& out, std::function<void()> wake) {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto best = std::find_if(idle_.begin(), idle_.end(), [&](const auto& d) { return d->has(vocabulary); });
            if (best == idle_.end()) best = idle_.begin();  // the longest idle
            out = std::move(*best);
            idle_.erase(best);
            return Borrow::got;
        }
        if (total_ >= options_.max_decoders) {
            if (waiting_.size() >= options_.max_waiting) return Borrow::refused;
            waiting_.push_back(std::move(wake));
            return Borrow::waiting;
        }
        ++total_;
    }
    try {
        out = Decoder::create(options_, lexicon_);
        return Borrow::got;
    } catch (...) {
        const std::lock_guard lock(mutex_);
        --total_;
        return Borrow::failed;
    }
}

std::function<void()> Pool::next_waiter() {
    if (waiting_.empty()) return {};
    std::function<void()> next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
}

void Pool::give_back(std::unique_ptr<Decoder> decoder) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        if (decoder && !decoder->worn()) {
            idle_.push_back(std::move(decoder));
        } else {
            --total_;  // its place is free; borrow() fills it
        }
        wake = next_waiter();
    }
    decoder.reset();
    if (wake) wake();
}

std::size_t Pool::size() const {
    const std::lock_guard lock(mutex_);
    return total_;
}

}  // namespace jackfield::pocketsphinx
