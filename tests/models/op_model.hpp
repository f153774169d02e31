#pragma once

// The life of operations as kernel/plugin_host/op_table keeps it, abstract: slots and generations, the tree, the shard's queue of tasks, one
// plugin's mailbox, the timer of the cancel grace. One plugin instance executes the kernel's ops and uses children of them, from a thread of its own, so
// that every order between it, the shard and time is tried.

#include <cstdint>
#include <string>
#include <vector>

namespace jackfield::models {

struct OpAction {
    enum Kind : std::uint8_t {
        open_kernel,   ///< the kernel opens an op that the plugin executes, and its start is accepted
        refuse,        ///< the plugin's start answers AGAIN: the host ends the op with that
        open_child,    ///< the plugin opens an op below `op`
        start_child,   ///< ... and starts a timer of 500 ms on it
        plugin_cancel, ///< the plugin gives up an op that it opened
        kernel_cancel,
        emit,
        complete,
        shard,         ///< the shard does what is queued
        time,          ///< a second and a bit passes
    };
    Kind kind = shard;
    int op = -1;  ///< which, in the order of their opening; also one that has closed: its id is stale
    friend bool operator==(const OpAction&, const OpAction&) = default;
};

/// What of a step can be seen from outside.
struct OpSeen {
    int status = 0;  ///< what the call answered, JF_OK for those that answer nothing
    struct Op {
        int events = 0, completions = 0, status = 0;
        friend bool operator==(const Op&, const Op&) = default;
    };
    std::vector<Op> ops;
    int open = 0;
    int late_events = 0, late_completions = 0, cancel_timeouts = 0;
    friend bool operator==(const OpSeen&, const OpSeen&) = default;
};
std::string told(const OpSeen& seen);

/// Faults to plant in the model, each of which the exploration has to find.
enum class OpFault : std::uint8_t {
    none,
    completes_twice,       ///< a completion in the mailbox is not remembered, and finish() does not look whether it has been
    children_survive,      ///< finish() leaves the children alone
    same_generation,       ///< a slot that is used again keeps its generation
    no_grace_timer,        ///< nobody waits for the plugin after cancel
    late_link_forgotten,   ///< a child whose parent closed before it was linked is left alone
    events_after_done,     ///< events go to whoever the slot belonged to
    generations_wrap,      ///< generations have one bit: two uses of a slot later the id is the same
};

class OpModel {
  public:
    using Action = OpAction;
    struct Op {
        bool child = false;
        int parent = -1;   ///< for a child
        int slot = -1;
        std::uint32_t generation = 0;
        bool open = true, linked = false, started = false, completed = false, cancel_sent = false, has_runner = false, dropped = false;
        int events = 0, completions = 0, status = 0;
    };
    struct Task {
        enum Kind : std::uint8_t { wake, link, start_timer, cancel, finish_cancelled, finish_refused } kind;
        int op;
    };
    struct Message {
        bool completion;
        int op;
    };
    struct Timer {
        bool grace;  ///< of cancel, 1000 ms; else a child's, 500 ms
        int op;
    };
    struct State {
        std::vector<Op> ops;
        std::vector<int> free;          ///< the last one is taken next
        std::vector<std::uint32_t> generations;
        std::vector<Task> tasks;
        std::vector<Message> mailbox;
        bool queued = false;
        std::vector<Timer> timers;
        std::string violation;
        OpSeen counted;                 ///< counters and the last status
    };
    struct Bounds {
        int kernel_ops = 2, children = 1;
        std::size_t tasks = 3, messages = 2;
    };

    explicit OpModel(Bounds bounds, OpFault fault = OpFault::none) : bounds_(bounds), fault_(fault) {}

    State initial() const { return {}; }
    std::vector<Action> actions(const State& state) const;
    void apply(State& state, const Action& action) const;
    std::string key(const State& state) const;
    /// Safety as it was noted while stepping, and what must hold in each state: what was given up ends with the host's help alone.
    std::string broken(const State& state) const;
    std::string name(const Action& action) const;
    OpSeen seen(const State& state) const;

  private:
    int find(const State& state, int op) const;
    int allocate(State& state, bool child, int parent) const;
    void release(State& state, Op& op) const;
    void finish(State& state, int op, int status) const;
    void drop(State& state, int op) const;
    void cancel(State& state, int op) const;
    void close_children(State& state, int op) const;
    void post(State& state, Task task) const { state.tasks.push_back(task); }
    void deliver(State& state) const;
    void run_task(State& state, Task task) const;
    void run_tasks(State& state) const;
    void pass_time(State& state) const;
    void send(State& state, int op, bool completion) const;

    Bounds bounds_;
    OpFault fault_;
};

}  // namespace jackfield::models
