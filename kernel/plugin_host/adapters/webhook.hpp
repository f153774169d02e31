#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

class WebhookPort : public Port<jf_webhook_v1> {
  public:
    WebhookPort() = default;
    explicit WebhookPort(Instance& instance) : Port(instance, JF_WEBHOOK_V1) {}

    /// Whom the request is for, on the calling thread. What the plugin answers is copied and checked: a key that is not part of the request is
    /// never read.
    base::Result<std::vector<std::string>> route(const jf_http_request& request) const;
    jf_status receive(jf_op op, const jf_http_request& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->receive, op, &request, error);
    }
};

/// What goes back to whoever asked over HTTP.
struct HttpAnswer {
    unsigned status = 500;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// 0, or the status that a request beyond the limits of webhook.h is refused with.
unsigned refusal_of(const jf_http_request& request);
/// A reply that can go out as it stands: status, header syntax and sizes.
bool is_sound_reply(const jf_http_reply& reply);
/// What an error of receive() or on_request() is in HTTP.
unsigned http_status_of_webhook(jf_status status);
unsigned http_status_of_request(jf_status status);

/// For OpTable::open of a receive().
std::unique_ptr<OutputCheck> check_webhook();
/// For OpTable::open of a service's on_request().
std::unique_ptr<OutputCheck> check_service_reply();

/// Ids of deliveries that have been seen; forgets the oldest. Any thread.
class ReplayCache {
  public:
    explicit ReplayCache(std::size_t capacity) : capacity_(capacity) {}
    /// True for the first who asks.
    bool claim(const std::string& id);
    /// The delivery failed: it may come again.
    void forget(const std::string& id);

  private:
    const std::size_t capacity_;
    std::mutex mutex_;
    std::unordered_set<std::string> seen_;
    std::deque<std::string> order_;
};

/// Brings requests to instances: limits, deadline, deferred replies, replays. The HTTP door itself belongs to `net`.
class WebhookReceiver {
  public:
    /// What a webhook tells besides its reply: JF_EV_MSG_*.
    using OnEvent = std::function<void(Instance&, const jf_event&)>;
    WebhookReceiver(PluginHost& host, OnEvent on_event, std::size_t remembered = 65536)
        : host_(host), on_event_(std::move(on_event)), seen_(remembered) {}

    /// On `shard`; `done` runs there, once. The request is borrowed until this returns.
    void receive(std::shared_ptr<Instance> instance, runtime::Shard& shard, const jf_http_request& request,
                 std::function<void(HttpAnswer)> done);

  private:
    class Delivery;
    PluginHost& host_;
    OnEvent on_event_;
    ReplayCache seen_;
};

}  // namespace jackfield::plugin_host
