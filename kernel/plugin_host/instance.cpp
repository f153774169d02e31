#include "plugin_host/instance.hpp"

#include <pthread.h>

#include <algorithm>

#include "plugin_host/plugin_host.hpp"

namespace jackfield::plugin_host {
namespace {

/// Typical per thread class: module.h and base.h publish these to plugins.
std::chrono::nanoseconds budget_of(ThreadClass thread_class) {
    switch (thread_class) {
        case ThreadClass::stream:
        case ThreadClass::media: return std::chrono::milliseconds(2);
        case ThreadClass::control: return std::chrono::seconds(5);
        default: return std::chrono::seconds(30);
    }
}

}  // namespace

Instance::Instance(PluginHost& host, std::shared_ptr<LoadedPlugin> plugin, InstanceSpec spec, unsigned home_shard)
    : host_(host),
      plugin_(std::move(plugin)),
      spec_(std::move(spec)),
      home_shard_(home_shard),
      hang_limit_(host.hang_limit()),
      health_(host.provider_health().of(resilience::provider_key(spec_.plugin, spec_.tenant, spec_.config_pairs))),
      mailboxes_(host.runtime().shard_count()) {
    fill_host_table(host_table_, reinterpret_cast<jf_host_ctx*>(this));
}

Instance::~Instance() {
    // One that never served has not been stopped. With work under way the plugin may still call: better a leak.
    if (open_ops() == 0) destroy_self();
    else stop_thread();
    let_thread_go();
}

base::Result<> Instance::create() {
    std::vector<jf_pair> pairs;
    for (const auto& [key, value] : spec_.config_pairs)
        pairs.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
    const jf_array pair_array{pairs.data(), static_cast<std::uint32_t>(pairs.size()), sizeof(jf_pair)};
    jf_error error{};
    error.struct_size = sizeof error;
    const jf_status status = contained(ThreadClass::control, [&] {
        return plugin_->module->create(&host_table_, {spec_.plugin.data(), spec_.plugin.size()},
                                       {spec_.config_json.data(), spec_.config_json.size()}, pair_array, &self_,
                                       &functions_, &error);
    });
    if (status != JF_OK) return error_from(status, &error).with_context(spec_.name + " (" + spec_.plugin + ")");
    if (!self_ || !functions_ || !JF_HAS(functions_, jf_instance_v1, cancel) || !functions_->start ||
        !functions_->quiesce || !functions_->destroy || !functions_->query || !functions_->cancel) {
        return base::Error(base::ErrorCode::invalid,
                           spec_.name + " (" + spec_.plugin + "): create answered OK without a complete table");
    }
    if (spec_.placement == Placement::thread && !host_.runtime().simulated()) thread_ = std::thread([this] { run_thread(); });
    return {};
}

void Instance::destroy_self() {
    stop_thread();
    if (lost()) return; // somebody may stand in it
    if (self_ && functions_ && functions_->destroy)
        contained(ThreadClass::control, [&] {
            functions_->destroy(self_);
            return JF_OK;
        });
    self_ = nullptr;
}

void Instance::allow_collection(std::uint32_t handle) {
    const std::lock_guard lock(collections_mutex_);
    collections_.push_back(handle);
}

bool Instance::may_use_collection(std::uint32_t handle) const {
    const std::lock_guard lock(collections_mutex_);
    return std::find(collections_.begin(), collections_.end(), handle) != collections_.end();
}

const void* Instance::query(std::string_view interface_id) {
    const void* found = nullptr;
    contained(ThreadClass::foreign, [&] {
        found = functions_->query(self_, {interface_id.data(), interface_id.size()});
        return JF_OK;
    });
    return found;
}

Mailbox& Instance::mailbox(unsigned shard) {
    if (Mailbox* existing = mailboxes_[shard].load(std::memory_order_acquire)) return *existing;
    const std::lock_guard lock(mailboxes_mutex_);
    if (Mailbox* existing = mailboxes_[shard].load(std::memory_order_acquire)) return *existing;
    mailbox_storage_.push_back(std::make_unique<Mailbox>(mailbox_bytes));
    mailboxes_[shard].store(mailbox_storage_.back().get(), std::memory_order_release);
    return *mailbox_storage_.back();
}

void Instance::op_closed() {
    if (open_ops_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    std::function<void()> idle;
    {
        const std::lock_guard lock(idle_mutex_);
        if (open_ops() == 0) idle.swap(on_idle_);
    }
    if (idle) idle();
}

void Instance::cancel_op(jf_op op) {
    const auto cancel = [](jf_instance* self, jf_op o, const jf_instance_v1* functions) {
        return functions->cancel(self, o);
    };
    if (spec_.placement == Placement::inline_) {
        contained(ThreadClass::stream, [&] { return cancel(self_, op, functions_); });
        return;
    }
    if (lost()) return;
    thread_local std::vector<std::byte> data;
    data.clear();
    detail::put_word(data, functions_->cancel);
    detail::put_word(data, static_cast<std::uint64_t>(ThreadClass::stream));
    to_thread(ThreadClass::stream, reinterpret_cast<void*>(static_cast<Trampoline>(&Instance::run_call<decltype(functions_->cancel)>)),
              op, data, true);
}

void Instance::call_event(const jf_sink& sink, jf_op op, const jf_event& event) {
    if (!sink.on_event || lost()) return;
    if (spec_.placement == Placement::inline_) {
        contained(event.type == JF_EV_DATAGRAM ? ThreadClass::media : ThreadClass::stream, [&] {
            sink.on_event(sink.user, op, &event, 1, sizeof event);
            return JF_OK;
        });
        return;
    }
    struct Carried {
        jf_sink sink;
        jf_event event;
    };
    thread_local std::vector<std::byte> data;
    data.clear();
    data.resize(sizeof(Carried));
    Carried carried{sink, event};
    const Layout* layout = layout_of_event(event.type);
    if (layout && event.data) {
        pack(*layout, event.data, event.data_size, data);
        carried.event.data_size = layout->size;
    } else {
        carried.event.data = nullptr;
    }
    std::memcpy(data.data(), &carried, sizeof carried);
    const Trampoline run = [](Instance& self, jf_op o, std::byte* at) {
        auto* c = reinterpret_cast<Carried*>(at);
        if (const Layout* l = layout_of_event(c->event.type); l && c->event.data) {
            unpack(*l, at + sizeof(Carried));
            c->event.data = at + sizeof(Carried);
        }
        self.contained(ThreadClass::stream, [&] {
            c->sink.on_event(c->sink.user, o, &c->event, 1, sizeof c->event);
            return JF_OK;
        });
    };
    if (!to_thread(ThreadClass::stream, reinterpret_cast<void*>(run), op, data, event.type != JF_EV_DATAGRAM))
        counters_.mailbox_full.fetch_add(1, std::memory_order_relaxed);
}

void Instance::call_done(const jf_sink& sink, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    if (!sink.on_done || lost()) return;
    if (spec_.placement == Placement::inline_) {
        contained(ThreadClass::stream, [&] {
            sink.on_done(sink.user, op, status, last, error);
            return JF_OK;
        });
        return;
    }
    struct Carried {
        jf_sink sink;
        jf_event last;
        jf_error error;
        std::int64_t status;
        std::uint64_t parts; // 1 last, 2 error
    };
    std::vector<std::byte> data(sizeof(Carried));
    Carried carried{};
    carried.sink = sink;
    carried.status = status;
    carried.parts = (last ? 1u : 0u) | (error ? 2u : 0u);
    if (error) carried.error = *error;
    if (last) {
        carried.last = *last;
        if (const Layout* layout = layout_of_event(last->type); layout && last->data) {
            pack(*layout, last->data, last->data_size, data);
            carried.last.data_size = layout->size;
        } else {
            carried.last.data = nullptr;
        }
    }
    std::memcpy(data.data(), &carried, sizeof carried);
    op_opened(); // until the callback has run on the plugin's thread
    const Trampoline run = [](Instance& self, jf_op o, std::byte* at) {
        auto* c = reinterpret_cast<Carried*>(at);
        if (const Layout* l = layout_of_event(c->last.type); l && (c->parts & 1) && c->last.data) {
            unpack(*l, at + sizeof(Carried));
            c->last.data = at + sizeof(Carried);
        }
        self.contained(ThreadClass::stream, [&] {
            c->sink.on_done(c->sink.user, o, static_cast<jf_status>(c->status), c->parts & 1 ? &c->last : nullptr,
                            c->parts & 2 ? &c->error : nullptr);
            return JF_OK;
        });
        self.op_closed();
    };
    to_thread(ThreadClass::stream, reinterpret_cast<void*>(run), op, data, true);
}

bool Instance::to_thread(ThreadClass thread_class, void* trampoline, jf_op op, std::span<const std::byte> data, bool always) {
    Message message;
    message.kind = Message::call;
    message.flags = static_cast<std::uint16_t>(thread_class);
    message.op = op;
    message.function = trampoline;
    if (always) inbox_.push_always(message, data);
    else if (!inbox_.push(message, data)) return false;
    if (host_.runtime().simulated()) {
        if (!inbox_.queued.exchange(true))
            host_.runtime().shard(home_shard_).post([this] {
                inbox_.queued = false;
                drain_inbox();
            });
        return true;
    }
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_signal_ = true;
    }
    inbox_ready_.notify_one();
    return true;
}

void Instance::drain_inbox() {
    std::vector<std::byte> data;
    Message message;
    while (!lost() && inbox_.pop(message, data)) {
        call_class_.store(message.flags, std::memory_order_relaxed);
        call_began_ns_.store(host_.runtime().clock().now().ns, std::memory_order_relaxed);
        reinterpret_cast<Trampoline>(message.function)(*this, message.op, data.data());
        call_began_ns_.store(0, std::memory_order_relaxed);
    }
}

void Instance::run_thread() {
    pthread_setname_np(pthread_self(), ("jf-" + spec_.name).substr(0, 15).c_str());
    std::unique_lock lock(inbox_mutex_);
    while (true) {
        inbox_ready_.wait(lock, [&] { return inbox_signal_ || stopping_; });
        inbox_signal_ = false;
        const bool stop = stopping_;
        lock.unlock();
        drain_inbox();
        lock.lock();
        if (!stop && !lost()) continue;
        exited_ = true;
        inbox_ready_.notify_all();
        return;
    }
}

void Instance::stop_thread() {
    {
        std::unique_lock lock(inbox_mutex_);
        if (!thread_.joinable() || lost()) return;
        stopping_ = true;
        inbox_ready_.notify_all();
        if (!inbox_ready_.wait_for(lock, hang_limit_, [this] { return exited_; })) {
            lock.unlock();
            return lose("thread_hang");
        }
    }
    thread_.join();
}

bool Instance::check_hang() {
    const std::int64_t began = call_began_ns_.load(std::memory_order_relaxed);
    if (began == 0 || lost()) return false;
    const auto thread_class = static_cast<ThreadClass>(call_class_.load(std::memory_order_relaxed));
    std::chrono::nanoseconds limit = hang_limit_;
    if (thread_class == ThreadClass::blocking || thread_class == ThreadClass::control)
        limit = std::max(limit, budget_of(thread_class));
    if (host_.runtime().clock().now().ns - began < limit.count()) return false;
    lose("thread_hang");
    return true;
}

void Instance::lose(const char* why) {
    if (!lost_.exchange(true)) mark(why);
}

void Instance::let_thread_go() {
    const std::lock_guard lock(inbox_mutex_);
    if (thread_.joinable()) thread_.detach();
}

bool Instance::thread_exited_for_test() {
    const std::lock_guard lock(inbox_mutex_);
    return exited_;
}

void Instance::mark(const char* what) {
    counters_.violations.fetch_add(1, std::memory_order_relaxed);
    host_.log({JF_LOG_WARN, this, JF_NO_OP, std::string("plugin.") + what, {}});
}

void Instance::overran(ThreadClass thread_class, std::chrono::nanoseconds elapsed, bool preempted) noexcept {
    if (elapsed < budget_of(thread_class)) return;
    (preempted ? counters_.preempted : counters_.overruns).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace jackfield::plugin_host
