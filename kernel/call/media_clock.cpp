#include "call/media_clock.hpp"

#include <algorithm>

namespace jackfield::call {
namespace {

constexpr base::Milliseconds phase_step{media::packet_ms / 4};

std::size_t count(const std::vector<MediaClient*>& clients) {
    return static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(), [](auto* c) { return c != nullptr; }));
}

}  // namespace

void MediaClock::add(MediaClient& client) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < phase_count; ++i)
        if (count(phases_[i].clients) < count(phases_[best].clients)) best = i;
    Phase& phase = phases_[best];
    phase.clients.push_back(&client);
    if (phase.running) return;
    phase.running = true;
    // Phases keep their distance to each other whenever they start.
    constexpr std::int64_t period = base::Nanoseconds(base::Milliseconds(media::packet_ms)).count();
    const std::int64_t offset = base::Nanoseconds(phase_step).count() * static_cast<std::int64_t>(best);
    const std::int64_t now = shard_.now().ns;
    phase.clock.start({(now / period + 1) * period + offset});
    arm(best);
}

void MediaClock::remove(MediaClient& client) {
    for (Phase& phase : phases_) std::replace(phase.clients.begin(), phase.clients.end(), &client, static_cast<MediaClient*>(nullptr));
}

std::size_t MediaClock::clients() const {
    std::size_t sum = 0;
    for (const Phase& phase : phases_) sum += count(phase.clients);
    return sum;
}

void MediaClock::arm(std::size_t index) {
    shard_.start_timer(phases_[index].clock.next_due(), [this, index, alive = alive_] {
        if (*alive) tick(index);
    });
}

void MediaClock::tick(std::size_t index) {
    Phase& phase = phases_[index];
    const base::MonoTime now = shard_.now();
    const auto due = phase.clock.due(now);
    for (unsigned packet = 0; packet < due.packets; ++packet)
        for (std::size_t i = 0; i < phase.clients.size(); ++i)
            if (phase.clients[i]) phase.clients[i]->on_media_tick(now, packet == 0 ? due.skipped : 0);
    std::erase(phase.clients, nullptr);
    if (phase.clients.empty()) phase.running = false;
    else arm(index);
}

}  // namespace jackfield::call
