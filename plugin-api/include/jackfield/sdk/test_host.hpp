#pragma once

// A host for a plugin's own tests: no threads, no sockets, no wall clock. Header-only, needs no test framework and no library but libdl.
//
//   sdk::TestHost host;
//   sdk::TestInstance plugin(host, sdk::load_module("build/plugins/tools/acme.so"), {{"currency", "EUR"}});
//   plugin.start();
//   const auto* tools = plugin.interface<jf_tools_v1>(JF_TOOLS_V1);
//   sdk::TestOp& answer = plugin.begin(tools->call, &request);
//   host.advance(std::chrono::seconds(2));       // timers fire, workers run, datagrams arrive
//   answer.status(), answer.events(), answer.last() ...
//   host.breaches()                              // what broke the contract: has to be empty
//
// The host calls back only inside run(), advance() and run_until(), in the order in which things became due. What a plugin does against the
// contract (a second completion, an event after it, an op left behind, ...) is a breach; a test that ends without having looked at breaches is
// aborted with their list. docs/plugins/testing.md tells more.

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/test_copies.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dlfcn.h>

namespace jackfield::sdk {

class TestHost;
class TestInstance;

/// The plugin's module from its file, as a host maps it. Throws std::runtime_error.
inline const jf_module_v1* load_module(const std::string& path) {
    void* const mapped = ::dlopen(path.find('/') == std::string::npos ? ("./" + path).c_str() : path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!mapped) throw std::runtime_error(::dlerror());
    void* const entry = ::dlsym(mapped, "jf_module_entry_v1");
    if (!entry) throw std::runtime_error(path + " exports no jf_module_entry_v1");
    return reinterpret_cast<const jf_module_v1* (*)()>(entry)();
}

/// "192.0.2.1" and a port, for the scripted network.
inline jf_endpoint ipv4(const char* address, std::uint16_t port) {
    jf_endpoint out{};
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (std::sscanf(address, "%u.%u.%u.%u", &a, &b, &c, &d) != 4) throw std::invalid_argument(address);
    const unsigned bytes[] = {a, b, c, d};
    for (int i = 0; i < 4; ++i) out.ip[i] = static_cast<std::uint8_t>(bytes[i]);
    out.port = port;
    out.family = JF_NET_IPV4;
    return out;
}

/// An op that the host started on the plugin. Lives as long as the host.
class TestOp {
  public:
    jf_op id() const { return id_; }
    /// Accepted, and not completed yet.
    bool open() const { return open_; }
    /// What the function that started it answered.
    jf_status accepted() const { return accepted_; }
    /// Of the completion; what accepted() is when it was refused.
    jf_status status() const { return status_; }
    const Event& last() const { return last_; }
    /// Its text: of the completion, or of the refusal.
    const std::string& error() const { return error_; }
    const std::vector<Event>& events() const { return events_; }
    std::size_t count(std::uint32_t type) const {
        return static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(), [&](const Event& e) { return e.type == type; }));
    }
    /// Runs for each event while the plugin emits it, under the host's lock: it may look, and not call the host.
    std::function<void(const Event&)> on_event;

  private:
    friend class TestHost;
    friend class TestInstance;
    jf_op id_ = JF_NO_OP;
    bool open_ = true;
    jf_status accepted_ = JF_OK;
    jf_status status_ = JF_OK;
    Event last_;
    std::string error_;
    std::vector<Event> events_;
    std::uint64_t cancelled_at_ = 0;  // ns, 0 no
    bool forced_ = false;             // completed by the host, since the plugin did not
    jf_host_ctx* owner_ = nullptr;
};

struct LogLine {
    std::uint32_t level = 0;
    jf_op op = JF_NO_OP;
    std::string event;
    std::map<std::string, std::string> fields;
};

struct Datagram {
    jf_op socket = JF_NO_OP;
    jf_endpoint from{};
    jf_endpoint to{};
    std::string data;
    std::uint64_t at_ns = 0;
};

}  // namespace jackfield::sdk

#include <jackfield/sdk/test_tcp.hpp>

#include <jackfield/sdk/test_host_core.hpp>

namespace jackfield::sdk {

/// One instance of the plugin under test.
class TestInstance {
  public:
    using Options = std::vector<std::pair<std::string, std::string>>;

