#include "plugin_host/adapters/webhook.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/json.hpp"
#include "plugin_host/adapters/messaging.hpp"
#include "plugin_host/plugin_host.hpp"

namespace jackfield::plugin_host {
namespace {

// webhook.h publishes these.
constexpr std::uint64_t largest_body = 1u << 20;
constexpr std::uint32_t most_request_headers = 64;
constexpr std::uint64_t most_request_header_bytes = 16 * 1024;
constexpr std::uint32_t most_reply_headers = 32;
constexpr std::uint64_t most_reply_header_bytes = 8 * 1024;
constexpr std::uint64_t longest_defer_ms = 60'000;
constexpr std::uint64_t longest_id = 256;
constexpr base::Milliseconds patience{10'000};

bool is_token(std::string_view name) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~"; // RFC 9110 5.6.2
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
    });
}

bool is_field_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

bool is_hosts_own(std::string_view name) {
    constexpr std::array<std::string_view, 4> own{"connection", "content-length", "transfer-encoding", "upgrade"};
    return std::any_of(own.begin(), own.end(), [&](std::string_view word) {
        return word.size() == name.size() && std::equal(word.begin(), word.end(), name.begin(), [](char a, char b) {
            return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
        });
    });
}

bool has_reply(const jf_event* last) {
    const auto* reply = last && last->type == JF_EV_HTTP_REPLY ? sdk::data_of<jf_http_reply>(*last) : nullptr;
    return reply && is_sound_reply(*reply);
}

class WebhookCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event& event) override {
        if (event.type == JF_EV_HTTP_DEFER) {
            if (std::exchange(deferred_, true) || event.pos == 0 || event.pos > longest_defer_ms) return Verdict::fail;
            return Verdict::pass;
        }
        if (event.type == JF_EV_HTTP_ONCE) {
            const auto* id = sdk::data_of<jf_str>(event);
            if (std::exchange(named_, true) || told_ || !id || id->len == 0 || id->len > longest_id) return Verdict::fail;
            return Verdict::pass;
        }
        told_ = true;
        return is_sound_message_event(event) ? Verdict::pass : Verdict::drop;
    }
    bool complete(const jf_event* last) override { return has_reply(last); }

  private:
    bool deferred_ = false;
    bool named_ = false;
    bool told_ = false;
};

class ServiceReplyCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event&) override { return Verdict::drop; }
    bool complete(const jf_event* last) override {
        if (!has_reply(last)) return false;
        const std::string_view body = sdk::view(sdk::data_of<jf_http_reply>(*last)->body);
        return body.empty() || base::JsonDocument::parse(body);
    }
};

/// The memory that a request lies in. Keys are compared with it as numbers, before anything is read through them.
class Extent {
  public:
    explicit Extent(const jf_http_request& request) {
        for (const jf_str& part : {request.method, request.url, request.path, request.query, request.remote}) add(part.ptr, part.len);
        add(request.body.ptr, request.body.len);
        for (std::uint32_t i = 0; i < request.headers.n; ++i) {
            const auto* header = JF_AT(jf_pair, request.headers, i);
            add(header->key.ptr, header->key.len);
            add(header->value.ptr, header->value.len);
        }
    }
    bool holds(jf_str key) const {
        const auto from = reinterpret_cast<std::uintptr_t>(key.ptr);
        return std::any_of(parts_.begin(), parts_.end(), [&](const auto& part) {
            return from >= part.first && key.len <= part.second && from - part.first <= part.second - key.len;
        });
    }

  private:
    void add(const void* at, std::uint64_t n) {
        if (n) parts_.emplace_back(reinterpret_cast<std::uintptr_t>(at), n);
    }
    std::vector<std::pair<std::uintptr_t, std::uint64_t>> parts_;
};

HttpAnswer answer_of(const jf_http_reply& reply) {
    HttpAnswer out;
    out.status = reply.status;
    for (std::uint32_t i = 0; i < reply.headers.n; ++i) {
        const auto* header = JF_AT(jf_pair, reply.headers, i);
        out.headers.emplace_back(sdk::view(header->key), sdk::view(header->value));
    }
    out.body = sdk::view(reply.body);
    return out;
}

}  // namespace

unsigned refusal_of(const jf_http_request& request) {
    if (request.body.len > largest_body) return 413;
    std::uint64_t bytes = request.url.len;
    for (std::uint32_t i = 0; i < request.headers.n; ++i) {
        const auto* header = JF_AT(jf_pair, request.headers, i);
        bytes += header->key.len + header->value.len;
    }
    return request.headers.n > most_request_headers || bytes > most_request_header_bytes ? 431 : 0;
}

bool is_sound_reply(const jf_http_reply& reply) {
    if (reply.status < 200 || reply.status > 599 || reply.headers.n > most_reply_headers || reply.body.len > largest_body) return false;
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < reply.headers.n; ++i) {
        const auto* header = JF_AT(jf_pair, reply.headers, i);
        const std::string_view name = sdk::view(header->key), value = sdk::view(header->value);
        bytes += name.size() + value.size();
        if (bytes > most_reply_header_bytes || !is_token(name) || !is_field_value(value) || is_hosts_own(name)) return false;
    }
    return true;
}

