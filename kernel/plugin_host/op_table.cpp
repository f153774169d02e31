#include "plugin_host/op_table.hpp"

#include <functional>
#include <stdexcept>

#include "base/assert.hpp"
#include "plugin_host/instance.hpp"
#include "plugin_host/marshal.hpp"

namespace jackfield::plugin_host {
namespace {

constexpr std::size_t largest_message = 16u << 20;
/// Of large messages that wait for one shard: two of the largest.
constexpr std::size_t most_overflow = 2 * largest_message;
constexpr std::uint32_t largest_event = 4096;
constexpr base::Milliseconds cancel_grace{1000}; // module.h promises this to plugins

jf_event event_of(const Message& message, std::byte* data) {
    jf_event event{};
    event.struct_size = sizeof event;
    event.type = message.type;
    event.flags = message.event_flags;
    event.mono_ns = message.mono_ns;
    event.pos = message.pos;
    if (const Layout* layout = layout_of_event(message.type); layout && message.data_size) {
        unpack(*layout, data);
        event.data = data;
        event.data_size = layout->size;
    }
    return event;
}

Message message_of(Message::Kind kind, jf_op op, const jf_event& event, std::uint64_t now) {
    Message message;
    message.kind = kind;
    message.op = op;
    message.type = event.type;
    message.event_flags = event.flags;
    message.mono_ns = event.mono_ns ? event.mono_ns : now;
    message.pos = event.pos;
    return message;
}

/// Per thread, so that packing an event allocates only until the largest one was seen.
std::vector<std::byte>& packing_buffer() {
    thread_local std::vector<std::byte> buffer;
    buffer.clear();
    return buffer;
}

}  // namespace

bool Mailbox::push(const Message& message, std::span<const std::byte> data) {
    const std::lock_guard lock(mutex_);
    return overflow_.size() == overflow_head_ && ring_.push(message, data);
}

bool Mailbox::push(std::span<const std::pair<Message, std::vector<std::byte>>> messages) {
    const std::lock_guard lock(mutex_);
    if (overflow_.size() != overflow_head_) return false;
    const MessageRing::Mark before = ring_.mark();
    for (const auto& [message, data] : messages)
        if (!ring_.push(message, data)) {
            ring_.back_to(before);
            return false;
        }
    return true;
}

void Mailbox::push_always(const Message& message, std::span<const std::byte> data) {
    const std::lock_guard lock(mutex_);
    if (closed_ || (overflow_.size() == overflow_head_ && ring_.push(message, data))) return;
    overflow_.push_back({message, {data.begin(), data.end()}});
    overflow_.back().message.data_size = static_cast<std::uint32_t>(data.size());
    overflow_bytes_ += data.size();
}

bool Mailbox::push_large(const Message& message, std::span<const std::byte> data) {
    {
        const std::lock_guard lock(mutex_);
        if (overflow_bytes_ + data.size() > most_overflow) return false;
    }
    push_always(message, data);
    return true;
}

bool Mailbox::pop(Message& message, std::vector<std::byte>& data) {
    const std::lock_guard lock(mutex_);
    if (!ring_.empty()) {
        message = ring_.pop(data);
        return true;
    }
    if (overflow_head_ == overflow_.size()) return false;
    message = overflow_[overflow_head_].message;
    data = std::move(overflow_[overflow_head_].data);
    overflow_bytes_ -= data.size();
    if (++overflow_head_ == overflow_.size()) {
        overflow_.clear();
        overflow_head_ = 0;
    }
    return true;
}

void Mailbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ring_ = MessageRing(0);
    std::vector<Overflow>().swap(overflow_);
    overflow_head_ = overflow_bytes_ = 0;
}

bool Mailbox::empty() const {
    const std::lock_guard lock(mutex_);
    return ring_.empty() && overflow_head_ == overflow_.size();
}

bool Mailbox::overflows() const {
    const std::lock_guard lock(mutex_);
    return overflow_head_ != overflow_.size();
}

OpTable::OpTable(runtime::Runtime& runtime) : runtime_(runtime), call_shards_(runtime.shard_count()) {
    for (unsigned i = 0; i < runtime.shard_count(); ++i) {
        shards_.push_back(std::make_unique<PerShard>());
        runtime.shard(i).set_after_task([this, i] { pump(i); });
    }
}

