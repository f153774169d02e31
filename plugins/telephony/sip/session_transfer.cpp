// REFER and Replaces, as the sessions and the stack see them.

#include "session.hpp"
#include "signalling.hpp"
#include "text.hpp"

#include <utility>

namespace jackfield::sip {

void Session::transfer(const std::string& refer_to) {
    const auto done = [this](bool worked, unsigned status) {
        transfer_.reset();
        if (events_) events_->on_transferred(worked, status);
    };
    if (!sess_ || !established_) return;
    if (refer_to.starts_with("<?")) return done(false, 481);  // the other leg has no dialog yet
    transfer_ = Transfer::ask(
        signalling_.sender(), sipsess_dialog(sess_), contact_, own_uri_, refer_to, done);
    if (!transfer_ && events_) events_->on_transferred(false, 0);
}

void Session::give_way_to(const std::shared_ptr<Session>& by,
                          const std::optional<Agreement>& agreement,
                          std::string leg_state) {
    const std::shared_ptr<SessionEvents> events = std::exchange(events_, nullptr);
    by->set_events(events);
    by->replaced_ = shared_from_this();
    events->on_replaced(by, agreement, std::move(leg_state));
}

void Session::report_transfer(unsigned status) {
    if (transfer_asked_) transfer_asked_->report(status);
}

bool Session::on_notify(const struct sip_msg* msg) {
    const std::shared_ptr<Session> self = shared_from_this();
    if (!transfer_) return false;
    if (!sip_dialog_rseq_valid(sipsess_dialog(sess_), msg)) {
        (void)sip_treply(nullptr, signalling_.stack(), msg, 500, "Server Internal Error");
        return true;
    }
    (void)sip_treply(nullptr, signalling_.stack(), msg, 200, "OK");
    transfer_->on_notify(msg);
    return true;
}

/// The library has checked the dialog and the sequence.
void Session::on_refer(struct sip* sip, const struct sip_msg* msg) {
    if (!signalling_.accepts_refer() || !established_ || !events_) {
        signalling_.count("sip_transfers_declined");
        (void)sip_treply(nullptr, sip, msg, 603, "Decline");
        return;
    }
    if (transfer_asked_ && !transfer_asked_->over()) {
        (void)sip_treply(nullptr, sip, msg, 491, "Request Pending");
        return;
    }
    const struct sip_hdr* const header = sip_msg_hdr(msg, SIP_HDR_REFER_TO);
    const bool one = sip_msg_hdr_count(msg, SIP_HDR_REFER_TO) == 1;
    std::optional<std::string> target = one ? parse_refer_to(view(header->val)) : std::nullopt;
    if (!target) {
        (void)sip_treply(nullptr, sip, msg, 400, "Bad Refer-To");
        return;
    }
    const struct sip_hdr* const refer_sub = sip_msg_xhdr(msg, "Refer-Sub");
    const bool silent = refer_sub && view(refer_sub->val).starts_with("false");
    (void)sip_treplyf(nullptr,
                      nullptr,
                      sip,
                      msg,
                      true,
                      202,
                      "Accepted",
                      "Contact: <%s>\r\n%sContent-Length: 0\r\n\r\n",
                      contact_.c_str(),
                      silent ? "Refer-Sub: false\r\n" : "");
    transfer_asked_ = std::make_unique<TransferAsked>(
        signalling_.sender(), sipsess_dialog(sess_), contact_, msg->cseq.num, silent);
    transfer_asked_->report(100);
    const struct sip_hdr* const by = sip_msg_hdr(msg, SIP_HDR_REFERRED_BY);
    events_->on_transfer_asked(std::move(*target), by ? printable(view(by->val)) : std::string());
}

/// Of transfers only; a voice mailbox's lamp and the like have nobody here who would look at it.
bool Signalling::on_notify(const struct sip_msg* msg) {
    const struct sip_hdr* const event = sip_msg_hdr(msg, SIP_HDR_EVENT);
    const std::string name(event ? view(event->val).substr(0, view(event->val).find(';')) : "");
    const auto found = sessions_.find(std::string(view(msg->callid)));
    const bool ours = found != sessions_.end() && found->second->belongs(msg);
    if (ours && name == "refer" && found->second->on_notify(msg)) return true;
    if (!ours || name == "refer")
        (void)sip_treply(nullptr, sip_, msg, 481, "Subscription Does Not Exist");
    else
        (void)sip_treply(nullptr, sip_, msg, 489, "Bad Event");
    return true;
}

/// The session in whose place this INVITE asks to be put (RFC 3891 3), null when it doesn't, or when
/// transfers by the far end aren't wanted and the header is one that we don't know.
std::shared_ptr<Session> Signalling::replaced_by(const struct sip_msg* msg, bool& refused) {
    const struct sip_hdr* const header = sip_msg_hdr(msg, SIP_HDR_REPLACES);
    if (!header || !accepts_refer()) return nullptr;
    refused = true;
    const std::optional<ReplacedDialog> wanted = parse_replaces(view(header->val));
    if (!wanted || sip_msg_hdr_count(msg, SIP_HDR_REPLACES) != 1) {
        refuse(msg, 400, "Bad Replaces");
        return nullptr;
    }
    const auto found = sessions_.find(wanted->call_id);
    if (found == sessions_.end() || found->second->dialog_name().local_tag != wanted->local_tag ||
        found->second->dialog_name().remote_tag != wanted->remote_tag ||
        !found->second->has_leg() || (!found->second->established() && !wanted->early_only)) {
        refuse(msg, 481, "Call Does Not Exist");
        return nullptr;
    }
    if (wanted->early_only) {
        refuse(msg, 486, "Busy Here");
        return nullptr;
    }
    refused = false;
    return found->second;
}

}  // namespace jackfield::sip
