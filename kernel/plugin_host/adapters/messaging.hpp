#pragma once

#include <memory>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

class MessagingPort : public Port<jf_messaging_v1> {
  public:
    MessagingPort() = default;
    explicit MessagingPort(Instance& instance) : Port(instance, JF_MESSAGING_V1) {}

    jf_status send(jf_op op, const jf_outbound_message& message, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->send, op, &message, error);
    }
    /// UNSUPPORTED: this provider is called by webhook.
    jf_status poll(jf_op op, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->poll, op, error);
    }
    jf_status accept(jf_op op, jf_str id) const {
        return instance_->invoke(ThreadClass::stream, false, table_->accept, op, id);
    }
    bool can_poll() const { return table_ && table_->poll && table_->accept; }
};

/// What is wrong with a message, for its maker; null when it may be sent.
const char* fault_of(const jf_outbound_message& message);
/// For OpTable::open of a send: one receipt that names the message, then the completion.
std::unique_ptr<OutputCheck> check_sending();
/// For OpTable::open of a poll, and for what webhooks emit: messages and receipts that name themselves.
std::unique_ptr<OutputCheck> check_polling();
/// True for an inbound message or a receipt that can be taken: its id is there and no longer than messaging.h allows.
bool is_sound_message_event(const jf_event& event);

}  // namespace jackfield::plugin_host
