#pragma once

// C++20 comfort over the C headers: an exception barrier, typed configuration, the host as an object, and the module table
// made from one class. Header-only; a plugin may ignore all of it.

#include <jackfield/host.h>
#include <jackfield/module.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace jackfield::sdk {

inline std::string_view view(jf_str s) {
    return s.len ? std::string_view(s.ptr, static_cast<std::size_t>(s.len)) : std::string_view();
}
inline std::string_view view(jf_bytes b) {
    return b.len ? std::string_view(static_cast<const char*>(b.ptr), static_cast<std::size_t>(b.len))
                 : std::string_view();
}
inline jf_str str(std::string_view s) { return {s.data(), s.size()}; }
inline jf_bytes bytes(std::string_view s) { return {s.data(), s.size()}; }

/// A struct of the ABI with its struct_size set and everything else zero.
template <typename T>
T make() {
    T value{};
    value.struct_size = sizeof(T);
    return value;
}

template <typename T>
jf_array array(const T* first, std::size_t n) {
    return {first, static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(sizeof(T))};
}
template <typename T>
jf_array array(const std::vector<T>& v) {
    return array(v.data(), v.size());
}

/// A copy of `size` bytes as a T of this plugin's: what an older writer's struct does not have is zero.
template <typename T>
T known(const void* data, std::uint64_t size) {
    static_assert(std::is_trivially_copyable_v<T>);
    T out{};
    std::memcpy(static_cast<void*>(&out), data, std::min<std::size_t>(static_cast<std::size_t>(size), sizeof out));
    return out;
}
/// The same of a struct that says its size.
template <typename T>
T known(const T* given) {
    return known<T>(given, given->struct_size);
}

/// The event's data as T, null when there is none. A host that is older than this plugin writes a shorter struct: then this is a
/// zero-filled copy, which lasts until this thread asks for the next T.
template <typename T>
const T* data_of(const jf_event& event) {
    if (!event.data || event.data_size == 0) return nullptr;
    if (event.data_size >= sizeof(T)) return static_cast<const T*>(event.data);
    thread_local T filled;
    filled = known<T>(event.data, event.data_size);
    return &filled;
}

/// What a plugin throws to fail with more than INTERNAL.
class Failure : public std::exception {
  public:
    Failure(jf_status code, std::string text, std::uint32_t retry = JF_RETRY_NO, std::int64_t vendor = 0)
        : code_(code), retry_(retry), vendor_(vendor), text_(std::move(text)) {}
    const char* what() const noexcept override { return text_.c_str(); }
    jf_status code() const { return code_; }

    /// Writes itself into `error` (which may be null) and returns the code.
    jf_status write(jf_error* error) const {
        // struct_size is the caller's: what lies behind it is not ours to write. All of these members were in 1.0.
        if (!error || !JF_HAS(error, jf_error, text)) return code_;
        error->code = code_;
        error->retry_class = retry_;
        error->retry_after_ms = 0;
        error->vendor_code = vendor_;
        const std::size_t n = std::min(text_.size(), sizeof error->text - 1);
        std::memcpy(error->text, text_.data(), n);
        error->text[n] = 0;
        return code_;
    }

  private:
    jf_status code_;
    std::uint32_t retry_;
    std::int64_t vendor_;
    std::string text_;
};

/// The barrier at the C boundary: runs `body`, which returns a jf_status or nothing, and turns what it throws into a status.
template <typename Body>
jf_status guarded(jf_error* error, Body&& body) noexcept {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
            body();
            return JF_OK;
        } else {
            return body();
        }
    } catch (const Failure& failure) {
        return failure.write(error);
    } catch (const std::bad_alloc&) {
        if (JF_HAS(error, jf_error, text)) {
            error->code = JF_E_INTERNAL;
            std::strcpy(error->text, "out of memory");
        }
        return JF_E_INTERNAL;
    } catch (const std::exception& problem) {
        try {
            return Failure(JF_E_INTERNAL, problem.what()).write(error);
        } catch (...) {
            return JF_E_INTERNAL;
        }
    } catch (...) {
        return JF_E_INTERNAL;
    }
}

/// The instance's options, checked by the host against the descriptor's schema and with defaults filled in.
class Config {
  public:
    Config() = default;
    Config(jf_str json, jf_array pairs) : json_(view(json)) {
        for (std::uint32_t i = 0; i < pairs.n; ++i) {
            const auto* pair = JF_AT(jf_pair, pairs, i);
            pairs_.emplace_back(view(pair->key), view(pair->value));
        }
    }

