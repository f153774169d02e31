#include "plugin_host/instance.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "plugin_host/plugin_host.hpp"

namespace jackfield::plugin_host {
namespace {

/// struct_size and what pads it: every table begins so.
constexpr std::size_t table_head = 8;

/// Of the tables that plugins answer queries with, as this host knows them; 0: it knows no such interface.
std::size_t table_size_of(std::string_view interface_id) {
    static const std::map<std::string_view, std::size_t> sizes = {
        {JF_TELEPHONY_V1, sizeof(jf_telephony_v1)}, {JF_STT_V1, sizeof(jf_stt_v1)},
        {JF_TTS_V1, sizeof(jf_tts_v1)},             {JF_LLM_V1, sizeof(jf_llm_v1)},
        {JF_EMBEDDING_V1, sizeof(jf_embedding_v1)}, {JF_MESSAGING_V1, sizeof(jf_messaging_v1)},
        {JF_RECORDS_V1, sizeof(jf_records_v1)},     {JF_VECTORS_V1, sizeof(jf_vectors_v1)},
        {JF_TOOLS_V1, sizeof(jf_tools_v1)},         {JF_TELEMETRY_V1, sizeof(jf_telemetry_v1)},
        {JF_SERVICE_V1, sizeof(jf_service_v1)},     {JF_WEBHOOK_V1, sizeof(jf_webhook_v1)}};
    const auto found = sizes.find(interface_id);
    return found == sizes.end() ? 0 : found->second;
}

/// Typical per thread class: module.h and base.h publish these to plugins.
std::chrono::nanoseconds budget_of(ThreadClass thread_class) {
    switch (thread_class) {
        case ThreadClass::stream:
        case ThreadClass::scan:
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

void Instance::retire() {
    // One that never served has not been stopped. With work under way the plugin may still call: better a leak.
    if (open_ops() == 0) destroy_self();
    else stop_thread();
    if (const std::lock_guard lock(inbox_mutex_); own_ && own_->thread.joinable()) own_->thread.detach();
    retired_.store(true, std::memory_order_release);
    if (open_ops() == 0) {
        const std::lock_guard lock(mailboxes_mutex_);
        for (const auto& mailbox : mailbox_storage_) mailbox->close();
        inbox_.close();
    }
    health_.reset();
    // Options hold secrets.
    spec_.config_json.clear();
    spec_.config_pairs.clear();
}

base::Result<> Instance::create() {
    std::vector<jf_pair> pairs;
    for (const auto& [key, value] : spec_.config_pairs)
        pairs.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
    const jf_array pair_array{pairs.data(), static_cast<std::uint32_t>(pairs.size()), sizeof(jf_pair)};
    jf_error error{};
    error.struct_size = sizeof error;
    jf_instance* self = nullptr;
    const jf_instance_v1* functions = nullptr;
    const jf_status status = contained(ThreadClass::control, JF_NO_OP, [&] {
        return plugin_->module->create(&host_table_, {spec_.plugin.data(), spec_.plugin.size()},
                                       {spec_.config_json.data(), spec_.config_json.size()}, pair_array, &self,
                                       &functions, &error);
    });
    const auto refused = [&](base::ErrorCode code, const char* why) {
        return base::Error(code, spec_.name + " (" + spec_.plugin + ", " + plugin_->path.string() + "): " + why);
    };
    if (status != JF_OK) return error_from(status, &error).with_context(spec_.name + " (" + spec_.plugin + ")");
    if (!self || !functions || !JF_HAS(functions, jf_instance_v1, cancel) || !functions->start ||
        !functions->quiesce || !functions->destroy || !functions->query || !functions->cancel)
        return refused(base::ErrorCode::invalid, "create answered OK without a complete table");
    {
        const std::lock_guard lock(plugin_->mutex);
        if (!plugin_->instances.insert(self).second)
            return refused(base::ErrorCode::conflict, "create answered with an instance that another one of this file is already");
    }
    functions_ = functions;
    self_ = self;
    // Asked for now, on a thread that may block, and not when a call wants them.
    for (const std::string& interface_id : plugin_->file.descriptor.provides) ask_for_table(interface_id, ThreadClass::control);
    if (spec_.placement == Placement::thread && !host_.runtime().simulated()) start_thread();
    return {};
}

base::Result<> Instance::create_again() {
    clear_inbox();
    self_ = nullptr; // what the lost one was stays where it is: somebody may stand in it, and its callbacks never came
    return create();
}

void Instance::destroy_self() {
    stop_thread();
    if (lost()) return; // somebody may stand in it
    jf_instance* const self = self_.exchange(nullptr);
    if (!self) return;
    contained(ThreadClass::control, JF_NO_OP, [&] {
        functions_.load()->destroy(self);
        return JF_OK;
    });
    const std::lock_guard lock(plugin_->mutex);
    plugin_->instances.erase(self);
}

void Instance::allow_collection(std::uint32_t handle) {
    const std::lock_guard lock(collections_mutex_);
    collections_.push_back(handle);
}

void Instance::allow_space(const Instance* provider, std::uint32_t handle) {
    const std::lock_guard lock(collections_mutex_);
    if (std::find(spaces_.begin(), spaces_.end(), std::pair(provider, handle)) == spaces_.end()) spaces_.emplace_back(provider, handle);
}

bool Instance::may_use_space(const Instance* provider, std::uint32_t handle) const {
    const std::lock_guard lock(collections_mutex_);
    return std::find(spaces_.begin(), spaces_.end(), std::pair(provider, handle)) != spaces_.end();
}

bool Instance::may_use_collection(std::uint32_t handle) const {
    const std::lock_guard lock(collections_mutex_);
    return std::find(collections_.begin(), collections_.end(), handle) != collections_.end();
}

const void* Instance::query(std::string_view interface_id) {
    {
        const std::lock_guard lock(tables_mutex_);
        const auto found = tables_.find(interface_id);
        if (found != tables_.end()) return found->second;
    }
    return lost() ? nullptr : ask_for_table(interface_id, ThreadClass::foreign);
}

const void* Instance::ask_for_table(std::string_view interface_id, ThreadClass thread_class) {
    jf_instance* const self = self_;
    if (!self) return nullptr;
    const void* found = nullptr;
    contained(thread_class, JF_NO_OP, [&] {
        found = functions_.load()->query(self, {interface_id.data(), interface_id.size()});
        return JF_OK;
    });
    if (!found) return nullptr;
    const void* table = checked_table(found, interface_id);
    const std::lock_guard lock(tables_mutex_);
    tables_.insert_or_assign(std::string(interface_id), table);
    return table;
}

/// A table that is shorter than this host's is an older plugin's: it gets a copy whose later members are null. One that is shorter than its own first
/// member is nobody's.
const void* Instance::checked_table(const void* table, std::string_view interface_id) {
    std::uint32_t size = 0;
    std::memcpy(&size, table, sizeof size);
    const std::size_t known = table_size_of(interface_id);
    if (size >= known && size >= table_head) return table;
    const std::lock_guard lock(tables_mutex_);
    for (const auto& [original, copy] : short_tables_)
        if (original == table) return copy.get();
    auto& kept = short_tables_.emplace_back(table, nullptr);
    if (size < table_head + sizeof(void*) || size % sizeof(void*) != 0) {
        mark("bad_table", JF_LOG_ERROR, {{"interface", std::string(interface_id)}, {"struct_size", std::to_string(size)}});
        return nullptr;
    }
    kept.second = std::make_unique<std::uint64_t[]>((known + 7) / 8);
    std::memcpy(kept.second.get(), table, size);
    return kept.second.get();
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
    if (lost()) return;
    auto* cancel = functions_.load()->cancel;
    if (spec_.placement == Placement::inline_) {
        contained(ThreadClass::stream, op, [&] { return cancel(self_, op); });
        return;
    }
    thread_local std::vector<std::byte> data;
    data.clear();
    detail::put_word(data, cancel);
    detail::put_word(data, static_cast<std::uint64_t>(ThreadClass::stream));
    to_thread(ThreadClass::stream, reinterpret_cast<void*>(static_cast<Trampoline>(&Instance::run_call<decltype(cancel)>)), op, data, true);
}

void Instance::call_event(const jf_sink& sink, jf_op op, const jf_event& event) {
    if (!sink.on_event || lost()) return;
    if (spec_.placement == Placement::inline_) {
        contained(event.type == JF_EV_DATAGRAM ? ThreadClass::media : ThreadClass::stream, op, [&] {
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
        self.contained(ThreadClass::stream, o, [&] {
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
        contained(ThreadClass::stream, op, [&] {
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
        self.contained(ThreadClass::stream, o, [&] {
            c->sink.on_done(c->sink.user, o, static_cast<jf_status>(c->status), c->parts & 1 ? &c->last : nullptr,
                            c->parts & 2 ? &c->error : nullptr);
            return JF_OK;
        });
        self.op_closed();
    };
    to_thread(ThreadClass::stream, reinterpret_cast<void*>(run), op, data, true, true);
}

bool Instance::to_thread(ThreadClass thread_class, void* trampoline, jf_op op, std::span<const std::byte> data, bool always, bool counted) {
    Message message;
    message.kind = Message::call;
    message.flags = static_cast<std::uint16_t>(thread_class);
    message.op = op;
    message.status = counted;
    message.function = trampoline;
    if (always) inbox_.push_always(message, data);
    else if (!(data.size() > mailbox_bytes / 4 ? inbox_.push_large(message, data) : inbox_.push(message, data))) return false;
    if (host_.runtime().simulated()) {
        if (!inbox_.queued.exchange(true))
            host_.runtime().shard(home_shard_).post([this] {
                inbox_.queued = false;
                drain_inbox(nullptr);
            });
        return true;
    }
    const std::lock_guard lock(inbox_mutex_);
    if (!own_) return true; // just lost: clear_inbox() finds the message
    own_->signal = true;
    own_->ready.notify_one();
    return true;
}

void Instance::drain_inbox(const OwnThread* own) {
    std::vector<std::byte> data;
    Message message;
    while (!(own && own->abandoned) && !lost() && inbox_.pop(message, data))
        reinterpret_cast<Trampoline>(message.function)(*this, message.op, data.data());
}

void Instance::clear_inbox() {
    std::vector<std::byte> data;
    Message message;
    while (inbox_.pop(message, data))
        if (message.status) op_closed();
}

void Instance::start_thread() {
    const std::lock_guard lock(inbox_mutex_);
    own_ = std::make_shared<OwnThread>();
    own_->thread = std::thread([this, own = own_] { run_thread(own); });
}

void Instance::run_thread(std::shared_ptr<OwnThread> own) {
    pthread_setname_np(pthread_self(), ("jf-" + spec_.name).substr(0, 15).c_str());
    CallGuard::on_instances_own_thread();
    std::unique_lock lock(inbox_mutex_);
    while (true) {
        own->ready.wait(lock, [&] { return own->signal || own->stopping || own->abandoned; });
        own->signal = false;
        const bool stop = own->stopping;
        lock.unlock();
        drain_inbox(own.get());
        lock.lock();
        if (!stop && !own->abandoned) continue;
        own->exited = true;
        own->ready.notify_all();
        return;
    }
}

void Instance::stop_thread() {
    std::unique_lock lock(inbox_mutex_);
    if (!own_ || !own_->thread.joinable()) return;
    const std::shared_ptr<OwnThread> own = own_;
    own->stopping = true;
    own->ready.notify_all();
    const bool exited = own->ready.wait_for(lock, hang_limit_, [&] { return own->exited; });
    // Whoever finds the instance lost meanwhile lets the thread go.
    std::thread ended = exited ? std::exchange(own->thread, {}) : std::thread();
    lock.unlock();
    if (ended.joinable()) ended.join();
    else if (!exited) lose("thread_hang");
}

void Instance::run_control(base::Task task) {
    if (host_.runtime().simulated()) {
        host_.runtime().control_pool().submit(std::move(task));
        return;
    }
    const std::lock_guard lock(lane_mutex_);
    lane_->waiting.push_back(std::move(task));
    if (std::exchange(lane_->running, true)) return;
    std::thread([this, lane = lane_] {
        pthread_setname_np(pthread_self(), ("jf-c-" + spec_.name).substr(0, 15).c_str());
        while (true) {
            base::Task next;
            {
                const std::lock_guard take(lane_mutex_);
                if (lane->waiting.empty()) {
                    lane->running = false;
                    return;
                }
                next = std::move(lane->waiting.front());
                lane->waiting.erase(lane->waiting.begin());
            }
            next();
        }
    }).detach();
}

bool Instance::lose(const char* why, const StandingCall* call) {
    if (state_.exchange(State::lost) == State::lost) return false;
    abandoned_ = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        if (own_) {
            own_->abandoned = true;
            own_->ready.notify_all();
            if (own_->thread.joinable()) own_->thread.detach();
            lost_own_ = std::exchange(own_, nullptr);
        }
    }
    std::vector<base::Task> never_run;
    {
        const std::lock_guard lock(lane_mutex_);
        never_run.swap(lane_->waiting);
        lane_ = std::make_shared<ControlLane>();
    }
    std::vector<std::pair<std::string, std::string>> fields;
    if (call)
        fields = {{"thread_class", name_of(call->thread_class)},
                  {"for_ms", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(call->since).count())}};
    mark(why, JF_LOG_ERROR, std::move(fields));
    return true;
}

bool Instance::thread_exited_for_test() {
    const std::lock_guard lock(inbox_mutex_);
    const auto& own = lost_own_ ? lost_own_ : own_;
    return !own || own->exited;
}

void Instance::mark(const char* what, std::uint32_t level, std::vector<std::pair<std::string, std::string>> fields) {
    counters_.violations.fetch_add(1, std::memory_order_relaxed);
    fields.emplace_back("file", plugin_->path.string());
    host_.log({level, this, JF_NO_OP, std::string("plugin.") + what, std::move(fields)});
}

void Instance::overran(ThreadClass thread_class, std::chrono::nanoseconds elapsed, bool preempted, jf_op op) noexcept {
    // The time is the machine's, and a simulated host must not know it: two runs would differ.
    if (elapsed < budget_of(thread_class) || host_.runtime().simulated()) return;
    (preempted ? counters_.preempted : counters_.overruns).fetch_add(1, std::memory_order_relaxed);
    if (preempted) return;
    OpOwner owner;
    if (op != JF_NO_OP) host_.ops().owner_of(op, owner);
    overruns_.note(thread_class, elapsed, op, owner);
}

void Instance::packet_refused(jf_op op) { host_.ops().note_refused(op); }

void Instance::tell_overruns() {
    while (const auto told = overruns_.take(host_.runtime().clock().now())) {
        const auto ms = [](std::chrono::nanoseconds time) {
            const auto tenths = std::chrono::duration_cast<std::chrono::microseconds>(time).count() / 100;
            return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
        };
        char op[20];
        std::snprintf(op, sizeof op, "%llx", static_cast<unsigned long long>(told->op));
        std::vector<std::pair<std::string, std::string>> fields = {{"thread_class", name_of(told->thread_class)},
                                                                   {"ms", ms(told->longest)},
                                                                   {"budget_ms", ms(budget_of(told->thread_class))},
                                                                   {"op", told->op == JF_NO_OP ? "none" : op},
                                                                   {"calls", std::to_string(told->count)}};
        // The op may have closed since: its id would tell the log nothing.
        if (!told->owner.call().empty()) fields.emplace_back("call_id", told->owner.call());
        host_.log({JF_LOG_WARN, this, JF_NO_OP, "plugin.overrun", std::move(fields)});
    }
}

}  // namespace jackfield::plugin_host
