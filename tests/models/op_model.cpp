#include "models/op_model.hpp"

#include <jackfield/base.h>

#include <algorithm>
#include <utility>

namespace jackfield::models {
namespace {

constexpr int most_rounds = 32;  // of tasks that post tasks; more is a livelock

}  // namespace

std::string told(const OpSeen& seen) {
    std::string out = "status " + std::to_string(seen.status) + ", " + std::to_string(seen.open) + " open";
    for (std::size_t i = 0; i < seen.ops.size(); ++i)
        out += "; op " + std::to_string(i) + ": " + std::to_string(seen.ops[i].events) + " events, " + std::to_string(seen.ops[i].completions) +
               " completions (" + std::to_string(seen.ops[i].status) + ")";
    return out + "; late " + std::to_string(seen.late_events) + "/" + std::to_string(seen.late_completions) + ", timeouts " +
           std::to_string(seen.cancel_timeouts);
}

std::vector<OpAction> OpModel::actions(const State& state) const {
    std::vector<OpAction> out;
    const auto count = [&](bool child) {
        return static_cast<int>(std::count_if(state.ops.begin(), state.ops.end(), [&](const Op& op) { return op.child == child; }));
    };
    const bool may_post = state.tasks.size() < bounds_.tasks;
    const bool may_send = may_post && state.mailbox.size() < bounds_.messages;
    if (count(false) < bounds_.kernel_ops) out.push_back({OpAction::open_kernel, -1});
    for (int i = 0; i < static_cast<int>(state.ops.size()); ++i) {
        const Op& op = state.ops[static_cast<std::size_t>(i)];
        if (op.child) {
            if (may_post) out.push_back({OpAction::start_child, i});
            if (may_post) out.push_back({OpAction::plugin_cancel, i});
            continue;
        }
        if (may_post && count(true) < bounds_.children) out.push_back({OpAction::open_child, i});
        if (may_post) out.push_back({OpAction::kernel_cancel, i});
        if (may_post && op.open && op.events == 0 && !op.completed) out.push_back({OpAction::refuse, i});
        if (may_send) out.push_back({OpAction::emit, i});
        if (may_send) out.push_back({OpAction::complete, i});
    }
    if (!state.tasks.empty()) out.push_back({OpAction::shard, -1});
    if (!state.timers.empty()) out.push_back({OpAction::time, -1});
    return out;
}

/// The op that answers to the id of `op`: itself while it is open, -1 when the id is stale. With a fault it may be another.
int OpModel::find(const State& state, int op) const {
    const Op& wanted = state.ops[static_cast<std::size_t>(op)];
    const std::uint32_t mask = fault_ == OpFault::generations_wrap ? 1 : fault_ == OpFault::same_generation ? 0 : ~0u;
    for (int i = 0; i < static_cast<int>(state.ops.size()); ++i) {
        const Op& other = state.ops[static_cast<std::size_t>(i)];
        if (other.open && other.slot == wanted.slot && (other.generation & mask) == (wanted.generation & mask)) return i;
    }
    return -1;
}

int OpModel::allocate(State& state, bool child, int parent) const {
    Op op;
    op.child = child;
    op.parent = parent;
    if (state.free.empty()) {
        op.slot = static_cast<int>(state.generations.size());
        state.generations.push_back(0);
    } else {
        op.slot = state.free.back();
        state.free.pop_back();
    }
    op.generation = ++state.generations[static_cast<std::size_t>(op.slot)];
    op.started = !child;
    state.ops.push_back(op);
    return static_cast<int>(state.ops.size()) - 1;
}

void OpModel::release(State& state, Op& op) const {
    op.open = op.linked = false;
    state.free.push_back(op.slot);
}

void OpModel::close_children(State& state, int parent) const {
    if (fault_ == OpFault::children_survive) return;
    // The one that was linked last comes first.
    for (int i = static_cast<int>(state.ops.size()) - 1; i >= 0; --i) {
        Op& child = state.ops[static_cast<std::size_t>(i)];
        if (!child.open || !child.linked || child.parent != parent) continue;
        child.linked = false;
        cancel(state, i);
    }
}

void OpModel::finish(State& state, int number, int status) const {
    std::erase_if(state.timers, [&](const Timer& timer) { return timer.grace && timer.op == number; });
    close_children(state, number);
    Op& op = state.ops[static_cast<std::size_t>(number)];
    if (fault_ == OpFault::completes_twice) op.open = op.completions > 0 || op.child ? false : op.open;
    if (op.open || fault_ != OpFault::completes_twice) release(state, op);
    ++op.completions;
    op.status = status;
    if (op.completions > 1) state.violation = "op " + std::to_string(number) + " completes twice";
}

void OpModel::drop(State& state, int number) const {
    close_children(state, number);
    Op& op = state.ops[static_cast<std::size_t>(number)];
    op.dropped = true;
    release(state, op);
}

void OpModel::cancel(State& state, int id) const {
    const int number = find(state, id);
    if (number < 0) return;
    if (number != id) state.violation = "the stale id of op " + std::to_string(id) + " cancels op " + std::to_string(number);
    Op& op = state.ops[static_cast<std::size_t>(number)];
    if (!op.started) {
        op.started = true;
        return drop(state, number);
    }
    if (std::exchange(op.cancel_sent, true)) return;
    if (op.has_runner) {
        std::erase_if(state.timers, [&](const Timer& timer) { return timer.op == number; });
        return post(state, {Task::finish_cancelled, number});
    }
    if (!op.child && fault_ != OpFault::no_grace_timer) state.timers.push_back({true, number});
}

void OpModel::send(State& state, int id, bool completion) const {
    const int number = find(state, id);
    const bool taken = number >= 0 && !state.ops[static_cast<std::size_t>(number)].child &&
                       (!state.ops[static_cast<std::size_t>(number)].completed || fault_ == OpFault::completes_twice);
    if (!taken) {
        if (completion) ++state.counted.late_completions;
        else ++state.counted.late_events;
        state.counted.status = JF_E_INVALID;
        return;
    }
    if (number != id) state.violation = "the stale id of op " + std::to_string(id) + " reaches op " + std::to_string(number);
    if (completion) state.ops[static_cast<std::size_t>(number)].completed = true;
    state.mailbox.push_back({completion, number});
    if (std::exchange(state.queued, true)) return;
    post(state, {Task::wake, -1});
}

void OpModel::deliver(State& state) const {
    state.queued = false;
    for (const Message& message : std::exchange(state.mailbox, {})) {
        int number = find(state, message.op);
        Op& meant = state.ops[static_cast<std::size_t>(message.op)];
        if (number < 0 && fault_ == OpFault::events_after_done && !message.completion) number = message.op;
        if (number < 0 && fault_ == OpFault::completes_twice && message.completion && meant.completions == 1) {
            finish(state, message.op, JF_OK);
            continue;
        }
        if (number < 0) {
            if (message.completion) ++state.counted.late_completions;
            else ++state.counted.late_events;
            continue;
        }
        if (number != message.op) state.violation = "a message to op " + std::to_string(message.op) + " reaches op " + std::to_string(number);
        Op& op = state.ops[static_cast<std::size_t>(number)];
        if (message.completion) {
            finish(state, number, JF_OK);
            continue;
        }
        ++op.events;
        if (op.completions > 0 || op.dropped) state.violation = "op " + std::to_string(number) + " has an event after its end";
    }
}

void OpModel::run_task(State& state, Task task) const {
    const int number = task.op < 0 ? -1 : find(state, task.op);
    switch (task.kind) {
        case Task::wake: break;
        case Task::link:
            if (number < 0) break;
            if (const int parent = find(state, state.ops[static_cast<std::size_t>(number)].parent); parent >= 0)
                state.ops[static_cast<std::size_t>(number)].linked = true;
            else if (fault_ != OpFault::late_link_forgotten)
                cancel(state, task.op);
            break;
        case Task::start_timer:
            if (number < 0) break;
            state.ops[static_cast<std::size_t>(number)].has_runner = true;
            if (state.ops[static_cast<std::size_t>(number)].cancel_sent) post(state, {Task::finish_cancelled, number});
            else state.timers.push_back({false, number});
            break;
        case Task::cancel: cancel(state, task.op); break;
        case Task::finish_cancelled:
            if (number >= 0) finish(state, number, JF_E_CANCELLED);
            break;
        case Task::finish_refused:
            if (number >= 0) finish(state, number, JF_E_AGAIN);
            break;
    }
    deliver(state);
}

void OpModel::run_tasks(State& state) const {
    for (int round = 0; !state.tasks.empty(); ++round) {
        if (round > most_rounds) {
            state.violation = "tasks that post tasks for ever";
            return;
        }
        const Task task = state.tasks.front();
        state.tasks.erase(state.tasks.begin());
        run_task(state, task);
    }
}

void OpModel::pass_time(State& state) const {
    run_tasks(state);
    for (const bool grace : {false, true}) {
        const std::vector<Timer> due = state.timers;
        for (const Timer& timer : due) {
            // One that ran before may have called it off.
            const auto armed = std::find_if(state.timers.begin(), state.timers.end(),
                                            [&](const Timer& t) { return t.grace == timer.grace && t.op == timer.op; });
            if (timer.grace != grace || armed == state.timers.end()) continue;
            state.timers.erase(armed);
            if (grace) ++state.counted.cancel_timeouts;
            finish(state, timer.op, grace ? JF_E_CANCELLED : JF_OK);
            deliver(state);
        }
        run_tasks(state);
    }
}

void OpModel::apply(State& state, const Action& action) const {
    state.counted.status = JF_OK;
    const int number = action.op < 0 ? -1 : find(state, action.op);
    const Op* const op = number < 0 ? nullptr : &state.ops[static_cast<std::size_t>(number)];
    switch (action.kind) {
        case OpAction::open_kernel: allocate(state, false, -1); break;
        case OpAction::refuse: post(state, {Task::finish_refused, action.op}); break;
        case OpAction::open_child:
            if (!op) {
                state.counted.status = JF_E_INVALID;
                break;
            }
            post(state, {Task::link, allocate(state, true, number)});
            break;
        case OpAction::start_child:
            if (!op || !op->child) state.counted.status = JF_E_INVALID;
            else if (op->started) state.counted.status = JF_E_STATE;
            else {
                state.ops[static_cast<std::size_t>(number)].started = true;
                post(state, {Task::start_timer, number});
            }
            break;
        case OpAction::plugin_cancel:
            if (!op || !op->child) state.counted.status = JF_E_INVALID;
            else post(state, {Task::cancel, action.op});
            break;
        case OpAction::kernel_cancel:
            if (op) post(state, {Task::cancel, action.op});
            break;
        case OpAction::emit: send(state, action.op, false); break;
        case OpAction::complete: send(state, action.op, true); break;
        case OpAction::shard: run_tasks(state); break;
        case OpAction::time: pass_time(state); break;
    }
}

std::string OpModel::broken(const State& state) const {
    if (!state.violation.empty()) return state.violation;
    for (std::size_t i = 0; i < state.ops.size(); ++i) {
        const Op& op = state.ops[i];
        if (!op.open && !op.dropped && op.completions != 1) return "op " + std::to_string(i) + " has closed without its completion";
        if (op.dropped && op.completions != 0) return "op " + std::to_string(i) + ", which was never started, completes";
        if (op.open && op.completions != 0) return "op " + std::to_string(i) + " is open after its completion";
        // The parent's end posts the child's when it can't end at once.
        if (op.open && op.child && !state.ops[static_cast<std::size_t>(op.parent)].open && op.linked) return "op " + std::to_string(i) + " outlives its parent";
    }
    // Without a word from the plugin: what was given up ends by the shard's work and time alone, and does not stir again.
    State later = state;
    for (int i = 0; i < 3; ++i) pass_time(later);
    if (!later.violation.empty()) return later.violation;
    if (!later.tasks.empty() || !later.timers.empty()) return "the shard never comes to rest";
    for (std::size_t i = 0; i < later.ops.size(); ++i) {
        const Op& op = later.ops[i];
        const bool orphan = op.child && !later.ops[static_cast<std::size_t>(op.parent)].open;
        if (op.open && (op.cancel_sent || orphan)) return "op " + std::to_string(i) + " was given up and never ends";
    }
    // And whatever is left ends when the host gives it up.
    for (int i = 0; i < static_cast<int>(later.ops.size()); ++i)
        if (later.ops[static_cast<std::size_t>(i)].open) cancel(later, i);
    pass_time(later);
    for (std::size_t i = 0; i < later.ops.size(); ++i)
        if (later.ops[i].open) return "op " + std::to_string(i) + " never ends, though the host gives it up";
    return later.violation;
}

OpSeen OpModel::seen(const State& state) const {
    OpSeen seen = state.counted;
    seen.ops.clear();
    seen.open = 0;
    for (const Op& op : state.ops) {
        seen.ops.push_back({op.events, op.completions, op.status});
        seen.open += op.open;
    }
    return seen;
}

std::string OpModel::key(const State& state) const {
    std::string out;
    const auto put = [&](auto value) { out += static_cast<char>(static_cast<int>(value) + 1); };
    for (const Op& op : state.ops) {
        put(op.child), put(op.parent), put(op.slot), put(op.generation), put(op.open), put(op.linked), put(op.started), put(op.completed);
        put(op.cancel_sent), put(op.has_runner), put(op.dropped), put(op.completions), put(op.events > 0);
    }
    out += '/';
    for (const int slot : state.free) put(slot);
    out += '/';
    for (const Task& task : state.tasks) put(task.kind), put(task.op);
    out += '/';
    for (const Message& message : state.mailbox) put(message.completion), put(message.op);
    out += '/';
    for (const Timer& timer : state.timers) put(timer.grace), put(timer.op);
    put(state.queued);
    return out + state.violation;
}

std::string OpModel::name(const Action& action) const {
    static constexpr const char* names[] = {"the kernel opens an op that the plugin executes", "the plugin refuses to start", "the plugin opens a child of",
                                            "the plugin starts a timer on", "the plugin cancels", "the kernel cancels", "the plugin emits on",
                                            "the plugin completes", "the shard does what is queued", "a second passes"};
    return std::string(names[action.kind]) + (action.op >= 0 ? " op " + std::to_string(action.op) : "");
}

}  // namespace jackfield::models
