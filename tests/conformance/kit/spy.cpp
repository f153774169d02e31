#include "conformance/kit/spy.hpp"

#include "base/json.hpp"
#include "plugin_host/marshal.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::Layout;
using plugin_host::Pointer;

std::string_view view(jf_str s) { return s.len ? std::string_view(s.ptr, s.len) : std::string_view(); }

/// A name that metrics and logs can be grouped by.
bool is_event_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    });
}

/// Text of the events whose data is a string or has one in front. Bytes that are no text are not asked to be UTF-8.
std::string_view text_of(const jf_event& event) {
    if (!event.data) return {};
    switch (event.type) {
        case JF_EV_TOKEN:
        case JF_EV_REASONING:
        case JF_EV_LANGUAGE:
        case JF_EV_TOOL_PROGRESS:
        case JF_EV_REFER_RECEIVED:
            return event.data_size >= sizeof(jf_str) ? view(*static_cast<const jf_str*>(event.data)) : std::string_view();
        case JF_EV_PARTIAL:
        case JF_EV_FINAL:
        case JF_EV_NO_MATCH:
        case JF_EV_TURN_END:
        case JF_EV_EAGER_TURN_END:
        case JF_EV_TRANSCRIPT: {
            const auto* text = static_cast<const jf_text*>(event.data);
            return event.data_size >= offsetof(jf_text, words) ? view(text->text) : std::string_view();
        }
        case JF_EV_TOOL_RESULT: {
            const auto* result = static_cast<const jf_tool_result*>(event.data);
            return event.data_size >= sizeof(jf_tool_result) ? view(result->content) : std::string_view();
        }
        default: return {};
    }
}

}  // namespace

Spy& Spy::get() {
    static Spy& spy = *new Spy;  // a plugin's own threads may call until the process ends
    return spy;
}

void Spy::watch(plugin_host::LoadedPlugin& plugin, std::vector<std::string> secrets) {
    if (plugin.module == &watched_) return;
    module_ = plugin.module;
    watched_ = {};
    // A shorter table of an older plugin stays as short.
    std::copy_n(reinterpret_cast<const char*>(module_), std::min<std::size_t>(module_->struct_size, sizeof watched_),
                reinterpret_cast<char*>(&watched_));
    watched_.create = &Spy::create;
    plugin.module = &watched_;
    secrets_ = std::move(secrets);
}

jf_status Spy::create(const jf_host_v1* host, jf_str id, jf_str json, jf_array pairs, jf_instance** out, const jf_instance_v1** table,
                      jf_error* error) {
    Spy& spy = get();
    Seen* entry;
    {
        const std::lock_guard lock(spy.mutex_);
        entry = &spy.instances_[host->ctx];
        *entry = {};
        entry->real = host;
        entry->table = *host;
        entry->table.emit = &Spy::emit;
        entry->table.complete = &Spy::complete;
        entry->table.op_open = &Spy::op_open;
        entry->table.log = &Spy::log;
    }
    const jf_status status = spy.module_->create(&entry->table, id, json, pairs, out, table, error);
    if (status == JF_OK && out && table) {
        const std::lock_guard lock(spy.mutex_);
        entry->self = *out;
        entry->functions = *table;
    }
    return status;
}

Spy::Seen* Spy::seen(jf_host_ctx* ctx) {
    const std::lock_guard lock(mutex_);
    const auto found = instances_.find(ctx);
    return found == instances_.end() ? nullptr : &found->second;
}

jf_instance* Spy::self_of(const plugin_host::Instance& instance) {
    const Seen* const entry = seen(reinterpret_cast<jf_host_ctx*>(const_cast<plugin_host::Instance*>(&instance)));
    return entry ? entry->self : nullptr;
}

const jf_instance_v1* Spy::functions_of(const plugin_host::Instance& instance) {
    const Seen* const entry = seen(reinterpret_cast<jf_host_ctx*>(const_cast<plugin_host::Instance*>(&instance)));
    return entry ? entry->functions : nullptr;
}

const jf_host_v1* Spy::table_of(const plugin_host::Instance& instance) {
    const Seen* const entry = seen(reinterpret_cast<jf_host_ctx*>(const_cast<plugin_host::Instance*>(&instance)));
    return entry ? &entry->table : nullptr;
}

void Spy::saw(std::string check, std::string what) {
    const std::lock_guard lock(mutex_);
    // One example of each is enough.
    if (told_.insert(check).second) sightings_.push_back({std::move(check), std::move(what)});
}

std::vector<Spy::Sighting> Spy::take_sightings() {
    const std::lock_guard lock(mutex_);
    return std::exchange(sightings_, {});
}

void Spy::op_started(jf_op op) {
    const std::lock_guard lock(mutex_);
    ops_[op] = {};
}

void Spy::op_answered(jf_op op, bool accepted) {
    bool contradicts = false;
    {
        const std::lock_guard lock(mutex_);
        SeenOp& entry = ops_[op];
        entry.refused = !accepted;
        contradicts = entry.refused && entry.completions > 0;
    }
    if (contradicts) saw("module.refuses_or_completes", "a start function answered an error for an op that it had completed");
}

