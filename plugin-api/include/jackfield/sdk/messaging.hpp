#pragma once

// The table of jf.messaging/1 made from a class with
//   void send(jf_op op, const jf_outbound_message& message);   accept it (emit SENT and complete, now or later), or throw Failure
//   void poll(jf_op op);                                       likewise: emit until the op is cancelled
//   jf_status accept(jf_op op, std::string_view id);

#include <jackfield/messaging.h>
#include <jackfield/sdk/plugin.hpp>

#include <string_view>

namespace jackfield::sdk {

template <typename T>
const jf_messaging_v1* messaging_table() {
    static const jf_messaging_v1 table = [] {
        jf_messaging_v1 t = make<jf_messaging_v1>();
        t.send = [](jf_instance* self, jf_op op, const jf_outbound_message* message, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(message, jf_outbound_message, text)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->send(op, known(message));
                return JF_OK;
            });
        };
        t.poll = [](jf_instance* self, jf_op op, jf_error* error) { return guarded(error, [&] { reinterpret_cast<T*>(self)->poll(op); }); };
        t.accept = [](jf_instance* self, jf_op op, jf_str id) {
            return guarded(nullptr, [&] { return reinterpret_cast<T*>(self)->accept(op, view(id)); });
        };
        return t;
    }();
    return &table;
}

/// SENT for the message, then the completion.
inline void sent(const Host& host, jf_op op, std::string_view id, std::string_view recipient) {
    jf_message_receipt receipt = make<jf_message_receipt>();
    receipt.id = str(id);
    receipt.recipient = str(recipient);
    if (const jf_status status = host.emit(op, JF_EV_MSG_SENT, receipt); status == JF_E_AGAIN) {
        // The message is out and nobody can be told which one it is.
        host.fail(op, Failure(JF_E_PEER_LOST, "the message was sent, and the host's queue was too full to hear of it"));
        return;
    }
    host.complete(op);
}

}  // namespace jackfield::sdk
