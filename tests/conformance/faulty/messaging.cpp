#include <jackfield/sdk/messaging.hpp>
#include <jackfield/sdk/webhook.hpp>

#include "faulty.hpp"
#include "plugins/messaging/example/plugin.cpp"

#include <atomic>

namespace {

using faulty::is;
const jf_messaging_v1* right = nullptr;
const jf_webhook_v1* right_webhook = nullptr;

/// A worker that was handed the message's own memory comes to it later.
jf_status send_what_was_lent(jf_instance* self, jf_op op, const jf_outbound_message* message) {
    static jf_instance* lender = nullptr;
    static jf_outbound_message kept{};
    static jf_op lent_op = JF_NO_OP;
    static const jf_sink sink = {sizeof sink, 0, nullptr, [](void*, jf_op, const jf_event*, std::uint32_t, std::uint32_t) {},
                                 [](void*, jf_op, jf_status, const jf_event*, const jf_error*) { right->send(lender, lent_op, &kept, nullptr); }};
    const auto* timer = static_cast<const jf_host_timer_v1*>(faulty::real.query(faulty::ctx_of_last, jackfield::sdk::str(JF_FACILITY_TIMER)));
    lender = self;
    kept = *message;
    lent_op = op;
    jf_op later = JF_NO_OP;
    if (faulty::real.op_open(faulty::ctx_of_last, op, &sink, &later) != JF_OK) return JF_E_INTERNAL;
    return timer->start(faulty::ctx_of_last, later, 1'000'000);
}

jf_status send(jf_instance* self, jf_op op, const jf_outbound_message* message, jf_error* error) {
    if (is("cancel_ignored")) return JF_OK;
    if (is("keeps_what_is_lent")) return send_what_was_lent(self, op, message);
    if (is("reads_beyond") && message->idempotency_key.len) {
        const volatile char first = message->idempotency_key.ptr[0];
        (void)first;
    }
    jf_outbound_message changed = *message;
    if (is("takes_any_channel")) changed.channel = jackfield::sdk::str("file");
    if (is("writes_to_nobody") && changed.to.len == 0) changed.to = jackfield::sdk::str("nobody");
    if (is("takes_templates")) changed.template_name = {};
    if (is("crashes_on_odd_text") && jackfield::sdk::view(message->text).find('\xff') != std::string_view::npos) __builtin_trap();
    return right->send(self, op, &changed, error);
}

jf_status poll(jf_instance* self, jf_op op, jf_error* error) {
    if (is("polls_once")) return faulty::real.complete(faulty::ctx_of_last, op, JF_OK, nullptr, nullptr);
    const jf_status status = right->poll(self, op, error);
    return status == JF_E_STATE && is("polls_twice") ? JF_OK : status;
}

jf_status accept(jf_instance* self, jf_op op, jf_str id) { return is("accepts_anything") ? JF_OK : right->accept(self, op, id); }

jf_status emit_receipt(jf_host_ctx* ctx, jf_op op, const jf_event& event) {
    static std::atomic<int> count{0};
    static std::atomic<jf_op> first{JF_NO_OP};
    if (is("forgets_sent")) return JF_OK;
    if (is("sends_twice")) faulty::real.emit(ctx, op, &event, 1);
    jf_op none = JF_NO_OP;
    // Messages that are told apart by nothing but who came first.
    if (is("mixes_messages") && !first.compare_exchange_strong(none, op)) op = first;
    jf_message_receipt receipt = *static_cast<const jf_message_receipt*>(event.data);
    const std::string another = "m" + std::to_string(++count);
    if (is("has_one_id")) receipt.id = jackfield::sdk::str("m");
    if (is("sends_one_key_again")) receipt.id = jackfield::sdk::str(another);
    const jf_event wrong = jackfield::sdk::Host::event_of(event.type, &receipt, sizeof receipt, 0, 0);
    return faulty::real.emit(ctx, op, &wrong, 1);
}

jf_status emit(jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) {
    if (events->type == JF_EV_HTTP_ONCE && is("names_no_delivery")) return JF_OK;
    return events->type == JF_EV_MSG_SENT ? emit_receipt(ctx, op, *events) : faulty::real.emit(ctx, op, events, n);
}

jf_status route(const jf_http_request* request, jf_str* keys, std::uint32_t cap, std::uint32_t* n) {
    static int times = 0;
    if (is("routes_by_chance") && ++times % 2) {
        keys[0] = request->path;
        *n = 1;
        return JF_OK;
    }
    if (is("routes_to_inventions")) {
        keys[0] = jackfield::sdk::str("reception");
        *n = 1;
        return JF_OK;
    }
    if (is("routes_without_end")) {
        keys[0] = keys[1] = request->path;
        *n = 2;
        return JF_OK;
    }
    if (is("crashes_on_odd_bodies") && request->body.len > 100'000) __builtin_trap();
    return right_webhook->route(request, keys, cap, n);
}

jf_status receive(jf_instance* self, jf_op op, const jf_http_request* request, jf_error* error) {
    const jackfield::sdk::Host host(&faulty::real);
    if (is("cancel_ignored")) return JF_OK;
    if (is("believes_nobody")) return JF_E_AUTH;
    if (is("believes_anyone")) {
        jackfield::sdk::http_reply(host, op, 204);
        return JF_OK;
    }
    if (is("answers_nonsense")) {
        jackfield::sdk::http_reply(host, op, 99);
        return JF_OK;
    }
    if (is("tells_before_it_verifies")) {
        jf_inbound_message message = jackfield::sdk::make<jf_inbound_message>();
        message.id = jackfield::sdk::str("forged");
        message.text = jackfield::sdk::str("transfer everything");
        host.emit(op, JF_EV_MSG_INBOUND, message);
        jackfield::sdk::http_reply(host, op, 401);
        return JF_OK;
    }
    return right_webhook->receive(self, op, request, error);
}

const bool set = [] {
    faulty::host_faults = {emit, nullptr};
    faulty::query_fault = [](const void* table, std::string_view id) -> const void* {
        if (id == JF_WEBHOOK_V1) {
            static jf_webhook_v1 wrong = *static_cast<const jf_webhook_v1*>(table);
            right_webhook = static_cast<const jf_webhook_v1*>(table);
            wrong.route = route;
            wrong.receive = receive;
            return &wrong;
        }
        static jf_messaging_v1 wrong = *static_cast<const jf_messaging_v1*>(table);
        right = static_cast<const jf_messaging_v1*>(table);
        wrong.send = send;
        wrong.poll = poll;
        wrong.accept = is("has_no_accept") ? nullptr : accept;
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