    /// Options as (dotted path, text), as the plugin gets them; give `json` too when it reads that. Defaults of plugin.json are not filled in
    /// here. Throws std::runtime_error when the plugin refuses.
    TestInstance(TestHost& host, const jf_module_v1* module, const Options& options = {}, std::string_view json = {})
        : host_(host), seat_(host.take_seat()), module_(module) {
        check_module();
        jf_error error = make<jf_error>();
        if (host_.first_of(module) && module->init && module->init(&seat_->table, &error) != JF_OK)
            throw std::runtime_error(std::string("init: ") + error.text);
        std::vector<jf_pair> pairs;
        std::string made = "{";
        for (const auto& [key, value] : options) {
            pairs.push_back({str(key), str(value)});
            made += (made.size() > 1 ? "," : "") + ("\"" + key + "\":") + json_of(value);
        }
        made += "}";
        const std::string_view id = "test/test";
        const jf_status status = module->create(&seat_->table, str(id), str(json.empty() ? std::string_view(made) : json), array(pairs),
                                                &instance_, &functions_, &error);
        if (status != JF_OK) throw std::runtime_error(error.text[0] ? std::string(error.text) : "create answered " + std::to_string(status));
        if (!instance_ || !functions_) throw std::runtime_error("create answered OK and gave no instance");
    }
    ~TestInstance() { close(); }
    TestInstance(const TestInstance&) = delete;
    TestInstance& operator=(const TestInstance&) = delete;

    TestHost& host() { return host_; }
    jf_instance* self() const { return instance_; }
    const jf_instance_v1& functions() const { return *functions_; }
    /// A table of the instance's, null when it has none of that id.
    template <typename Table>
    const Table* interface(std::string_view id) const {
        return static_cast<const Table*>(functions_->query(instance_, str(id)));
    }

    /// Starts an op with a function of one of its tables: begin(tools->call, &request). The op's id goes first, a jf_error last where the
    /// function takes one.
    template <typename... Parameters, typename... Arguments>
    TestOp& begin(jf_status (*function)(jf_instance*, jf_op, Parameters...), Arguments... arguments) {
        TestOp& op = host_.mint(*seat_);
        jf_error error = make<jf_error>();
        jf_status status;
        if constexpr (sizeof...(Parameters) == sizeof...(Arguments)) status = function(instance_, op.id(), arguments...);
        else status = function(instance_, op.id(), arguments..., &error);
        host_.answered(op, status, error);
        host_.run();
        return op;
    }
    /// Another function of an open op: on(op, tts->text, &text). What it answered, after everything that was due has run.
    template <typename... Parameters, typename... Arguments>
    jf_status on(const TestOp& op, jf_status (*function)(jf_instance*, jf_op, Parameters...), Arguments... arguments) {
        const jf_status status = function(instance_, op.id(), arguments...);
        host_.run();
        return status;
    }
    /// Runs it until it is in service; the status of that.
    jf_status start() { return begin(functions_->start).status(); }
    /// Tells the plugin that the host gives `op` up. It has 1000 ms of simulated time to complete.
    jf_status cancel(TestOp& op) {
        host_.cancelled(op);
        const jf_status status = functions_->cancel(instance_, op.id());
        host_.run();
        return status;
    }
    /// No new work; false when it did not complete within `budget` of simulated time.
    bool quiesce(std::chrono::milliseconds budget = std::chrono::milliseconds(1000)) {
        TestOp& op = begin(functions_->quiesce, static_cast<std::uint32_t>(budget.count()));
        if (op.open()) host_.advance(budget);
        return !op.open();
    }
    /// Cancels what is open, quiesces and destroys it. What is left then is a breach. Done by the destructor, where the test did not.
    void close() {
        if (!instance_) return;
        for (TestOp* op : host_.open_ops_of(*seat_)) cancel(*op);
        if (host_.any_open(*seat_)) host_.advance(std::chrono::milliseconds(1000));
        if (!quiesce()) host_.breach("quiesce did not complete within its budget");
        host_.close_used(*seat_);
        functions_->destroy(std::exchange(instance_, nullptr));
        host_.destroyed(*seat_);
    }

  private:
    static std::string json_of(const std::string& value) {
        const bool number = !value.empty() && value.find_first_not_of("0123456789.-") == std::string::npos;
        return number || value == "true" || value == "false" ? value : "\"" + value + "\"";
    }
    void check_module() const {
        if (!module_ || module_->struct_size < offsetof(jf_module_v1, create) + sizeof module_->create || !module_->create)
            throw std::runtime_error("the module's table has no create");
        if (module_->abi_major != JF_ABI_MAJOR) throw std::runtime_error("the module is of another ABI major");
    }

    TestHost& host_;
    TestHost::Seat* seat_;
    const jf_module_v1* module_;
    jf_instance* instance_ = nullptr;
    const jf_instance_v1* functions_ = nullptr;
};

}  // namespace jackfield::sdk
