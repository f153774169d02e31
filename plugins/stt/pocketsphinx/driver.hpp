#pragma once

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/stt.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "stream.hpp"

namespace jackfield::pocketsphinx {

/// The open streams by op. Looked up for each packet: 64 small tables, each behind a lock that is held for a few instructions.
class Streams {
  public:
    std::shared_ptr<Stream> find(jf_op op) const;
    void add(jf_op op, std::shared_ptr<Stream> stream);
    /// How many are left.
    std::size_t remove(jf_op op);
    std::size_t size() const { return size_; }
    std::vector<std::shared_ptr<Stream>> all() const;

  private:
    struct Shard {
        mutable std::atomic_flag busy;
        std::vector<std::pair<jf_op, std::shared_ptr<Stream>>> streams;
    };
    static constexpr std::size_t shards = 64;
    Shard& shard(jf_op op) const { return shards_[static_cast<std::size_t>(op) % shards]; }

    mutable std::array<Shard, shards> shards_;
    std::atomic<std::size_t> size_{0};
};

/// The instance.
class Recogniser {
  public:
    static std::unique_ptr<Recogniser> create(sdk::Host host, const sdk::Config& config);
    explicit Recogniser(sdk::Host host, Options options) : engine_(host, std::move(options)) {}

    void start(jf_op op);
    void quiesce(jf_op op, std::uint32_t budget_ms);
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    jf_status open(jf_op op, const jf_stt_open& options);
    jf_status control(jf_op op, const jf_stt_control& control);
    jf_status push(jf_op op, const jf_frame& frame);
    jf_status close(jf_op op);

  private:
    void stream_closed(jf_op op);
    void end_quiesce();

    Engine engine_;
    Streams streams_;
    std::atomic<bool> refusing_{false};
    std::atomic<jf_op> quiesce_op_{JF_NO_OP};
};

}  // namespace jackfield::pocketsphinx