OpTable::~OpTable() {
    for (auto& shard : shards_)
        for (std::uint32_t i = 0; i < shard->chunk_count; ++i) delete[] shard->chunks[i].load();
}

OpSlot& OpTable::slot_at(std::uint32_t index) const {
    const PerShard& shard = *shards_[index >> 24];
    const std::uint32_t slot = index & 0xffffff;
    return shard.chunks[slot / chunk_size].load(std::memory_order_acquire)[slot % chunk_size];
}

OpSlot* OpTable::allocate(unsigned index) {
    PerShard& shard = *shards_[index];
    const std::lock_guard lock(shard.mutex);
    if (shard.free_slots.empty()) {
        if (shard.chunk_count == max_chunks) return nullptr;
        auto* chunk = new OpSlot[chunk_size];
        const std::uint32_t first = shard.chunk_count * chunk_size;
        for (std::uint32_t i = 0; i < chunk_size; ++i) {
            chunk[i].index = index << 24 | (first + i);
            shard.free_slots.push_back(first + chunk_size - 1 - i);
        }
        shard.chunks[shard.chunk_count++].store(chunk, std::memory_order_release);
    }
    const std::uint32_t slot = shard.free_slots.back();
    shard.free_slots.pop_back();
    open_.fetch_add(1, std::memory_order_relaxed);
    OpSlot& taken = shard.chunks[slot / chunk_size].load(std::memory_order_relaxed)[slot % chunk_size];
    taken.generation.fetch_add(1, std::memory_order_release);
    return &taken;
}

void OpTable::release(OpSlot& slot) {
    slot.generation.fetch_add(1, std::memory_order_release);
    if (Instance* executor = slot.executor.exchange(nullptr)) executor->op_closed();
    if (Instance* user = slot.user.exchange(nullptr)) user->op_closed();
    slot.sink = nullptr;
    slot.user_sink = {};
    slot.runner = nullptr;
    slot.runner_data = 0;
    slot.runner_object.reset();
    slot.cancel_sent = false;
    slot.finishing = false;
    slot.timed_out = false;
    slot.broken = false;
    slot.label.clear();
    slot.refused = 0;
    slot.check.reset();
    PerShard& shard = *shards_[slot.index >> 24];
    const std::lock_guard lock(shard.mutex);
    shard.free_slots.push_back(slot.index & 0xffffff);
    open_.fetch_sub(1, std::memory_order_relaxed);
}

OpSlot* OpTable::find(jf_op op) const {
    const unsigned shard = shard_index(op);
    const auto generation = static_cast<std::uint32_t>(op >> 32);
    if (shard >= shards_.size() || (generation & 1) == 0) return nullptr;
    const auto slot = static_cast<std::uint32_t>(op & 0xffffff);
    if (slot / chunk_size >= max_chunks) return nullptr;
    OpSlot* chunk = shards_[shard]->chunks[slot / chunk_size].load(std::memory_order_acquire);
    if (!chunk) return nullptr;
    OpSlot& found = chunk[slot % chunk_size];
    return found.generation.load(std::memory_order_acquire) == generation ? &found : nullptr;
}

jf_op OpTable::open(runtime::Shard& shard, OpSink* sink, Instance* executor, std::unique_ptr<OutputCheck> check) {
    OpSlot* slot = allocate(shard.index());
    if (!slot) return JF_NO_OP;
    slot->sink = sink;
    slot->check = std::move(check);
    if (executor) {
        executor->op_opened();
        slot->executor = executor;
        slot->take_start(slot->id());
    }
    return slot->id();
}

jf_op OpTable::open_for_plugin(Instance& user, jf_op parent, const jf_sink& sink) {
    runtime::Shard* const here = runtime::Shard::current();
    unsigned index = here ? here->index() : user.home_shard();
    if (parent != JF_NO_OP) {
        OpSlot* const above = find(parent);
        if (!above || (above->executor != &user && above->user != &user)) return JF_NO_OP;
        index = shard_index(parent);
    }
    OpSlot* slot = allocate(index);
    if (!slot) return JF_NO_OP;
    user.op_opened();
    slot->user = &user;
    slot->user_sink = sink;
    const jf_op op = slot->id();
    if (parent == JF_NO_OP) return op;
    if (OpOwner owner; owner_of(parent, owner)) slot->label.set(owner);
    const auto link_now = [this, op, parent] {
        OpSlot* const child = find(op);
        OpSlot* const above = find(parent);
        if (!child) return;
        if (above && !above->finishing) link(*child, *above);
        else cancel(op);
    };
    if (here && here->index() == index) link_now();
    else runtime_.shard(index).post(link_now);
    return op;
}

