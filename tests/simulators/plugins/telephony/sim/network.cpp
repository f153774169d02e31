#include "network.hpp"

#include <algorithm>

namespace jackfield::telephony_sim {

const std::vector<Voice>& Network::step(const Voice* packet) {
    arrived_.clear();
    if (packet) send(*packet);
    while (!under_way_.empty() && under_way_.begin()->first <= time_) {
        arrived_.push_back(under_way_.begin()->second);
        under_way_.erase(under_way_.begin());
    }
    ++time_;
    return arrived_;
}

void Network::send(Voice packet) {
    unsigned arrives = time_;
    bool lost = false;
    bool twice = false;
    for (const NetworkFault& fault : faults_) {
        const bool now = time_ >= fault.at && time_ - fault.at < fault.n;
        switch (fault.kind) {
            case NetworkFault::Kind::lose: lost |= now; break;
            case NetworkFault::Kind::twice: twice |= now; break;
            case NetworkFault::Kind::delay:
                if (now) arrives = std::max(arrives, time_ + fault.much);
                break;
            case NetworkFault::Kind::swap:
                if (time_ == fault.at) arrives = std::max(arrives, time_ + fault.n);
                break;
            case NetworkFault::Kind::stall:
                if (now) arrives = std::max(arrives, fault.at + fault.n);
                break;
            case NetworkFault::Kind::jump:
                if (time_ == fault.at) offset_ += fault.n;
                break;
            case NetworkFault::Kind::back:
                if (time_ == fault.at) offset_ -= std::min<std::int64_t>(fault.n, static_cast<std::int64_t>(packet.pts) + offset_);
                break;
            case NetworkFault::Kind::restart:
                if (time_ == fault.at) {
                    offset_ = static_cast<std::int64_t>(fault.n) - static_cast<std::int64_t>(packet.pts);
                    packet.discontinuity = true;
                }
                break;
        }
    }
    if (lost) return;
    packet.pts = static_cast<std::uint64_t>(static_cast<std::int64_t>(packet.pts) + offset_);
    under_way_.emplace(arrives, packet);
    if (twice) under_way_.emplace(arrives + 1, packet);
}

}  // namespace jackfield::telephony_sim
