#include "srtp.hpp"

#include <climits>
#include <cstring>

#include <srtp2/srtp.h>

namespace jackfield::sip {
namespace {

constexpr unsigned long replay_window = 128;  // packets

bool library_is_up() {
    // Never shut down: another user of the library in this process would lose it.
    static const bool up = srtp_init() == srtp_err_status_ok;
    return up;
}

Srtp::Verdict verdict_of(srtp_err_status_t status) {
    if (status == srtp_err_status_ok) return Srtp::Verdict::fresh;
    return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old
               ? Srtp::Verdict::replayed
               : Srtp::Verdict::forged;
}

}  // namespace

void Srtp::Close::operator()(srtp_ctx_t_* context) const {
    (void)srtp_dealloc(context);
}

Srtp::Context Srtp::make(SrtpSuite suite, const MasterKey& key, bool inbound) {
    if (!library_is_up()) return nullptr;
    srtp_policy_t policy;
    std::memset(&policy, 0, sizeof policy);
    if (suite == SrtpSuite::aes_cm_128_hmac_sha1_80)
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
    // The short tag is for RTP only: SRTCP has 80 bits with either suite (RFC 4568 6.2.2).
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
    // Any source: a stream's state is made when its first packet has been authenticated, so a far
    // end that changes its SSRC goes on, and nobody else can fill the table.
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    auto bytes = key.bytes();
    policy.key = bytes.data();
    policy.window_size = replay_window;
    srtp_t context = nullptr;
    const bool made = srtp_create(&context, &policy) == srtp_err_status_ok;
    explicit_bzero(bytes.data(), bytes.size());
    return Context(made ? context : nullptr);
}

bool Srtp::set(const SrtpKeys& keys, std::uint64_t now_ns) {
    const bool same_suite = keys_ && keys_->suite == keys.suite;
    if (!out_ || !same_suite || keys_->ours != keys.ours) {
        out_ = make(keys.suite, keys.ours, false);
        if (!out_) return false;
    }
    if (!in_ || !same_suite || keys_->theirs != keys.theirs) {
        Context fresh = make(keys.suite, keys.theirs, true);
        if (!fresh) return false;
        in_before_ = std::move(in_);
        in_before_until_ns_ = now_ns + grace_ns;
        in_ = std::move(fresh);
    }
    keys_ = keys;
    return true;
}

template <typename Open>
Srtp::Verdict Srtp::open(Open one, std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns) {
    if (size > INT_MAX || !in_) return Verdict::forged;
    int length = static_cast<int>(size);
    Verdict verdict = verdict_of(one(in_.get(), packet, &length));
    if (verdict != Verdict::fresh && in_before_) {
        if (now_ns < in_before_until_ns_) {
            // What fails authentication has not been touched.
            length = static_cast<int>(size);
            verdict = verdict_of(one(in_before_.get(), packet, &length));
        } else {
            in_before_.reset();
        }
    }
    if (verdict == Verdict::fresh) size = static_cast<std::size_t>(length);
    return verdict;
}

Srtp::Verdict Srtp::open_rtp(std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns) {
    return open(
        [](srtp_t context, void* data, int* length) {
            return srtp_unprotect(context, data, length);
        },
        packet,
        size,
        now_ns);
}

Srtp::Verdict Srtp::open_rtcp(std::uint8_t* packet, std::size_t& size, std::uint64_t now_ns) {
    return open(
        [](srtp_t context, void* data, int* length) {
            return srtp_unprotect_rtcp(context, data, length);
        },
        packet,
        size,
        now_ns);
}

bool Srtp::seal_rtp(std::uint8_t* packet, std::size_t& size) {
    int length = static_cast<int>(size);
    if (!out_ || srtp_protect(out_.get(), packet, &length) != srtp_err_status_ok) return false;
    size = static_cast<std::size_t>(length);
    return true;
}

bool Srtp::seal_rtcp(std::uint8_t* packet, std::size_t& size) {
    int length = static_cast<int>(size);
    if (!out_ || srtp_protect_rtcp(out_.get(), packet, &length) != srtp_err_status_ok) return false;
    size = static_cast<std::size_t>(length);
    return true;
}

}  // namespace jackfield::sip
