// What the instance does besides calls: its users' phones register, it registers itself, and it
// watches its trunks.

#include "libre_address.hpp"
#include "signalling.hpp"
#include "text.hpp"
#include "trace.hpp"

#include <charconv>

namespace jackfield::sip {
namespace {

std::optional<std::uint32_t> seconds_of(std::string_view text) {
    std::uint32_t out = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (problem == std::errc::result_out_of_range) return UINT32_MAX;
    return problem == std::errc() && end == text.data() + text.size() ? std::optional(out)
                                                                      : std::nullopt;
}

bool add_contact(const struct sip_hdr* header, const struct sip_msg*, void* arg) {
    auto& request = *static_cast<Registrar::Request*>(arg);
    if (view(header->val) == "*") {
        request.all_away = true;
        return false;
    }
    struct sip_addr address;
    if (sip_addr_decode(&address, &header->val)) {
        request.wanted.push_back({});  // refused with the rest of it
        return true;
    }
    WantedBinding wanted{std::string(view(address.auri)), std::nullopt};
    struct pl expires;
    if (msg_param_decode(&address.params, "expires", &expires) == 0)
        wanted.expires_s = seconds_of(view(expires));
    request.wanted.push_back(std::move(wanted));
    return request.wanted.size() > Registrar::most_bindings;
}

}  // namespace

Sender Signalling::sender() const {
    return {sip_,
            &Signalling::on_credentials,
            credentials_,
            [this](std::string_view hop) { expect_tls(hop); },
            nullptr};
}

std::string Signalling::contact_towards(std::string_view own_uri,
                                        const std::string& hop,
                                        const jf_endpoint& local) const {
    struct uri from;
    const struct pl text = pl_of(own_uri);
    const std::string user =
        uri_decode(&from, &text) ? std::string() : std::string(view(from.user));
    return contact(user, transport_towards(hop), local);
}

void Signalling::begin_service() {
    const std::vector<std::string> order = trunks_.order();
    jf_endpoint local{};
    jf_endpoint bind{};
    if (!order.empty()) {
        local_for(order.front(), local, bind);
        const std::string at = endpoint_text(local);
        const std::string own =
            options_.from.empty() ? "sip:jackfield@" + at.substr(0, at.rfind(':')) : options_.from;
        if (metrics_)
            metrics_->gauge(
                host_.ctx(), sdk::str("sip_trunks_up"), static_cast<double>(order.size()));
        trunks_.watch(sender(), own, options_.trunk.health_interval_s);
    }
    if (!options_.trunk.register_here) return;
    const std::string first = order.empty() ? options_.trunk.registrar : order.front();
    local_for(first, local, bind);
    registration_ = std::make_unique<Registration>(
        sender(),
        Registration::What{
            options_.trunk.registrar,
            options_.from,
            contact_towards(options_.from, first, local),
            options_.trunk.register_expires_s,
            [this] {
                const std::vector<std::string> now = trunks_.order();
                return now.empty() ? std::string() : now.front();
            },
            [this](bool registered, const std::string& why) {
                if (metrics_)
                    metrics_->gauge(
                        host_.ctx(), sdk::str("sip_registered"), registered ? 1.0 : 0.0);
                host_.log(registered ? JF_LOG_INFO : JF_LOG_WARN,
                          registered ? "sip.registered" : "sip.not_registered",
                          {{"registrar", options_.trunk.registrar}, {"why", printable(why)}});
            }});
    registration_->start();
}

void Signalling::end_service() {
    trunks_.stop();
    if (registration_) registration_->stop();
}

void Signalling::note_trunk(const std::string& proxy, bool answered, const std::string& why) {
    trunks_.note(proxy, answered, why);
}

void Signalling::note_trunk_change(const Trunks::Change& change) {
    if (metrics_)
        metrics_->gauge(
            host_.ctx(), sdk::str("sip_trunks_up"), static_cast<double>(change.up_count));
    host_.log(change.up ? JF_LOG_INFO : JF_LOG_WARN,
              change.up ? "sip.trunk_up" : "sip.trunk_down",
              {{"proxy", change.proxy}, {"why", printable(change.why)}});
}

std::optional<std::string> Signalling::reach_user(std::string_view name) const {
    const std::vector<Binding> there = registrar_.bindings(name, now_ms());
    return there.empty() ? std::nullopt : std::optional(there.front().reach);
}

void Signalling::on_register(const struct sip_msg* msg) {
    std::string user;
    if (!authorize(msg, user)) return;
    const auto refuse_with = [&](unsigned status, const char* reason, const char* headers = "") {
        (void)sip_treplyf(nullptr,
                          nullptr,
                          sip_,
                          msg,
                          false,
                          static_cast<std::uint16_t>(status),
                          reason,
                          "%sContent-Length: 0\r\n\r\n",
                          headers);
    };
    if (!require_is_met(msg)) return;
    if (view(msg->to.uri.user) != user) return refuse_with(403, "Forbidden");
    Registrar::Request request;
    request.user = user;
    request.call_id = view(msg->callid);
    request.cseq = msg->cseq.num;
    request.source = endpoint_of(msg->src);
    request.transport = msg->tp == SIP_TRANSP_TLS   ? "tls"
                        : msg->tp == SIP_TRANSP_TCP ? "tcp"
                                                    : "udp";
    if (pl_isset(&msg->expires)) request.expires_s = seconds_of(view(msg->expires));
    (void)sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, add_contact, &request);
    const bool asking = request.wanted.empty() && !request.all_away;
    const unsigned status = asking ? 200 : registrar_.take(request, now_ms());
    if (metrics_)
        metrics_->gauge(host_.ctx(),
                        sdk::str("sip_registered_phones"),
                        static_cast<double>(registrar_.size(now_ms())));
    switch (status) {
        case 200:
            break;
        case 423:
            return refuse_with(423, "Interval Too Brief", "Min-Expires: 60\r\n");
        case 403:
            return refuse_with(403, "Too Many Contacts");
        case 500:
            return refuse_with(500, "Out Of Order");
        default:
            return refuse_with(400, "Bad Contact");
    }
    std::string headers;
    for (const Binding& one : registrar_.bindings(user, now_ms()))
        headers += "Contact: <" + one.contact +
                   ">;expires=" + std::to_string((one.until_ms - now_ms()) / 1000) + "\r\n";
    (void)sip_treplyf(nullptr,
                      nullptr,
                      sip_,
                      msg,
                      false,
                      200,
                      "OK",
                      "%sContent-Length: 0\r\n\r\n",
                      headers.c_str());
}

/// The library answers CANCEL by itself and shows it to nobody; its Reason says whether somebody
/// else took the call or nobody wants it any more (RFC 3326 2).
void Signalling::note_cancel(std::string_view message) {
    if (!message.starts_with("CANCEL ")) return;
    const auto found = sessions_.find(std::string(call_id_of(message)));
    if (found == sessions_.end()) return;
    for (std::size_t at = 0; (at = message.find("\r\n", at)) != std::string_view::npos;) {
        at += 2;
        const std::string_view line = message.substr(at, message.find("\r\n", at) - at);
        if (line.empty()) return;
        if (line.size() > 7 && lower(std::string(line.substr(0, 7))) == "reason:")
            if (const std::uint32_t cause = parse_reason(line.substr(7)))
                return found->second->note_cancel(cause);
    }
}

}  // namespace jackfield::sip
