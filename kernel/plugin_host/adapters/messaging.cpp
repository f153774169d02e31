#include "plugin_host/adapters/messaging.hpp"

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::plugin_host {
namespace {

// messaging.h publishes these.
constexpr std::uint64_t longest_id = 256;
constexpr std::uint64_t most_attached = 8u << 20;

bool is_id(jf_str id) { return id.len != 0 && id.len <= longest_id; }

std::uint64_t attached(jf_array attachments) {
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < attachments.n; ++i) {
        const auto* attachment = JF_AT(jf_attachment, attachments, i);
        if (JF_HAS(attachment, jf_attachment, data)) bytes += attachment->data.len;
    }
    return bytes;
}

class SendCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event& event) override {
        if (event.type != JF_EV_MSG_SENT || !is_sound_message_event(event)) return Verdict::drop;
        if (sent_) return Verdict::fail;
        sent_ = true;
        return Verdict::pass;
    }
    bool complete(const jf_event*) override { return sent_; }

  private:
    bool sent_ = false;
};

class PollCheck final : public OutputCheck {
  public:
    Verdict look(const jf_event& event) override { return is_sound_message_event(event) ? Verdict::pass : Verdict::drop; }
    bool complete(const jf_event*) override { return true; }
};

}  // namespace

bool is_sound_message_event(const jf_event& event) {
    if (event.type == JF_EV_MSG_INBOUND) {
        const auto* message = sdk::data_of<jf_inbound_message>(event);
        return message && is_id(message->id) && attached(message->attachments) <= most_attached;
    }
    if (event.type < JF_EV_MSG_SENT || event.type > JF_EV_MSG_FAILED) return false;
    const auto* receipt = sdk::data_of<jf_message_receipt>(event);
    return receipt && is_id(receipt->id);
}

const char* fault_of(const jf_outbound_message& message) {
    if (message.channel.len == 0) return "a message needs a channel";
    if (message.to.len == 0) return "a message needs somebody that it goes to";
    if (message.text.len == 0 && message.attachments.n == 0 && message.template_name.len == 0) return "there is nothing in the message";
    if (attached(message.attachments) > most_attached) return "attachments have at most 8 MiB together";
    return nullptr;
}

std::unique_ptr<OutputCheck> check_sending() { return std::make_unique<SendCheck>(); }
std::unique_ptr<OutputCheck> check_polling() { return std::make_unique<PollCheck>(); }

}  // namespace jackfield::plugin_host
