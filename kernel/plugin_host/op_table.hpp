#pragma once

#include <jackfield/base.h>
#include <jackfield/host.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "plugin_host/message_ring.hpp"
#include "plugin_host/op_label.hpp"
#include "runtime/runtime.hpp"

namespace jackfield::plugin_host {

class Instance;
struct OpSlot;

/// The kernel's side of an op that it opened. Called on the op's shard, never from inside a call into a plugin.
class OpSink {
  public:
    virtual ~OpSink() = default;
    virtual void on_event(jf_op op, const jf_event& event) = 0;
    /// Exactly once; the op's id is stale from here on.
    virtual void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) = 0;
};

/// A facility that runs ops for plugins: timers, sockets, workers.
class OpRunner {
  public:
    virtual ~OpRunner() = default;
    /// The user gave the op up, or its parent closed. On the op's shard. The runner finishes the op, now or soon.
    virtual void cancel(OpSlot& slot) = 0;
    /// What it runs may stand in plugin code that never returns: such an op is not waited for when its user is lost.
    virtual bool may_never_end() const { return false; }
};

/// What a provider is held to. Looks at what it says on one op before anybody else does, on the op's shard: nonsense is the provider's failure
/// and never its user's problem.
class OutputCheck {
  public:
    enum class Verdict : std::uint8_t {
        pass,
        drop, ///< this event is no good, the op goes on
        fail, ///< the op is given up and completes with INTERNAL
    };
    virtual ~OutputCheck() = default;
    virtual Verdict look(const jf_event& event) = 0;
    /// Of a completion with OK: is it what the contract promises?
    virtual bool complete(const jf_event* last) = 0;
};

/// One operation. Everything but the atomics belongs to the op's shard.
struct OpSlot {
    std::atomic<std::uint32_t> generation{0}; ///< odd while open
    std::atomic<Instance*> executor{nullptr}; ///< the instance that carries it out, if one does
    std::atomic<Instance*> user{nullptr};     ///< the instance that opened it; null: the kernel
    /// The generation that was started. Not a flag: a late start function on another thread may meet the slot's next op, and must not
    /// change it.
    std::atomic<std::uint32_t> started{0};
    /// The generation that its executor has completed: the completion is on its way, and a second one is none.
    std::atomic<std::uint32_t> completed{0};
    std::uint32_t index = 0;                  ///< shard << 24 | slot

    OpSink* sink = nullptr;
    jf_sink user_sink{};
    std::atomic<OpRunner*> runner{nullptr};
    std::uint64_t runner_data = 0;
    std::shared_ptr<void> runner_object;
    std::atomic<bool> cancel_sent{false};
    bool finishing = false;
    bool timed_out = false;             ///< cancelled since its deadline has passed
    bool broken = false;                ///< `check` has failed it
    std::unique_ptr<OutputCheck> check; ///< set before the executor is
    runtime::TimerId cancel_timer = 0;

    std::atomic<std::uint32_t> refused{0}; ///< packets that its executor's own thread did not take
    OpLabel label; ///< written on any thread, as long as the op is open

    std::uint32_t parent = none;
    std::uint32_t first_child = none;
    std::uint32_t next_sibling = none;
    std::uint32_t previous_sibling = none;

    static constexpr std::uint32_t none = 0xffffffff;
    jf_op id() const { return std::uint64_t{generation.load(std::memory_order_relaxed)} << 32 | index; }

    /// True for exactly one caller per op, who may then start it or drop it. False also when `op` has closed.
    bool take_start(jf_op op) {
        const auto wanted = static_cast<std::uint32_t>(op >> 32);
        std::uint32_t before = started.load();
        if (before == wanted || generation.load() != wanted) return false;
        return started.compare_exchange_strong(before, wanted);
    }
    /// The start that was taken failed: the op may be started again.
    void give_start_back() { started = 0; }
};

struct OpCounters {
    std::atomic<std::uint64_t> late_events{0};          ///< emitted on an op that had ended
    std::atomic<std::uint64_t> late_completions{0};     ///< second completions, and completions of strangers' ops
    std::atomic<std::uint64_t> unknown_events{0};
    std::atomic<std::uint64_t> queue_full{0};
    std::atomic<std::uint64_t> cancel_timeouts{0};      ///< the plugin did not complete in time after cancel
    std::atomic<std::uint64_t> bad_answers{0};          ///< events and completions against their interface's contract
};

/// Messages from one instance's threads to one shard. Bounded for events; completions overflow into a list, of which there is at most one
/// per open op.
class Mailbox {
  public:
    explicit Mailbox(std::size_t capacity) : ring_(capacity) {}
    /// False: full, nothing taken.
    bool push(const Message& message, std::span<const std::byte> data);
    /// All or none.
    bool push(std::span<const std::pair<Message, std::vector<std::byte>>> messages);
    void push_always(const Message& message, std::span<const std::byte> data);
    /// For what does not fit the ring. False: megabytes of such messages wait already.
    bool push_large(const Message& message, std::span<const std::byte> data);
    bool pop(Message& message, std::vector<std::byte>& data);
    bool empty() const;
    /// More waits than the ring holds.
    bool overflows() const;
    /// Gives the memory back; what is pushed from here on is dropped. For an instance that is gone, whose late callers may still come.
    void close();

    std::atomic<bool> queued{false}; ///< stands in the shard's ready list

  private:
    struct Overflow {
        Message message;
        std::vector<std::byte> data;
    };
    mutable std::mutex mutex_;
    MessageRing ring_;
    std::vector<Overflow> overflow_;
    std::size_t overflow_head_ = 0;
    std::size_t overflow_bytes_ = 0;
    bool closed_ = false;
};

