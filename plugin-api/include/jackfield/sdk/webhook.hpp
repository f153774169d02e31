#pragma once

// The table of jf.webhook/1 made from a class with
//   static std::optional<std::string_view> route(const jf_http_request& request);   whom it is for: a part of the request; pure
//   void receive(jf_op op, const jf_http_request& request);                           verify, emit, complete now or later, or throw Failure
// and what every one of them needs: headers by name, a comparison that does not tell how much of a secret was right, replies.

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/webhook.h>

#include <optional>
#include <string_view>

namespace jackfield::sdk {

template <typename T>
const jf_webhook_v1* webhook_table() {
    static const jf_webhook_v1 table = [] {
        jf_webhook_v1 t = make<jf_webhook_v1>();
        t.route = [](const jf_http_request* request, jf_str* keys, std::uint32_t cap, std::uint32_t* n) {
            return guarded(nullptr, [&]() -> jf_status {
                *n = 0;
                if (!JF_HAS(request, jf_http_request, body)) return JF_E_INVALID;
                const std::optional<std::string_view> key = T::route(known(request));
                if (!key || key->empty() || cap == 0) return JF_E_NOT_FOUND;
                keys[0] = str(*key);
                *n = 1;
                return JF_OK;
            });
        };
        t.receive = [](jf_instance* self, jf_op op, const jf_http_request* request, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(request, jf_http_request, body)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->receive(op, known(request));
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

/// Empty when there is none. `name` in lower case.
inline std::string_view header(const jf_http_request& request, std::string_view name) {
    for (std::uint32_t i = 0; i < request.headers.n; ++i) {
        const auto* pair = JF_AT(jf_pair, request.headers, i);
        if (view(pair->key) == name) return view(pair->value);
    }
    return {};
}

/// In time that depends on the lengths only. An empty secret equals nothing.
inline bool equal_secrets(std::string_view given, std::string_view secret) {
    unsigned difference = given.size() != secret.size() || secret.empty() ? 1 : 0;
    for (std::size_t i = 0; i < given.size(); ++i)
        difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret.empty() ? 0 : secret[i % secret.size()]);
    return difference == 0;
}

inline void http_reply(const Host& host, jf_op op, std::uint32_t status, std::string_view body = {}, std::string_view media_type = "text/plain") {
    const jf_pair type{str("content-type"), str(media_type)};
    jf_http_reply reply = make<jf_http_reply>();
    reply.status = status;
    if (!body.empty()) reply.headers = array(&type, 1);
    reply.body = bytes(body);
    host.complete_with(op, JF_OK, JF_EV_HTTP_REPLY, reply);
}

}  // namespace jackfield::sdk