    const std::string& json() const { return json_; }
    bool has(std::string_view key) const { return find(key) != nullptr; }
    std::string text(std::string_view key, std::string_view otherwise = {}) const {
        const std::string* value = find(key);
        return value ? *value : std::string(otherwise);
    }
    std::int64_t integer(std::string_view key, std::int64_t otherwise = 0) const {
        const std::string* value = find(key);
        std::int64_t number = otherwise;
        if (value) std::from_chars(value->data(), value->data() + value->size(), number);
        return number;
    }
    double real(std::string_view key, double otherwise = 0) const {
        const std::string* value = find(key);
        double number = otherwise;
        if (value) std::from_chars(value->data(), value->data() + value->size(), number);
        return number;
    }
    bool flag(std::string_view key, bool otherwise = false) const {
        const std::string* value = find(key);
        return value ? *value == "true" : otherwise;
    }
    /// The elements of an array of scalars: "listen.0", "listen.1", ...
    std::vector<std::string> list(std::string_view key) const {
        std::vector<std::string> out;
        for (std::size_t i = 0;; ++i) {
            const std::string* value = find(std::string(key) + "." + std::to_string(i));
            if (!value) return out;
            out.push_back(*value);
        }
    }

  private:
    const std::string* find(std::string_view key) const {
        for (const auto& [name, value] : pairs_)
            if (name == key) return &value;
        return nullptr;
    }

    std::string json_;
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// The user of an op. Derive, pass `sink()` to Host::open; must outlive the op's completion.
class OpUser {
  public:
    virtual ~OpUser() = default;
    virtual void on_event(jf_op op, const jf_event& event) = 0;
    virtual void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) = 0;

    jf_sink sink() {
        jf_sink out = make<jf_sink>();
        out.user = this;
        out.on_event = [](void* user, jf_op op, const jf_event* events, std::uint32_t n, std::uint32_t stride) {
            const jf_array all{events, n, stride};
            for (std::uint32_t i = 0; i < n; ++i)
                guarded(nullptr, [&] { static_cast<OpUser*>(user)->on_event(op, *JF_AT(jf_event, all, i)); });
        };
        out.on_done = [](void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
            guarded(nullptr, [&] { static_cast<OpUser*>(user)->on_done(op, status, last, error); });
        };
        return out;
    }
};

struct Field {
    std::string_view key;
    std::string value;
};

/// The host's table as an object. Copyable; as long-lived as the instance.
class Host {
  public:
    Host() = default;
    explicit Host(const jf_host_v1* table) : table_(table) {}

    const jf_host_v1* table() const { return table_; }
    jf_host_ctx* ctx() const { return table_->ctx; }
    std::uint64_t now_ns() const { return table_->now_ns(table_->ctx); }

    /// A facility's table, null when the host has none of that id.
    template <typename Table>
    const Table* facility(std::string_view id) const {
        return static_cast<const Table*>(table_->query(table_->ctx, str(id)));
    }

    jf_op open(jf_op parent, OpUser& user) const {
        const jf_sink sink = user.sink();
        jf_op op = JF_NO_OP;
        const jf_status status = table_->op_open(table_->ctx, parent, &sink, &op);
        if (status != JF_OK) throw Failure(status, "the host opened no operation");
        return op;
    }
    void cancel(jf_op op) const { table_->cancel(table_->ctx, op); }

    jf_status emit(jf_op op, std::uint32_t type, std::uint64_t pos = 0, std::uint32_t flags = 0) const {
        return emit_raw(op, type, nullptr, 0, pos, flags);
    }
    template <typename T> requires std::is_class_v<T>  // a number is a position
    jf_status emit(jf_op op, std::uint32_t type, const T& data, std::uint64_t pos = 0, std::uint32_t flags = 0) const {
        return emit_raw(op, type, &data, sizeof data, pos, flags);
    }

    jf_status complete(jf_op op, jf_status status = JF_OK) const {
        return table_->complete(table_->ctx, op, status, nullptr, nullptr);
    }
    template <typename T>
    jf_status complete_with(jf_op op, jf_status status, std::uint32_t type, const T& last,
                            const jf_error* error = nullptr) const {
        const jf_event event = event_of(type, &last, sizeof last, 0, 0);
        return table_->complete(table_->ctx, op, status, &event, error);
    }
    jf_status fail(jf_op op, const Failure& failure) const {
        jf_error error = make<jf_error>();
        failure.write(&error);
        return table_->complete(table_->ctx, op, failure.code(), nullptr, &error);
    }

