#include "registration.hpp"

#include <algorithm>
#include <cstring>

namespace jackfield::sip {
namespace {

constexpr std::uint64_t first_backoff_ms = 4'000;
constexpr std::uint64_t longest_backoff_ms = 600'000;
constexpr std::uint32_t longest_expires_s = 86'400;

/// What the registrar granted for our contact, 0 when it doesn't say.
std::uint32_t granted(const struct sip_msg* response, const std::string& contact) {
    struct Search {
        const std::string& contact;
        std::uint32_t found = 0;
    } search{contact, 0};
    const auto look = [](const struct sip_hdr* header, const struct sip_msg*, void* arg) {
        auto& into = *static_cast<Search*>(arg);
        struct sip_addr address;
        struct pl expires;
        if (sip_addr_decode(&address, &header->val) || view(address.auri) != into.contact)
            return false;
        if (msg_param_decode(&address.params, "expires", &expires) == 0)
            into.found = pl_u32(&expires);
        return true;
    };
    (void)sip_msg_hdr_apply(response, true, SIP_HDR_CONTACT, look, &search);
    return search.found ? search.found : pl_u32(&response->expires);
}

}  // namespace

std::uint64_t Registration::backoff_ms(unsigned failures, double random) {
    const std::uint64_t full =
        std::min(longest_backoff_ms, first_backoff_ms << std::min(failures - 1, 10u));
    // Between half and all of it, so that a thousand of us don't come back in the same second.
    return full / 2 + static_cast<std::uint64_t>(static_cast<double>(full) / 2 * random);
}

Registration::Registration(const Sender& sender, What what)
    : sender_(sender), what_(std::move(what)) {
    // Kept from one REGISTER to the next: its nonce counts on, and a refresh takes one message.
    struct sip_auth* auth = nullptr;
    if (sip_auth_alloc(&auth, sender_.on_credentials, sender_.credentials, true) == 0)
        auth_.reset(auth);
    sender_.auth = auth_.get();
}

Registration::~Registration() {
    tmr_cancel(&timer_);
}

void Registration::again_in(std::uint64_t ms) {
    tmr_start(
        &timer_, ms, [](void* self) { static_cast<Registration*>(self)->send(); }, this);
}

void Registration::send() {
    const std::uint32_t expires_s = stopping_ ? 0 : what_.expires_s;
    const std::string address = "<" + what_.address + ">";
    request_ = Request::outside(
        sender_,
        {what_.registrar, what_.next_hop(), address + ";tag=" + tag_, address, call_id_, &cseq_},
        "REGISTER",
        "Contact: <" + what_.contact + ">;expires=" + std::to_string(expires_s) +
            "\r\nExpires: " + std::to_string(expires_s) + "\r\n",
        [this](int problem, const struct sip_msg* response) { answered(problem, response); });
    if (!request_) answered(EINVAL, nullptr);
}

void Registration::answered(int problem, const struct sip_msg* response) {
    if (stopping_) return;
    const unsigned status = response ? response->scode : 0;
    if (status == 423) {
        const struct sip_hdr* least = sip_msg_hdr(response, SIP_HDR_MIN_EXPIRES);
        const std::uint32_t wanted = least ? pl_u32(&least->val) : 0;
        if (wanted > what_.expires_s && wanted <= longest_expires_s) {
            what_.expires_s = wanted;
            return again_in(1);
        }
    }
    if (status >= 200 && status < 300) {
        const std::uint32_t granted_s = granted(response, what_.contact);
        const std::uint32_t life_s =
            std::min(granted_s ? granted_s : what_.expires_s, longest_expires_s);
        failures_ = 0;
        changed(true, "");
        // Early enough for a few more attempts, should the first be lost.
        return again_in(std::max<std::uint64_t>(std::uint64_t{life_s} * 1000 * 85 / 100, 500));
    }
    ++failures_;
    char reason[128];
    changed(false,
            response
                ? std::to_string(status) + " " + std::string(view(response->reason).substr(0, 80))
                : str_error(problem, reason, sizeof reason));
    again_in(backoff_ms(failures_, static_cast<double>(rand_u16()) / 65'536));
}

void Registration::changed(bool registered, const std::string& why) {
    if (told_ && registered == registered_) return;
    told_ = true;
    registered_ = registered;
    what_.on_change(registered, why);
}

void Registration::stop() {
    tmr_cancel(&timer_);
    stopping_ = true;
    request_.reset();
    if (std::exchange(registered_, false)) send();
}

}  // namespace jackfield::sip
