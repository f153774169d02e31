#include "simulators/sip_phone.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>

namespace jackfield::sim {
namespace {

constexpr auto cap_wait = milliseconds(500);

}  // namespace

SipPhone::SipPhone(PhoneOptions options)
    : options_(std::move(options)),
      transport_(options_.sip_port),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      offer_(options_.codecs) {
    if (!wake_.open()) throw std::runtime_error("eventfd failed");
    thread_ = std::thread([this] { run(); });
}

SipPhone::~SipPhone() {
    {
        const std::scoped_lock lock(mutex_);
        if (state_ == CallState::answered && !vanished_) send_bye();
        stopping_ = true;
    }
    wake();
    thread_.join();
}

void SipPhone::set_answer(AnswerPlan plan) {
    const std::scoped_lock lock(mutex_);
    options_.answer = std::move(plan);
}

void SipPhone::run() {
    std::vector<pollfd> polled;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        polled.clear();
        polled.push_back({wake_.get(), POLLIN, 0});
        transport_.add_to(polled);
        if (leg_) leg_->add_to(polled);
        const auto wait = std::max(next_wake() - Clock::now(), Clock::duration::zero());
        const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
        const timespec timeout{static_cast<time_t>(nanoseconds / 1'000'000'000), static_cast<long>(nanoseconds % 1'000'000'000)};
        lock.unlock();
        ::ppoll(polled.data(), polled.size(), &timeout, nullptr);
        lock.lock();
        work(Clock::now());
        changed_.notify_all();
    }
}

void SipPhone::work(Clock::time_point now) {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto drained = ::read(wake_.get(), &ignored, sizeof ignored);
    // Media first: its clock is the one that a listener hears.
    if (leg_) {
        leg_->receive_all();
        if (!vanished_) leg_->send_due(now);
        if (leg_->pressing()) spoke_ = now;
        if (const auto voiced = leg_->last_said()) spoke_ = std::max(spoke_, *voiced);
    }
    for (const auto& incoming : transport_.receive_all()) {
        if (!vanished_) on_text(incoming);
    }
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const auto action = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        action();
    }
    std::vector<std::string> expired;
    for (auto& [key, transaction] : transactions_) {
        if (transaction.give_up <= now) {
            expired.push_back(key);
        } else if (transaction.resends && transaction.resend_at <= now) {
            send(transaction.peer, transaction.text);
            transaction.interval = std::min<Clock::duration>(transaction.interval * 2, std::chrono::seconds(4));
            transaction.resend_at = now + transaction.interval;
        }
    }
    for (const std::string& key : expired) {
        const auto node = transactions_.extract(key);
        if (!node.empty()) node.mapped().on_response(response_to(node.mapped().request, 408, "Request Timeout"));
    }
    if (repeat_ && repeat_->at <= now) {
        send(repeat_->peer, repeat_->text);
        repeat_->interval = std::min<Clock::duration>(repeat_->interval * 2, std::chrono::seconds(4));
        repeat_->at = now + repeat_->interval;
        if (repeat_->give_up <= now) {
            repeat_.reset();
            if (state_ == CallState::answered) {
                send_bye();
                end(EndedBy::timeout);
            }
        }
    }
}

Clock::time_point SipPhone::next_wake() const {
    auto next = Clock::now() + cap_wait;
    if (leg_ && leg_->running() && !vanished_) next = std::min(next, leg_->next_tick());
    if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
    if (repeat_) next = std::min(next, repeat_->at);
    for (const auto& [key, transaction] : transactions_) {
        next = std::min(next, transaction.resends ? std::min(transaction.resend_at, transaction.give_up)
                                                  : transaction.give_up);
    }
    return next;
}

void SipPhone::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

bool SipPhone::wait_until(milliseconds timeout, const std::function<bool()>& holds) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, holds);
}

void SipPhone::after(milliseconds delay, std::function<void()> action) {
    const std::string call_id = dialog_ ? dialog_->call_id : std::string{};
    timers_.emplace(Clock::now() + delay, [this, call_id, action = std::move(action)] {
        if (dialog_ && dialog_->call_id == call_id) action();
    });
}

void SipPhone::say(std::string name, Pcm speech) {
    const std::scoped_lock lock(mutex_);
    if (leg_ && leg_->running()) leg_->say(std::move(name), std::move(speech));
}

void SipPhone::press(std::string_view keys) {
    const std::scoped_lock lock(mutex_);
    if (leg_ && leg_->running()) leg_->press(keys);
}