    void log(std::uint32_t level, std::string_view event, std::initializer_list<Field> fields = {},
             jf_op op = JF_NO_OP) const {
        std::vector<jf_pair> pairs;
        for (const Field& field : fields) pairs.push_back({str(field.key), str(field.value)});
        table_->log(table_->ctx, level, op, str(event), array(pairs));
    }

    static jf_event event_of(std::uint32_t type, const void* data, std::size_t size, std::uint64_t pos,
                             std::uint32_t flags) {
        jf_event event = make<jf_event>();
        event.type = type;
        event.flags = flags;
        event.pos = pos;
        event.data = data;
        event.data_size = size;
        return event;
    }

  private:
    jf_status emit_raw(jf_op op, std::uint32_t type, const void* data, std::size_t size, std::uint64_t pos,
                       std::uint32_t flags) const {
        const jf_event event = event_of(type, data, size, pos, flags);
        return table_->emit(table_->ctx, op, &event, 1);
    }

    const jf_host_v1* table_ = nullptr;
};

/// The instance's functions made from a class with
///   static std::unique_ptr<T> create(Host, const Config&);            throws Failure
///   void start(jf_op);  void quiesce(jf_op, uint32_t budget_ms);       complete the op, or throw Failure
///   const void* query(std::string_view interface_id);
///   jf_status cancel(jf_op);
///   void health(jf_op);                                                only where it can tell more than that it runs
template <typename T>
const jf_instance_v1* instance_table() {
    static const jf_instance_v1 table = [] {
        jf_instance_v1 t = make<jf_instance_v1>();
        t.start = [](jf_instance* self, jf_op op, jf_error* error) {
            return guarded(error, [&] { reinterpret_cast<T*>(self)->start(op); });
        };
        t.quiesce = [](jf_instance* self, jf_op op, std::uint32_t budget_ms) {
            return guarded(nullptr, [&] { reinterpret_cast<T*>(self)->quiesce(op, budget_ms); });
        };
        t.destroy = [](jf_instance* self) { guarded(nullptr, [&] { delete reinterpret_cast<T*>(self); }); };
        t.query = [](jf_instance* self, jf_str id) -> const void* {
            const void* found = nullptr;
            guarded(nullptr, [&] { found = reinterpret_cast<T*>(self)->query(view(id)); });
            return found;
        };
        t.cancel = [](jf_instance* self, jf_op op) {
            return guarded(nullptr, [&] { return reinterpret_cast<T*>(self)->cancel(op); });
        };
        if constexpr (requires(T& instance, jf_op op) { instance.health(op); })
            t.health = [](jf_instance* self, jf_op op, jf_error* error) {
                return guarded(error, [&] { reinterpret_cast<T*>(self)->health(op); });
            };
        return t;
    }();
    return &table;
}

template <typename T>
const jf_module_v1* module_table() {
    static const jf_module_v1 table = [] {
        jf_module_v1 t = make<jf_module_v1>();
        t.abi_major = JF_ABI_MAJOR;
        t.abi_need_minor = 0;
        t.abi_built_minor = JF_ABI_MINOR;
        t.init = [](const jf_host_v1*, jf_error*) -> jf_status { return JF_OK; };
        t.deinit = [] {};
        t.create = [](const jf_host_v1* host, jf_str, jf_str json, jf_array pairs, jf_instance** out,
                      const jf_instance_v1** functions, jf_error* error) {
            return guarded(error, [&] {
                std::unique_ptr<T> made = T::create(Host(host), Config(json, pairs));
                *out = reinterpret_cast<jf_instance*>(made.release());
                *functions = instance_table<T>();
            });
        };
        return t;
    }();
    return &table;
}

}  // namespace jackfield::sdk

/// In one source of the plugin: JACKFIELD_MODULE(acme::Recogniser)
#define JACKFIELD_MODULE(Instance)                                         \
    extern "C" JF_EXPORT const jf_module_v1* jf_module_entry_v1(void) {    \
        return ::jackfield::sdk::module_table<Instance>();                 \
    }
