#include "trunks.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

// One lost OPTIONS is bad luck; its retransmissions are part of the one.
constexpr unsigned failures_to_down = 2;
constexpr std::uint64_t patience_ms = 4'000;
constexpr std::uint64_t retry_ms = 5'000;

}  // namespace

Trunks::Trunks(std::vector<std::string> proxies, std::function<void(const Change&)> on_change)
    : on_change_(std::move(on_change)) {
    for (std::string& uri : proxies) {
        auto trunk = std::make_unique<Trunk>();
        trunk->owner = this;
        trunk->uri = std::move(uri);
        trunks_.push_back(std::move(trunk));
    }
}

Trunks::~Trunks() {
    stop();
}

void Trunks::watch(const Sender& sender, const std::string& own_address, std::uint32_t interval_s) {
    if (interval_s == 0) return;
    sender_ = sender;
    own_address_ = own_address;
    interval_ms_ = std::uint64_t{interval_s} * 1000;
    for (const std::unique_ptr<Trunk>& trunk : trunks_) {
        trunk->call_id = random_token();
        ask(*trunk);
    }
}

void Trunks::stop() {
    for (const std::unique_ptr<Trunk>& trunk : trunks_) {
        tmr_cancel(&trunk->timer);
        tmr_cancel(&trunk->patience);
        trunk->request.reset();
    }
}

void Trunks::ask(Trunk& trunk) {
    Trunk* const one = &trunk;
    trunk.request = Request::outside(
        sender_,
        {trunk.uri,
         trunk.uri,
         "<" + own_address_ + ">;tag=" + random_token().substr(0, 16),
         "<" + trunk.uri.substr(0, trunk.uri.find(';')) + ">",
         trunk.call_id,
         &trunk.cseq},
        "OPTIONS",
        "Accept: application/sdp\r\n",
        [this, one](int problem, const struct sip_msg* response) {
            // Even a refusal shows that somebody is there who thinks. 503 says that it can't, 408
            // that nobody is behind it.
            const bool answered = !problem && response->scode != 503 && response->scode != 408;
            char reason[128];
            asked(*one,
                  answered,
                  answered   ? ""
                  : response ? std::to_string(response->scode)
                             : str_error(problem, reason, sizeof reason));
        });
    if (!trunk.request) return asked(trunk, false, "it can't be sent");
    tmr_start(
        &trunk.patience,
        std::min(patience_ms, interval_ms_),
        [](void* arg) {
            auto& late = *static_cast<Trunk*>(arg);
            late.request.reset();
            late.owner->asked(late, false, "no answer");
        },
        one);
}

void Trunks::asked(Trunk& trunk, bool answered, const std::string& why) {
    tmr_cancel(&trunk.patience);
    set(trunk, answered, why);
    tmr_start(
        &trunk.timer,
        answered ? interval_ms_ : std::min(retry_ms, interval_ms_),
        [](void* arg) {
            auto& due = *static_cast<Trunk*>(arg);
            due.owner->ask(due);
        },
        &trunk);
}

void Trunks::set(Trunk& trunk, bool answered, const std::string& why) {
    trunk.failures = answered ? 0 : trunk.failures + 1;
    const bool up = answered || (trunk.up && trunk.failures < failures_to_down);
    if (up == trunk.up) return;
    std::size_t up_count = 0;
    {
        const std::lock_guard lock(mutex_);
        trunk.up = up;
        for (const std::unique_ptr<Trunk>& one : trunks_) up_count += one->up ? 1 : 0;
    }
    on_change_({trunk.uri, up, why, up_count});
}

void Trunks::note(const std::string& proxy, bool answered, const std::string& why) {
    for (const std::unique_ptr<Trunk>& trunk : trunks_)
        if (trunk->uri == proxy) set(*trunk, answered, why);
}

std::vector<std::string> Trunks::order() const {
    std::vector<std::string> out;
    const std::lock_guard lock(mutex_);
    for (const bool up : {true, false})
        for (const std::unique_ptr<Trunk>& trunk : trunks_)
            if (trunk->up == up) out.push_back(trunk->uri);
    return out;
}

}  // namespace jackfield::sip