void Spy::op_cancelled(jf_op op) {
    const std::lock_guard lock(mutex_);
    ops_[op].cancelled = true;
}

int Spy::completions_of(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = ops_.find(op);
    return found == ops_.end() ? 0 : found->second.completions;
}

void Spy::look_at_events(const jf_event* events, std::uint32_t n) {
    if (!events || n == 0) return;
    constexpr std::size_t whole = offsetof(jf_event, data_size) + sizeof events->data_size;
    if (events->struct_size < whole) return saw("module.states_struct_sizes", "an event's struct_size is smaller than the fields that the first ABI has");
    if (events->struct_size > 64 * sizeof(jf_event)) return saw("module.states_struct_sizes", fmt::format("an event states a struct_size of {}", events->struct_size));
    for (std::uint32_t i = 0; i < n; ++i) {
        const jf_event& event = *reinterpret_cast<const jf_event*>(reinterpret_cast<const char*>(events) + i * events->struct_size);
        if (!plugin_host::is_known_event(event.type))
            saw("module.emits_known_events", fmt::format("it emitted the event type 0x{:04x}, which this ABI does not have", event.type));
        if (!base::is_valid_utf8(text_of(event)))
            saw("module.emits_utf8", fmt::format("the text of an event of type 0x{:04x} is no UTF-8", event.type));
        const Layout* const layout = plugin_host::layout_of_event(event.type);
        if (!layout || !event.data) continue;
        if (!layout->has_struct_size) continue;
        const auto stated = *static_cast<const std::uint32_t*>(event.data);
        if (event.data_size < sizeof stated || stated < sizeof stated || stated > event.data_size)
            saw("module.states_struct_sizes",
                fmt::format("the data of an event of type 0x{:04x} states {} bytes, and data_size says {}", event.type, stated, event.data_size));
    }
}

void Spy::look_at_completion(jf_op op, bool taken, const jf_event* last, const jf_error* error) {
    bool twice = false, refused = false, stranger = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = ops_.find(op);
        if (found == ops_.end()) {
            // Incoming calls and the host's own quiesce are begun without passing here.
            stranger = !taken;
            if (taken) ops_[op].completions = 1;
        } else {
            twice = ++found->second.completions > 1;
            refused = found->second.refused;
        }
    }
    if (twice) saw("module.completes_once", "it completed an op a second time");
    if (refused) saw("module.refuses_or_completes", "it completed an op that its start function had refused");
    if (stranger) saw("module.completes_its_own", fmt::format("it completed the op {:#x}, which nobody started on it", op));
    if (last) look_at_events(last, 1);
    if (error) {
        if (error->struct_size < offsetof(jf_error, text)) saw("module.states_struct_sizes", "a completion's jf_error states no struct_size");
        else if (!base::is_valid_utf8(std::string_view(error->text, strnlen(error->text, sizeof error->text))))
            saw("module.emits_utf8", "the text of a completion's error is no UTF-8");
    }
}

void Spy::look_at_log(jf_str event, jf_array fields) {
    if (!is_event_name(view(event)))
        saw("module.logs_names", fmt::format("it logged the event '{}': a constant name like stt.reconnect is wanted", base::to_valid_utf8(std::string(view(event)))));
    for (std::uint32_t i = 0; i < fields.n; ++i) {
        const auto* const pair = JF_AT(jf_pair, fields, i);
        for (const std::string& secret : secrets_)
            if (view(pair->value).find(secret) != std::string_view::npos)
                saw("module.keeps_secrets", fmt::format("the field '{}' of its log shows an option that is marked as secret", view(pair->key)));
    }
}

jf_status Spy::emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    Spy& spy = get();
    ++spy.emits_;
    spy.look_at_events(events, n);
    bool late = false;
    {
        const std::lock_guard lock(spy.mutex_);
        const auto found = spy.ops_.find(op);
        late = found != spy.ops_.end() && !found->second.cancelled &&
               (found->second.completions > 0 || found->second.refused);
    }
    if (late) spy.saw("module.silent_after_completion", fmt::format("it emitted an event of type 0x{:04x} on an op that was over", events && n ? events->type : 0));
    for (int left = spy.refusals_.load(); left > 0;)
        if (spy.refusals_.compare_exchange_weak(left, left - 1)) return JF_E_AGAIN;
    return spy.seen(ctx)->real->emit(ctx, op, events, n);
}

jf_status Spy::complete(jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
    Spy& spy = get();
    const jf_status taken = spy.seen(ctx)->real->complete(ctx, op, status, last, error);
    spy.look_at_completion(op, taken == JF_OK, last, error);
    return taken;
}

jf_status Spy::op_open(jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) {
    Spy& spy = get();
    ++spy.ops_opened_;
    return spy.seen(ctx)->real->op_open(ctx, parent, sink, out);
}

void Spy::log(jf_host_ctx* ctx, std::uint32_t level, jf_op op, jf_str event, jf_array fields) {
    Spy& spy = get();
    spy.look_at_log(event, fields);
    spy.seen(ctx)->real->log(ctx, level, op, event, fields);
}

}  // namespace jackfield::conformance