void OpTable::link(OpSlot& child, OpSlot& parent) {
    child.parent = parent.index;
    child.next_sibling = parent.first_child;
    child.previous_sibling = OpSlot::none;
    if (parent.first_child != OpSlot::none) slot_at(parent.first_child).previous_sibling = child.index;
    parent.first_child = child.index;
}

void OpTable::unlink(OpSlot& slot) {
    if (slot.parent == OpSlot::none) return;
    if (slot.previous_sibling != OpSlot::none) slot_at(slot.previous_sibling).next_sibling = slot.next_sibling;
    else slot_at(slot.parent).first_child = slot.next_sibling;
    if (slot.next_sibling != OpSlot::none) slot_at(slot.next_sibling).previous_sibling = slot.previous_sibling;
    slot.parent = slot.next_sibling = slot.previous_sibling = OpSlot::none;
}

void OpTable::close_children(OpSlot& slot) {
    while (slot.first_child != OpSlot::none) {
        OpSlot& child = slot_at(slot.first_child);
        unlink(child);
        cancel(child.id());
    }
}

void OpTable::set_owner(jf_op op, const OpOwner& owner) {
    if (OpSlot* slot = find(op)) slot->label.set(owner);
}

bool OpTable::owner_of(jf_op op, OpOwner& owner) const {
    const OpSlot* const slot = find(op);
    // Asked again after the reading: by then the slot may be another op's.
    return slot && slot->label.read(owner) && slot->generation.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(op >> 32);
}

void OpTable::note_refused(jf_op op) {
    if (OpSlot* slot = find(op)) slot->refused.fetch_add(1, std::memory_order_relaxed);
}

std::uint32_t OpTable::take_refused(jf_op op) {
    OpSlot* const slot = find(op);
    return slot && slot->refused.load(std::memory_order_relaxed) ? slot->refused.exchange(0, std::memory_order_relaxed) : 0;
}

void OpTable::set_sink(jf_op op, OpSink* sink) {
    if (OpSlot* slot = find(op)) slot->sink = sink;
}

void OpTable::detach(jf_op op) {
    if (OpSlot* slot = find(op)) slot->sink = nullptr;
}

void OpTable::drop(OpSlot& slot) {
    slot.finishing = true;
    close_children(slot);
    unlink(slot);
    release(slot);
}

void OpTable::cancel(jf_op op) {
    OpSlot* const slot = find(op);
    if (!slot || slot->finishing) return;
    if (slot->take_start(op)) return drop(*slot);
    if (slot->cancel_sent.exchange(true)) return;
    if (OpRunner* runner = slot->runner) return runner->cancel(*slot);
    if (Instance* executor = slot->executor) {
        slot->cancel_timer = shard_of(op).start_timer(shard_of(op).now() + cancel_grace, [this, op] {
            if (OpSlot* late = find(op)) {
                late->cancel_timer = 0;
                force_after_cancel(*late);
            }
        });
        executor->cancel_op(op);
    }
}

void OpTable::cancel_from_anywhere(jf_op op) {
    if (!find(op)) return;
    runtime::Shard& shard = shard_of(op);
    if (shard.is_current()) cancel(op);
    else shard.post([this, op] { cancel(op); });
}

void OpTable::expire(jf_op op) {
    OpSlot* const slot = find(op);
    if (!slot) return;
    slot->timed_out = true;
    cancel(op);
}

void OpTable::count_bad_answer(OpSlot& slot) {
    counters_.bad_answers.fetch_add(1, std::memory_order_relaxed);
    if (slot.broken) return;
    if (Instance* executor = slot.executor) executor->mark("bad_answer");
}

