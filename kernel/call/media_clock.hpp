#pragma once

#include <array>
#include <memory>
#include <vector>

#include "media/packet_clock.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::call {

/// Who wants to be called every 20 ms.
class MediaClient {
  public:
    virtual ~MediaClient() = default;
    /// `skipped`: so many intervals before this one passed unserved (the thread stood still) and won't be made up for: media time jumps
    /// over them.
    virtual void on_media_tick(base::MonoTime now, std::uint64_t skipped) = 0;
};

/// One shard's media time: one timer serves all calls of a phase, on an absolute schedule. Four phases, 5 ms apart, spread the packets.
class MediaClock {
  public:
    explicit MediaClock(runtime::Shard& shard) : shard_(shard) {}
    ~MediaClock() { *alive_ = false; }
    MediaClock(const MediaClock&) = delete;

    /// On the shard. The client gets its ticks until it is removed, from the phase that has fewest.
    void add(MediaClient& client);
    void remove(MediaClient& client);
    std::size_t clients() const;

  private:
    static constexpr std::size_t phase_count = 4;
    struct Phase {
        std::vector<MediaClient*> clients; ///< null: removed while ticking
        media::PacketClock clock;
        bool running = false;
    };
    void arm(std::size_t index);
    void tick(std::size_t index);

    runtime::Shard& shard_;
    std::array<Phase, phase_count> phases_;
    /// A timer that fires after the clock is gone sees it.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace jackfield::call
