#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"
#include "plugin_host/adapters/webhook.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::WebhookPort;

/// A request that nobody has signed: the kit has no secret of the sender's, so what it can try is what a stranger can. `data` is everything in
/// one piece, with nothing readable behind it that a pattern could run into.
struct Stranger {
    std::string url = "https://voice.example/hooks/verify/in?agent=reception";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {{"content-type", "application/json"}, {"x-signature", "deadbeef"}, {"authorization", "Bearer nobody"}};
    std::vector<jf_pair> pairs;

    jf_http_request request() {
        pairs.clear();
        for (const auto& [key, value] : headers) pairs.push_back({str(key), str(value)});
        jf_http_request out = make<jf_http_request>();
        out.method = str("POST");
        out.url = str(url);
        out.path = str("/in");
        out.query = str("agent=reception");
        out.headers = sdk::array(pairs);
        out.body = sdk::bytes(body);
        out.remote = str("192.0.2.1");
        return out;
    }
};

std::vector<Stranger> strangers() {
    std::vector<Stranger> out;
    for (const std::string& body : {std::string(), std::string("{}"), std::string(R"({"to":"+15550100","id":"m1","text":"hello"})"), std::string("From=%2B1&To=%2B2&Body=%zz"),
                                    std::string("\xff\xfe\0\x01", 4), std::string(200'000, '['), std::string(1 << 20, 'a')})
        out.push_back({.body = body, .pairs = {}});
    Stranger many{.body = "{}", .pairs = {}};
    many.headers.assign(64, {"x-signature", "t=0,v1=00"});
    out.push_back(many);
    Stranger bare{.body = "{}", .pairs = {}};
    bare.headers.clear();
    out.push_back(bare);
    return out;
}

void routes_as_a_pure_function(Bench& bench) {
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    require(port.table()->route && port.table()->receive, "route or receive is null");
    for (Stranger& stranger : strangers()) {
        const jf_http_request request = stranger.request();
        const auto first = port.route(request), again = port.route(request);
        require(first.has_value() == again.has_value() && (!first || *first == *again), "route answered two things to one request");
        if (first) continue;
        const auto code = first.error().code();
        require(code == base::ErrorCode::not_found || code == base::ErrorCode::invalid, "route: " + first.error().text() + "; wanted: keys, NOT_FOUND or INVALID");
    }
}

void route_keeps_to_its_capacity(Bench& bench) {
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    for (Stranger& stranger : strangers()) {
        const jf_http_request request = stranger.request();
        jf_str keys[2] = {{"untouched", 9}, {"untouched", 9}};
        std::uint32_t n = 0;
        const jf_status status = port.table()->route(&request, keys, 1, &n);
        require(status != JF_OK || n <= 1, fmt::format("route was given room for 1 key and answered {}", n));
        require(view(keys[1]) == "untouched", "route wrote beyond the keys that it was given room for");
    }
}

void refuses_strangers(Bench& bench) {
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    for (Stranger& stranger : strangers()) {
        OpRecord& record = bench.open(*instance);
        const jf_http_request request = stranger.request();
        jf_error error = make<jf_error>();
        const jf_status taken = bench.begin(record, *instance, "receive", [&] { return port.receive(record.op, request, &error); });
        if (taken == JF_OK) bench.expect_done(record, "an unsigned request", milliseconds(12'000));
        const jf_status status = taken == JF_OK ? record.status : taken;
        int told = 0;
        for (const Heard& heard : record.events) told += heard.type() != JF_EV_HTTP_ONCE && heard.type() != JF_EV_HTTP_DEFER;
        require(told == 0, "a request that nobody signed made it tell something");
        if (status != JF_OK) {
            require_status("an unsigned request", status, {JF_E_AUTH, JF_E_INVALID, JF_E_NOT_FOUND, JF_E_UNSUPPORTED});
            continue;
        }
        const auto* reply = record.last && record.last->type() == JF_EV_HTTP_REPLY ? record.last->as<jf_http_reply>() : nullptr;
        require(reply != nullptr, "it completed with OK and no HTTP_REPLY");
        require(plugin_host::is_sound_reply(*reply), fmt::format("its reply with status {} cannot go out: look at the status, the headers, the sizes", reply->status));
        require(reply->status >= 400, fmt::format("it answered {} to a request that nobody signed", reply->status));
    }
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    Stranger stranger{.body = "{}", .pairs = {}};
    const jf_http_request request = stranger.request();
    OpRecord& record = bench.open(*instance);
    jf_error error = make<jf_error>();
    if (bench.begin(record, *instance, "receive", [&] { return port.receive(record.op, request, &error); }) != JF_OK) not_applicable("it refuses an unsigned request at once");
    bench.cancel(record);
    bench.expect_done(record, "the cancelled request", milliseconds(1500));
    require(bench.spy().completions_of(record.op) == 1, "the plugin did not complete the cancelled request itself");
}

/// What "verify.webhook" of plugin.json says that the sender would send: {"headers": {...}, "body": "...", "key": "..."}. Signatures that cover the
/// time can't stand in a file.
void takes_its_own(Bench& bench) {
    const base::JsonView given = bench.target().verify("webhook");
    if (given.absent()) not_applicable("plugin.json has no request that it would believe: \"verify\": {\"webhook\": {\"headers\": ..., \"body\": ...}}");
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    Stranger own{.body = given["body"].text_or(""), .headers = {}, .pairs = {}};
    for (const auto& [name, value] : given["headers"].members()) own.headers.emplace_back(name, value.text_or(""));
    const jf_http_request request = own.request();
    if (const std::string key = given["key"].text_or(""); !key.empty()) {
        const auto keys = port.route(request);
        require(keys && std::find(keys->begin(), keys->end(), key) != keys->end(), "route did not answer \"" + key + "\" to the request of plugin.json");
    }
    OpRecord& record = bench.open(*instance);
    jf_error error = make<jf_error>();
    if (const jf_status status = bench.begin(record, *instance, "receive", [&] { return port.receive(record.op, request, &error); }); status != JF_OK)
        fail("receive answered " + status_name(status) + " to the request of plugin.json: " + said(error));
    bench.expect_done(record, "the request of plugin.json", milliseconds(12'000));
    if (record.status != JF_OK) fail("the request of plugin.json completed with " + status_name(record.status) + ": " + record.error);
    const auto* reply = record.last && record.last->type() == JF_EV_HTTP_REPLY ? record.last->as<jf_http_reply>() : nullptr;
    require(reply != nullptr && reply->status < 300, fmt::format("it answered {} to the request of plugin.json", reply ? reply->status : 0));
    require(record.count(JF_EV_HTTP_ONCE) == 1, fmt::format("{} HTTP_ONCE events; wanted: 1, or a delivery that is repeated does everything twice", record.count(JF_EV_HTTP_ONCE)));
}

void mid_op(Bench& bench) {
    auto instance = bench.start();
    const WebhookPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.webhook/1");
    Stranger stranger{.body = "{}", .pairs = {}};
    const jf_http_request request = stranger.request();
    OpRecord& record = bench.open(*instance);
    jf_error error = make<jf_error>();
    bench.begin(record, *instance, "receive", [&] { return port.receive(record.op, request, &error); });
}

constexpr Check checks[] = {
    {"webhook.routes", "route answers one request alike, with parts of it, and to nonsense with NOT_FOUND or INVALID", "Look at the bytes only; answer keys that lie in the request.", routes_as_a_pure_function, 60},
    {"webhook.route_keeps_to_its_capacity", "route writes no more keys than it has room for", "Stop at cap.", route_keeps_to_its_capacity, 60},
    {"webhook.refuses_strangers", "A request that nobody signed is refused and tells nothing", "Verify the signature before anything is parsed; answer AUTH.", refuses_strangers, 60},
    {"webhook.takes_its_own", "The request that plugin.json holds is routed, believed, named once and answered", "Emit HTTP_ONCE with the sender's id before anything else, then complete with HTTP_REPLY.", takes_its_own},
    {"webhook.cancels", "cancel completes a request within the second, and only once", "Complete from cancel().", cancels},
};

}  // namespace

std::span<const Check> webhook_checks() { return checks; }
void webhook_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