unsigned http_status_of_webhook(jf_status status) {
    switch (status) {
        case JF_E_INVALID: return 400;
        case JF_E_AUTH: return 401;
        case JF_E_NOT_FOUND: return 404;
        case JF_E_AGAIN:
        case JF_E_STATE:
        case JF_E_QUOTA:
        case JF_E_RATE: return 503;
        case JF_E_TIMEOUT: return 504;
        default: return 500;
    }
}

unsigned http_status_of_request(jf_status status) {
    switch (status) {
        case JF_E_AUTH: return 403;
        case JF_E_CONFLICT: return 409;
        case JF_E_RATE:
        case JF_E_QUOTA: return 429;
        default: return http_status_of_webhook(status);
    }
}

std::unique_ptr<OutputCheck> check_webhook() { return std::make_unique<WebhookCheck>(); }
std::unique_ptr<OutputCheck> check_service_reply() { return std::make_unique<ServiceReplyCheck>(); }

base::Result<std::vector<std::string>> WebhookPort::route(const jf_http_request& request) const {
    if (!table_ || !table_->route) return base::Error(base::ErrorCode::unsupported, instance_->name() + " takes no webhooks");
    std::array<jf_str, JF_ROUTE_KEYS> keys{};
    std::uint32_t n = 0;
    const jf_status status = instance_->scan([&] { return table_->route(&request, keys.data(), JF_ROUTE_KEYS, &n); });
    if (status != JF_OK) return error_from(status, nullptr).with_context("route");
    const Extent extent(request);
    std::vector<std::string> out;
    bool sound = n > 0 && n <= JF_ROUTE_KEYS;
    for (std::uint32_t i = 0; sound && i < n; ++i) {
        sound = keys[i].len > 0 && keys[i].len <= JF_ROUTE_KEY_BYTES && extent.holds(keys[i]) && base::is_valid_utf8(sdk::view(keys[i]));
        if (sound) out.emplace_back(sdk::view(keys[i]));
    }
    if (sound) return out;
    instance_->host().ops().counters().bad_answers.fetch_add(1, std::memory_order_relaxed);
    instance_->mark("bad_answer");
    return base::Error(base::ErrorCode::internal, instance_->name() + ": route() answered keys that are no part of the request");
}

bool ReplayCache::claim(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (!seen_.insert(id).second) return false;
    order_.push_back(id);
    while (order_.size() > capacity_) {
        seen_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

void ReplayCache::forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (seen_.erase(id) == 0) return;
    if (const auto at = std::find(order_.rbegin(), order_.rend(), id); at != order_.rend()) order_.erase(std::next(at).base());
}

/// One request under way. Deletes itself with the completion.
class WebhookReceiver::Delivery final : public OpSink {
  public:
    Delivery(WebhookReceiver& owner, std::shared_ptr<Instance> instance, runtime::Shard& shard, std::function<void(HttpAnswer)> done)
        : owner_(owner), instance_(std::move(instance)), shard_(shard), done_(std::move(done)) {}

    void wait(base::Milliseconds time, jf_op op) {
        if (timer_) shard_.cancel_timer(timer_);
        timer_ = shard_.start_timer(shard_.now() + time, [this, op] {
            timer_ = 0;
            owner_.host_.ops().expire(op);
        });
    }

    void on_event(jf_op op, const jf_event& event) override {
        if (event.type == JF_EV_HTTP_DEFER) return wait(base::Milliseconds(event.pos), op);
        if (event.type == JF_EV_HTTP_ONCE) {
            // Ids are the sender's: two instances have two senders.
            id_ = instance_->tenant() + '\n' + instance_->name() + '\n' + std::string(sdk::view(*sdk::data_of<jf_str>(event)));
            repeated_ = !owner_.seen_.claim(id_);
            return;
        }
        if (!repeated_ && owner_.on_event_) owner_.on_event_(*instance_, event);
    }
    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error*) override {
        const std::unique_ptr<Delivery> self(this);
        if (timer_) shard_.cancel_timer(timer_);
        if (status != JF_OK && !id_.empty() && !repeated_) owner_.seen_.forget(id_);
        HttpAnswer answer;
        if (status == JF_OK) answer = answer_of(*sdk::data_of<jf_http_reply>(*last));
        else answer.status = http_status_of_webhook(status);
        done_(std::move(answer));
    }

  private:
    WebhookReceiver& owner_;
    std::shared_ptr<Instance> instance_;
    runtime::Shard& shard_;
    std::function<void(HttpAnswer)> done_;
    runtime::TimerId timer_ = 0;
    std::string id_;
    bool repeated_ = false;
};

void WebhookReceiver::receive(std::shared_ptr<Instance> instance, runtime::Shard& shard, const jf_http_request& request,
                              std::function<void(HttpAnswer)> done) {
    HttpAnswer refused;
    const WebhookPort port(*instance);
    refused.status = port ? refusal_of(request) : 404;
    if (refused.status != 0) return done(std::move(refused));
    auto* delivery = new Delivery(*this, instance, shard, std::move(done));
    const jf_op op = host_.ops().open(shard, delivery, instance.get(), check_webhook());
    if (op == JF_NO_OP) return delivery->on_done(op, JF_E_QUOTA, nullptr, nullptr);
    delivery->wait(patience, op);
    jf_error error = sdk::make<jf_error>();
    const jf_status status = port.receive(op, request, &error);
    if (status != JF_OK) host_.ops().complete(*instance, op, status, nullptr, &error);
}

}  // namespace jackfield::plugin_host