void OpTable::force_after_cancel(OpSlot& slot) {
    counters_.cancel_timeouts.fetch_add(1, std::memory_order_relaxed);
    if (Instance* executor = slot.executor) executor->mark("cancel_timeout");
    jf_error error{};
    error.struct_size = sizeof error;
    error.code = JF_E_TIMEOUT;
    std::snprintf(error.text, sizeof error.text, "the plugin did not complete within 1000 ms of cancel");
    finish(slot, JF_E_CANCELLED, nullptr, &error);
}

void OpTable::finish(OpSlot& slot, jf_status status, const jf_event* last, const jf_error* error) {
    if (slot.finishing) return;
    slot.finishing = true;
    if (slot.cancel_timer) runtime_.shard(slot.index >> 24).cancel_timer(slot.cancel_timer);
    slot.cancel_timer = 0;
    close_children(slot);
    unlink(slot);
    const jf_op op = slot.id();
    jf_error own{};
    own.struct_size = sizeof own;
    if (slot.check && !slot.broken && status == JF_OK && !slot.check->complete(last)) {
        count_bad_answer(slot);
        slot.broken = true;
    }
    if (slot.broken) {
        status = own.code = JF_E_INTERNAL;
        own.retry_class = JF_RETRY_OTHER_PROVIDER;
        std::snprintf(own.text, sizeof own.text, "the provider's answer is against its interface's contract");
        last = nullptr;
        error = &own;
    } else if (slot.timed_out && status == JF_E_CANCELLED) {
        status = own.code = JF_E_TIMEOUT;
        std::snprintf(own.text, sizeof own.text, "no answer within the deadline");
        error = &own;
    }
    OpSink* const sink = slot.sink;
    const jf_sink user_sink = slot.user_sink;
    Instance* const user = slot.user;
    const Instance* const executor = slot.executor;
    if (user) user->op_opened(); // keeps the instance alive for the callback below
    release(slot);
    if (sink) sink->on_done(op, status, last, error);
    if (user) {
        // Handles are small numbers: which of them a plugin may use is remembered where they pass.
        if (status == JF_OK && last && last->type == JF_EV_DECLARED) user->allow_collection(static_cast<std::uint32_t>(last->pos));
        if (status == JF_OK && last && last->type == JF_EV_SPACE) user->allow_space(executor, static_cast<std::uint32_t>(last->pos));
        user->call_done(user_sink, op, status, last, error);
        user->op_closed();
    }
}

void OpTable::deliver(OpSlot& slot, const jf_event& event) {
    if (slot.finishing || slot.broken) return;
    if (slot.check) {
        const OutputCheck::Verdict verdict = slot.check->look(event);
        if (verdict != OutputCheck::Verdict::pass) count_bad_answer(slot);
        if (verdict == OutputCheck::Verdict::fail) {
            slot.broken = true;
            cancel(slot.id());
        }
        if (verdict != OutputCheck::Verdict::pass) return;
    }
    if (slot.sink) slot.sink->on_event(slot.id(), event);
    else if (Instance* user = slot.user) user->call_event(slot.user_sink, slot.id(), event);
}

void OpTable::notify(Instance& from, Mailbox& mailbox, unsigned index) {
    if (mailbox.queued.exchange(true, std::memory_order_acq_rel)) return;
    PerShard& shard = *shards_[index];
    {
        const std::lock_guard lock(shard.ready_mutex);
        shard.ready.emplace_back(&from, &mailbox);
    }
    // On the shard's own thread the after-task hook is about to look; from elsewhere it must be woken.
    if (!runtime_.shard(index).is_current()) runtime_.shard(index).post([] {});
}

void OpTable::pump(unsigned index) {
    PerShard& shard = *shards_[index];
    while (true) {
        {
            const std::lock_guard lock(shard.ready_mutex);
            if (shard.ready.empty()) return;
            shard.draining.swap(shard.ready);
        }
        for (auto [from, mailbox] : shard.draining) {
            mailbox->queued.store(false, std::memory_order_release);
            Message message;
            // A burst of one instance's waits while others have their turn.
            int left = 64;
            while (left-- > 0 && mailbox->pop(message, shard.data)) dispatch(*from, message, shard.data);
            if (!mailbox->empty()) notify(*from, *mailbox, index);
        }
        shard.draining.clear();
    }
}