void SipPhone::use_loudspeaker(double quieter_db, milliseconds delay) {
    const std::scoped_lock lock(mutex_);
    if (leg_) leg_->set_loudspeaker(quieter_db, delay);
}

void SipPhone::attack(int packets, bool same_ssrc) {
    {
        const std::scoped_lock lock(mutex_);
        if (leg_) leg_->attack(packets, same_ssrc);
    }
    wake();
}

void SipPhone::vanish() {
    const std::scoped_lock lock(mutex_);
    vanished_ = true;
    transactions_.clear();
    repeat_.reset();
    end(EndedBy::vanished);
}

CallState SipPhone::state() const {
    const std::scoped_lock lock(mutex_);
    return state_;
}

bool SipPhone::wait_ringing(milliseconds timeout) {
    bool rings = false;
    wait_until(timeout, [&] {
        rings = state_ == CallState::ringing || state_ == CallState::answered;
        // A call of ours that is over won't ring any more; after an incoming one, the next may come.
        return rings || (state_ == CallState::ended && dialog_ && dialog_->outgoing);
    });
    return rings;
}

bool SipPhone::wait_answered(milliseconds timeout) {
    return wait_until(timeout, [&] { return state_ >= CallState::answered; }) && state() == CallState::answered;
}

bool SipPhone::wait_ended(milliseconds timeout) {
    return wait_until(timeout, [&] { return state_ == CallState::ended; });
}

bool SipPhone::wait_said(milliseconds timeout) {
    return wait_until(timeout, [&] { return !leg_ || !leg_->running() || (!leg_->busy() && !leg_->attacking()); });
}

bool SipPhone::wait_agent_quiet(milliseconds quiet, milliseconds timeout) {
    bool met = false;
    wait_until(timeout, [&] {
        if (leg_ && !leg_->busy() && !leg_->heard_raw().empty()) {
            const auto last = leg_->heard_raw().back().last;
            met = last > spoke_ && Clock::now() - last >= quiet;
        }
        return met || state_ == CallState::ended;
    });
    return met;
}

bool SipPhone::wait_agent_speaking(milliseconds length, milliseconds timeout) {
    bool met = false;
    wait_until(timeout, [&] {
        const auto heard = leg_ ? leg_->heard(options_.reply_pause) : std::vector<Stretch>{};
        if (!heard.empty()) {
            const Stretch& current = heard.back();
            const auto began = std::max(current.first, spoke_);
            met = Clock::now() - current.last < milliseconds(100) && current.last - began >= length;
        }
        return met || state_ == CallState::ended;
    });
    return met;
}

bool SipPhone::wait_heard_key(std::string_view keys, milliseconds timeout) {
    return wait_until(timeout, [&] { return leg_ && leg_->keys_heard().find(keys) != std::string::npos; });
}

bool SipPhone::wait(milliseconds time) {
    return !wait_until(time, [&] { return state_ == CallState::ended; });
}

CallReport SipPhone::report() const {
    const std::scoped_lock lock(mutex_);
    CallReport report = facts_;
    report.state = state_;
    if (!leg_) return report;
    report.codec = codec_name(leg_->codec());
    report.media = leg_->counts();
    report.keys_heard = leg_->keys_heard();
    measure_turns(*leg_, media_began_, options_.reply_pause, report);
    if (answered_ == Clock::time_point{}) return report;
    report.talked_ms = ms_between(answered_, state_ == CallState::ended ? ended_ : Clock::now());
    if (leg_->first_packet()) report.first_packet_ms = ms_between(answered_, *leg_->first_packet());
    if (!leg_->heard_raw().empty()) report.first_speech_ms = ms_between(answered_, leg_->heard_raw().front().first);
    return report;
}

Wav SipPhone::recording() const {
    const std::scoped_lock lock(mutex_);
    return leg_ ? leg_->recording() : Wav{rate_hz, 2, {}};
}

Endpoint SipPhone::far_media() const {
    const std::scoped_lock lock(mutex_);
    return leg_ ? leg_->peer() : Endpoint{};
}

void SipPhone::connected() {
    if (state_ == CallState::answered) return;
    answered_ = Clock::now();
    facts_.answered_after_ms = ms_between(dialled_, answered_);
    state_ = CallState::answered;
}

void SipPhone::end(EndedBy by) {
    if (state_ == CallState::ended) return;
    if (leg_) leg_->stop();
    ended_ = Clock::now();
    state_ = CallState::ended;
    facts_.ended_by = by;
    changed_.notify_all();
}

}  // namespace jackfield::sim
