#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "call/call.hpp"
#include "tenant/directory.hpp"

namespace jackfield::app {

/// Brings events and ticks to services, on the shard that is theirs. An event that a service refuses is delivered again, with back-off,
/// until its attempts run out; what must survive a restart the service writes down first and finishes on its tick.
class ServiceRunner {
  public:
    ServiceRunner(plugin_host::PluginHost& plugins, const tenant::Directory& directory, runtime::Shard& shard, observe::Logger log);

    void start();
    void stop();
    /// Any thread.
    void publish(const call::CallEvent& event);

  private:
    struct Delivery;
    class TickSink;
    void deliver(std::shared_ptr<Delivery> delivery);
    void arm_tick(const tenant::Service& service);
    void tick(const tenant::Service& service);

    plugin_host::PluginHost& plugins_;
    const tenant::Directory& directory_;
    runtime::Shard& shard_;
    observe::Logger log_;
    /// Timers and deliveries that come back after stop() see it.
    std::shared_ptr<bool> running_ = std::make_shared<bool>(false);
};

}  // namespace jackfield::app
