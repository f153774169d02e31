#include "transfer.hpp"

#include "text.hpp"

namespace jackfield::sip {
namespace {

// A target may ring for three minutes (timer C); who hasn't told by then how it went won't.
constexpr std::uint64_t patience_ms = 200'000;

const char* phrase(unsigned status) {
    switch (status) {
        case 100:
            return "Trying";
        case 180:
            return "Ringing";
        case 200:
            return "OK";
        case 486:
            return "Busy Here";
        case 603:
            return "Decline";
        default:
            return status < 200 ? "Session Progress" : status < 300 ? "OK" : "Failed";
    }
}

}  // namespace

std::optional<std::string> parse_refer_to(std::string_view value) {
    struct sip_addr address;
    const struct pl text = pl_of(value);
    if (sip_addr_decode(&address, &text)) return std::nullopt;
    const std::string uri(view(address.auri));
    if (!is_token(uri) || uri.find_first_of("<>\"\\") != std::string::npos) return std::nullopt;
    if (pl_strcasecmp(&address.uri.scheme, "tel") == 0) {
        const std::string number(view(address.uri.host));
        return is_number(number) ? std::optional(number) : std::nullopt;
    }
    if (!uri.starts_with("sip:") && !uri.starts_with("sips:")) return std::nullopt;
    struct pl method;
    if (msg_param_decode(&address.uri.params, "method", &method) == 0 &&
        pl_strcasecmp(&method, "INVITE") != 0)
        return std::nullopt;
    return uri;
}

std::unique_ptr<Transfer> Transfer::ask(const Sender& sender,
                                        struct sip_dialog* dialog,
                                        const std::string& contact,
                                        const std::string& referred_by,
                                        const std::string& refer_to,
                                        Done done) {
    std::unique_ptr<Transfer> out(new Transfer(std::move(done)));
    Transfer* const self = out.get();
    out->request_ = Request::within(sender,
                                    dialog,
                                    "REFER",
                                    "Contact: <" + contact + ">\r\nRefer-To: " + refer_to +
                                        "\r\nReferred-By: <" + referred_by + ">\r\n",
                                    {},
                                    [self](int problem, const struct sip_msg* response) {
                                        if (problem) return self->finish(false, 408);
                                        if (response->scode >= 300)
                                            return self->finish(false, response->scode);
                                        self->accepted_ = true;
                                    });
    if (!out->request_) return nullptr;
    tmr_start(
        &out->patience_,
        patience_ms,
        [](void* arg) { static_cast<Transfer*>(arg)->finish(false, 408); },
        self);
    return out;
}

Transfer::~Transfer() {
    tmr_cancel(&patience_);
}

void Transfer::finish(bool worked, unsigned status) {
    tmr_cancel(&patience_);
    if (Done done = std::move(done_)) done(worked, status);
}

void Transfer::on_notify(const struct sip_msg* msg) {
    // It may overtake the answer to the REFER.
    accepted_ = true;
    const std::string_view body(reinterpret_cast<const char*>(mbuf_buf(msg->mb)),
                                mbuf_get_left(msg->mb));
    const unsigned status = sipfrag_status(body);
    if (status >= 200) return finish(status < 300, status);
    const struct sip_hdr* state = sip_msg_hdr(msg, SIP_HDR_SUBSCRIPTION_STATE);
    // The far end won't tell more. Without a final status nobody knows; that it rang isn't a
    // success.
    if (state && view(state->val).starts_with("terminated")) finish(false, 0);
}

TransferAsked::TransferAsked(const Sender& sender,
                             struct sip_dialog* dialog,
                             std::string contact,
                             std::uint32_t refer_cseq,
                             bool silent)
    : sender_(sender),
      dialog_(static_cast<struct sip_dialog*>(mem_ref(dialog))),
      contact_(std::move(contact)),
      event_("refer;id=" + std::to_string(refer_cseq)),
      silent_(silent) {}

void TransferAsked::report(unsigned status) {
    if (final_) return;
    final_ = status >= 200;
    if (silent_) return;
    waiting_.push_back(status);
    if (!request_) send_next();
}

void TransferAsked::send_next() {
    if (waiting_.empty()) return;
    const unsigned status = waiting_.front();
    waiting_.pop_front();
    const std::string state = status >= 200 ? "terminated;reason=noresource" : "active;expires=180";
    request_ = Request::within(sender_,
                               dialog_.get(),
                               "NOTIFY",
                               "Contact: <" + contact_ + ">\r\nEvent: " + event_ +
                                   "\r\nSubscription-State: " + state +
                                   "\r\nContent-Type: message/sipfrag;version=2.0\r\n",
                               "SIP/2.0 " + std::to_string(status) + " " + phrase(status) + "\r\n",
                               [this](int, const struct sip_msg*) {
                                   const std::unique_ptr<Request> answered = std::move(request_);
                                   send_next();
                               });
}

}  // namespace jackfield::sip