void OpTable::dispatch(Instance& from, const Message& message, std::vector<std::byte>& data) {
    OpSlot* const slot = find(message.op);
    if (message.kind == Message::call) {
        if (slot && slot->user == &from) reinterpret_cast<InOrder>(message.function)(*slot, data);
        return;
    }
    if (!slot || slot->executor != &from) {
        auto& counter = message.kind == Message::completion ? counters_.late_completions : counters_.late_events;
        counter.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    switch (message.kind) {
        case Message::event: {
            const jf_event event = event_of(message, data.data());
            return deliver(*slot, event);
        }
        case Message::completion: {
            jf_error error{};
            if (message.error_offset) std::memcpy(&error, data.data() + message.error_offset, sizeof error);
            error.text[sizeof error.text - 1] = 0;
            const bool has_last = message.flags & Message::has_last;
            const jf_event last = has_last ? event_of(message, data.data()) : jf_event{};
            return finish(*slot, message.status, has_last ? &last : nullptr, message.error_offset ? &error : nullptr);
        }
        case Message::incoming: {
            unpack(layout_of<jf_incoming>(), data.data());
            if (incoming_) incoming_(from, message.op, *reinterpret_cast<const jf_incoming*>(data.data()));
            else cancel(message.op);
            return;
        }
        case Message::call: return;
    }
}

jf_status OpTable::emit(Instance& from, jf_op op, const jf_event* events, std::uint32_t n) {
    OpSlot* const slot = find(op);
    if (!slot || slot->executor.load(std::memory_order_acquire) != &from || slot->completed == static_cast<std::uint32_t>(op >> 32)) {
        counters_.late_events.fetch_add(n, std::memory_order_relaxed);
        return JF_E_INVALID;
    }
    if (n == 0) return JF_OK;
    // An event's size is also the way from one to the next: one that no ABI will ever have would lead out of the plugin's memory.
    if (!events || !JF_HAS(events, jf_event, data_size) || events->struct_size > largest_event) return JF_E_INVALID;
    if (n > 1) return emit_several(from, op, events, n);
    if (!is_known_event(events->type)) {
        counters_.unknown_events.fetch_add(1, std::memory_order_relaxed);
        return JF_OK;
    }
    std::vector<std::byte>& data = packing_buffer();
    if (const Layout* layout = layout_of_event(events->type); layout && events->data)
        pack(*layout, events->data, events->data_size, data);
    if (data.size() > largest_message) return JF_E_INVALID;
    const unsigned shard = shard_index(op);
    Mailbox& mailbox = from.mailbox(shard);
    const Message message = message_of(Message::event, op, *events, static_cast<std::uint64_t>(runtime_.clock().now().ns));
    jf_status status = JF_OK;
    // Large answers (rows, transcripts) don't fit the ring; they come from blocking calls, one at a time per op.
    const bool large = data.size() > Instance::mailbox_bytes / 4;
    if (!(large ? mailbox.push_large(message, data) : mailbox.push(message, data))) {
        counters_.queue_full.fetch_add(1, std::memory_order_relaxed);
        status = JF_E_AGAIN;
    }
    notify(from, mailbox, shard);
    return status;
}

/// Several events are taken together or not at all, so that a plugin may simply try again. Together they have to fit the queue.
jf_status OpTable::emit_several(Instance& from, jf_op op, const jf_event* events, std::uint32_t n) {
    const auto now = static_cast<std::uint64_t>(runtime_.clock().now().ns);
    std::vector<std::pair<Message, std::vector<std::byte>>> messages;
    std::size_t total = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
        const jf_event& event = *JF_AT(jf_event, (jf_array{events, n, events->struct_size}), i);
        if (!is_known_event(event.type)) {
            counters_.unknown_events.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        auto& [message, data] = messages.emplace_back(message_of(Message::event, op, event, now), std::vector<std::byte>());
        if (const Layout* layout = layout_of_event(event.type); layout && event.data)
            pack(*layout, event.data, event.data_size, data);
        total += sizeof message + data.size() + 7;
    }
    // More than this might never fit, and AGAIN would be an empty promise.
    if (total > Instance::mailbox_bytes / 2) return JF_E_INVALID;
    const unsigned shard = shard_index(op);
    Mailbox& mailbox = from.mailbox(shard);
    const bool taken = mailbox.push(messages);
    if (!taken) counters_.queue_full.fetch_add(1, std::memory_order_relaxed);
    notify(from, mailbox, shard);
    return taken ? JF_OK : JF_E_AGAIN;
}

jf_status OpTable::complete(Instance& from, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    OpSlot* const slot = find(op);
    const auto generation = static_cast<std::uint32_t>(op >> 32);
    if (!slot || slot->executor.load(std::memory_order_acquire) != &from || slot->completed.exchange(generation) == generation) {
        counters_.late_completions.fetch_add(1, std::memory_order_relaxed);
        return JF_E_INVALID;
    }
    const jf_event nothing{};
    Message message = message_of(Message::completion, op, last ? *last : nothing,
                                 static_cast<std::uint64_t>(runtime_.clock().now().ns));
    message.status = status;
    std::vector<std::byte>& data = packing_buffer();
    if (last) {
        message.flags |= Message::has_last;
        try {
            if (const Layout* layout = layout_of_event(last->type); layout && last->data)
                pack(*layout, last->data, last->data_size, data);
        } catch (const std::length_error&) {
            // The op has to end all the same: it ends as what it is, without the event that nobody could carry.
            data.clear();
            message.flags = 0;
            message.status = JF_E_INTERNAL;
        }
    }
    if (error) {
        // Offset 0 means none, so something always stands before it.
        data.resize(std::max<std::size_t>((data.size() + 7) & ~std::size_t{7}, 8));
        message.error_offset = data.size();
        data.resize(data.size() + sizeof(jf_error));
        const std::size_t given = std::min<std::size_t>(error->struct_size, sizeof(jf_error));
        std::memcpy(data.data() + message.error_offset, error, given);
    }
    Mailbox& mailbox = from.mailbox(shard_index(op));
    mailbox.push_always(message, data);
    notify(from, mailbox, shard_index(op));
    return JF_OK;
}

bool OpTable::run_in_order(Instance& from, jf_op op, InOrder run, std::span<const std::byte> data) {
    Message message;
    message.kind = Message::call;
    message.op = op;
    message.function = reinterpret_cast<void*>(run);
    Mailbox& mailbox = from.mailbox(shard_index(op));
    if (!mailbox.push(message, data)) return false;
    notify(from, mailbox, shard_index(op));
    return true;
}

jf_op OpTable::incoming(Instance& from, const jf_incoming& call) {
    const unsigned shard = next_shard_.fetch_add(1, std::memory_order_relaxed) % call_shards_;
    const jf_op op = open(runtime_.shard(shard), nullptr, &from);
    if (op == JF_NO_OP) return op;
    Message message;
    message.kind = Message::incoming;
    message.op = op;
    std::vector<std::byte>& data = packing_buffer();
    pack(layout_of<jf_incoming>(), &call, call.struct_size, data);
    Mailbox& mailbox = from.mailbox(shard);
    mailbox.push_always(message, data);
    notify(from, mailbox, shard);
    return op;
}

void OpTable::abandon(Instance& instance, std::function<void()> then) {
    auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
    for (unsigned i = 0; i < shards_.size(); ++i) {
        runtime_.shard(i).post([this, i, &instance, left, then] {
            PerShard& shard = *shards_[i];
            std::uint32_t chunks;
            {
                const std::lock_guard lock(shard.mutex);
                chunks = shard.chunk_count;
            }
            for (std::uint32_t c = 0; c < chunks; ++c)
                for (std::uint32_t s = 0; s < chunk_size; ++s) {
                    OpSlot& slot = shard.chunks[c].load(std::memory_order_acquire)[s];
                    if ((slot.generation.load() & 1) == 0) continue;
                    OpRunner* const runner = slot.runner;
                    const bool not_waited_for = slot.user == &instance && runner && runner->may_never_end();
                    if (slot.executor == &instance || not_waited_for) finish(slot, JF_E_PEER_LOST, nullptr, nullptr);
                    else if (slot.user == &instance) cancel(slot.id());
                }
            if (left->fetch_sub(1) == 1) then();
        });
    }
}

}  // namespace jackfield::plugin_host