/// Every operation of the host: ids, their tree, and the delivery of what plugins emit. Ids, not pointers, cross the ABI, so that
/// a late call is harmless.
class OpTable {
  public:
    /// The after-task hook of every shard becomes this table's delivery.
    explicit OpTable(runtime::Runtime& runtime);
    ~OpTable();
    OpTable(const OpTable&) = delete;

    runtime::Runtime& runtime() { return runtime_; }
    runtime::Shard& shard_of(jf_op op) { return runtime_.shard(shard_index(op)); }
    static unsigned shard_index(jf_op op) { return static_cast<unsigned>(op >> 24) & 0xff; }
    bool knows_shard(jf_op op) const { return shard_index(op) < shards_.size(); }

    /// Opens an op of the kernel's on the current shard, or on `shard` (any thread; the sink is set before anything can arrive).
    jf_op open(runtime::Shard& shard, OpSink* sink, Instance* executor, std::unique_ptr<OutputCheck> check = nullptr);
    /// Opens an op of a plugin's. `parent` may be JF_NO_OP. JF_NO_OP when the parent is not open or the table is full.
    jf_op open_for_plugin(Instance& user, jf_op parent, const jf_sink& sink);

    /// The slot while it is open, else null. The result may close at any moment unless this is its shard.
    OpSlot* find(jf_op op) const;

    /// Says whose an op is, and with it the ops that plugins open under it from here on. Any thread.
    void set_owner(jf_op op, const OpOwner& owner);
    /// Whose it is, while it is open; false when nobody has said so. Any thread, without a lock.
    bool owner_of(jf_op op, OpOwner& owner) const;

    /// Packets that the executor refused after it had been answered OK, since it runs on a thread of its own. Any thread.
    void note_refused(jf_op op);
    /// How many since it was last asked.
    std::uint32_t take_refused(jf_op op);

    /// The kernel no longer wants to hear of the op; it goes on until it completes.
    void detach(jf_op op);
    void set_sink(jf_op op, OpSink* sink);
    /// Gives the op up: its completion follows. On its shard.
    void cancel(jf_op op);
    /// The same from any thread.
    void cancel_from_anywhere(jf_op op);
    /// Gives the op up since its deadline has passed: its user hears TIMEOUT. On its shard.
    void expire(jf_op op);

    /// Ends an op now: children first, then on_done, then the id is stale. On its shard, for runners and for the table itself.
    void finish(OpSlot& slot, jf_status status, const jf_event* last, const jf_error* error);
    /// Gives up an op that was never started: no callback. On its shard.
    void drop(OpSlot& slot);
    /// Passes an event of a runner's to the op's user. On its shard.
    void deliver(OpSlot& slot, const jf_event& event);

    /// What jf_host_v1.emit and .complete do. Any thread.
    jf_status emit(Instance& from, jf_op op, const jf_event* events, std::uint32_t n);
    jf_status complete(Instance& from, jf_op op, jf_status status, const jf_event* last, const jf_error* error);
    /// Runs `run` on the shard of an op that `from` opened, behind what it has emitted and before what it emits and completes from now on. Any
    /// thread. False: its queue is full.
    using InOrder = void (*)(OpSlot& slot, std::span<const std::byte> data);
    bool run_in_order(Instance& from, jf_op op, InOrder run, std::span<const std::byte> data);
    /// Hands `call` to the kernel's router on a shard, as a new op whose executor is `from`.
    jf_op incoming(Instance& from, const jf_incoming& call);

    /// Receives incoming calls. On the op's shard; it sets the op's sink, or cancels the op.
    using IncomingHandler = base::UniqueFunction<void(Instance&, jf_op, const jf_incoming&)>;
    void set_incoming_handler(IncomingHandler handler) { incoming_ = std::move(handler); }

    /// Incoming calls go to the first `n` shards; the others are for services. Before calls come.
    void set_call_shards(unsigned n) { call_shards_ = n; }

    /// Completes with PEER_LOST every op that `instance` carries out, and cancels what it uses, on all shards; `then` runs on the last
    /// of them.
    void abandon(Instance& instance, std::function<void()> then);

    std::uint64_t open_ops() const { return open_.load(std::memory_order_relaxed); }
    OpCounters& counters() { return counters_; }

  private:
    static constexpr std::uint32_t chunk_size = 1024;
    static constexpr std::uint32_t max_chunks = 1024;
    struct PerShard {
        std::mutex mutex;
        std::array<std::atomic<OpSlot*>, max_chunks> chunks{};
        std::uint32_t chunk_count = 0;
        std::vector<std::uint32_t> free_slots;
        std::mutex ready_mutex;
        std::vector<std::pair<Instance*, Mailbox*>> ready;
        std::vector<std::pair<Instance*, Mailbox*>> draining;
        std::vector<std::byte> data;
        std::atomic<unsigned> load{0};
    };

    OpSlot* allocate(unsigned shard);
    OpSlot& slot_at(std::uint32_t index) const;
    void release(OpSlot& slot);
    void link(OpSlot& child, OpSlot& parent);
    void unlink(OpSlot& slot);
    void close_children(OpSlot& slot);
    void notify(Instance& from, Mailbox& mailbox, unsigned shard);
    void pump(unsigned shard);
    void dispatch(Instance& from, const Message& message, std::vector<std::byte>& data);
    jf_status emit_several(Instance& from, jf_op op, const jf_event* events, std::uint32_t n);
    void force_after_cancel(OpSlot& slot);
    void count_bad_answer(OpSlot& slot);

    runtime::Runtime& runtime_;
    std::vector<std::unique_ptr<PerShard>> shards_;
    IncomingHandler incoming_;
    OpCounters counters_;
    std::atomic<std::uint64_t> open_{0};
    std::atomic<unsigned> next_shard_{0};
    unsigned call_shards_;
};

}  // namespace jackfield::plugin_host
