#include "digest_server.hpp"

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace jackfield::sip {
namespace {

constexpr std::size_t stamp_size = 32;  // 16 digits of time, 16 of a counter

bool read_hex(std::string_view text, auto& out) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
    return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool DigestServer::knows(std::string_view name) const {
    return std::any_of(
        users_.begin(), users_.end(), [&](const User& user) { return user.name == name; });
}

std::string DigestServer::signature(std::string_view stamp, const jf_endpoint& client) const {
    // Not the port: a NAT may give the next request another.
    return digest_mac(key_, std::string(stamp) + "|" + address_text(client) + "|" + realm_)
        .substr(0, 32);
}

std::string DigestServer::challenge(const std::vector<DigestAlgorithm>& algorithms,
                                    const jf_endpoint& client,
                                    std::uint64_t now_ms,
                                    bool stale) {
    char stamp[stamp_size + 1];
    std::snprintf(stamp, sizeof stamp, "%016" PRIx64 "%016" PRIx64, now_ms, ++counter_);
    const std::string nonce = stamp + signature(stamp, client);
    std::string out;
    for (const DigestAlgorithm algorithm : algorithms)
        out += "WWW-Authenticate: Digest realm=" + quoted(realm_) + ", nonce=\"" + nonce +
               "\", algorithm=" + digest_name(algorithm) + ", qop=\"auth\"" +
               (stale ? ", stale=true" : "") + "\r\n";
    return out;
}

bool DigestServer::is_ours(std::string_view nonce,
                           const jf_endpoint& client,
                           std::uint64_t& made_ms) const {
    return nonce.size() == stamp_size + 32 && read_hex(nonce.substr(0, 16), made_ms) &&
           same_secret(nonce.substr(stamp_size), signature(nonce.substr(0, stamp_size), client));
}

/// Takes a count of a nonce, once.
bool DigestServer::use(const std::string& nonce,
                       std::uint32_t count,
                       std::uint64_t made_ms,
                       std::uint64_t now_ms) {
    const auto found = used_.find(nonce);
    if (found == used_.end()) {
        if (used_.size() >= most_nonces)
            std::erase_if(used_, [&](const auto& one) { return one.second.until_ms < now_ms; });
        // Nothing that may still be replayed is forgotten: when there is no room, everyone is asked
        // anew until there is.
        if (used_.size() >= most_nonces) return false;
        used_[nonce] = {made_ms + nonce_life_ms, count, 0};
        return true;
    }
    Used& used = found->second;
    // Without a count a nonce is good for one request.
    if (count == 0) return false;
    if (count > used.highest) {
        const std::uint32_t by = count - used.highest;
        used.below = by >= 64 ? 0 : used.below << by;
        if (used.highest && by <= 64) used.below |= std::uint64_t{1} << (by - 1);
        used.highest = count;
        return true;
    }
    // UDP may bring two requests in the wrong order.
    const std::uint32_t behind = used.highest - count;
    if (behind == 0 || behind > 64 || (used.below >> (behind - 1) & 1)) return false;
    used.below |= std::uint64_t{1} << (behind - 1);
    return true;
}

DigestServer::Verdict DigestServer::check(std::string_view authorization,
                                          std::string_view method,
                                          std::string_view request_uri,
                                          const jf_endpoint& client,
                                          std::uint64_t now_ms,
                                          std::string& user) {
    const std::optional<DigestFields> fields = DigestFields::parse(authorization);
    if (!fields || fields->get("realm") != realm_) return Verdict::nothing;
    const std::optional<DigestAlgorithm> algorithm = digest_named(fields->get("algorithm"));
    const bool with_qop = fields->has("qop");
    std::uint32_t count = 0;
    if (!algorithm || fields->get("uri") != request_uri ||
        (with_qop &&
         (fields->get("qop") != "auth" || fields->get("cnonce").empty() ||
          fields->get("nc").size() != 8 || !read_hex(fields->get("nc"), count) || count == 0)))
        return Verdict::wrong;
    std::uint64_t made_ms = 0;
    // One of another address, or of an earlier process: not a lie as such.
    if (!is_ours(fields->get("nonce"), client, made_ms)) return Verdict::stale;

    // An unknown name takes the same way as a known one, so that time doesn't tell which it was.
    const auto found = std::find_if(users_.begin(), users_.end(), [&](const User& one) {
        return one.name == fields->get("username");
    });
    DigestInput input;
    input.algorithm = *algorithm;
    input.user = fields->get("username");
    input.realm = realm_;
    input.password = found == users_.end() ? std::string_view("nobody") : found->password;
    input.method = method;
    input.uri = request_uri;
    input.nonce = fields->get("nonce");
    if (with_qop) {
        input.nc = fields->get("nc");
        input.cnonce = fields->get("cnonce");
    }
    const bool right = same_secret(digest_response(input), fields->get("response"));
    if (!right || found == users_.end()) return Verdict::wrong;
    if (now_ms > made_ms + nonce_life_ms ||
        !use(std::string(fields->get("nonce")), count, made_ms, now_ms))
        return Verdict::stale;
    user = found->name;
    return Verdict::right;
}

}  // namespace jackfield::sip
