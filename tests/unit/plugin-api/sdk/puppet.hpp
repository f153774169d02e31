#pragma once

// A plugin that does what a test tells it, for tests of the test host: each test hands it the body of its functions.

#include <jackfield/sdk/test_host.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace jackfield::sdk {

struct Puppet {
    Host host;
    std::function<jf_status(jf_op)> list = [](jf_op) { return JF_OK; };
    std::function<jf_status(jf_op)> cancelled;
    std::function<void(jf_op, std::uint32_t)> quiesced;

    static Puppet*& last() {
        static Puppet* made = nullptr;
        return made;
    }
    static std::unique_ptr<Puppet> create(Host host, const Config& config) {
        if (config.flag("refuse")) throw Failure(JF_E_AUTH, "not with this key");
        auto made = std::make_unique<Puppet>();
        made->host = host;
        last() = made.get();
        return made;
    }
    void start(jf_op op) const { host.complete(op); }
    void quiesce(jf_op op, std::uint32_t budget_ms) const {
        if (quiesced) quiesced(op, budget_ms);
        else host.complete(op);
    }
    jf_status cancel(jf_op op) const { return cancelled ? cancelled(op) : host.complete(op, JF_E_CANCELLED); }
    static const void* query(std::string_view id) {
        static const jf_tools_v1 table = [] {
            jf_tools_v1 t = make<jf_tools_v1>();
            t.list = [](jf_instance* self, jf_op op, jf_error* error) {
                return guarded(error, [&] { return reinterpret_cast<Puppet*>(self)->list(op); });
            };
            return t;
        }();
        return id == JF_TOOLS_V1 ? &table : nullptr;
    }
};

/// Counts what an op that the plugin opened is called back with.
struct Counter final : OpUser {
    void on_event(jf_op, const jf_event& event) override {
        ++events;
        if (seen) seen(event);
    }
    void on_done(jf_op, jf_status result, const jf_event*, const jf_error*) override {
        ++done;
        status = result;
        if (finished) finished();
    }
    int events = 0;
    int done = 0;
    jf_status status = 1;
    std::function<void(const jf_event&)> seen;
    std::function<void()> finished;
};

/// A host with a puppet in service.
struct Stage {
    explicit Stage(const TestInstance::Options& options = {}) : instance(host, module_table<Puppet>(), options), puppet(*Puppet::last()) {
        instance.start();
    }
    TestOp& begin() { return instance.begin(instance.interface<jf_tools_v1>(JF_TOOLS_V1)->list); }

    TestHost host;
    TestInstance instance;
    Puppet& puppet;
};

}  // namespace jackfield::sdk
