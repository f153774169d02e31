// The library's digest client (its sip/auth.c), written anew: that one knows MD5 only. The library
// is linked as an archive, so that these four functions stand in the place of its own wherever it
// answers a challenge: for INVITE and BYE inside of a session as well as for requests of ours.

#include "digest.hpp"
#include "libre.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <new>

namespace jackfield::sip {
namespace {

// A server that forgets its nonces without saying stale=true is believed after this long: by then
// the password was good for something.
constexpr std::uint64_t forgiven_after_ms = 20'000;
constexpr std::size_t most_realms = 8;

struct Realm {
    enum sip_hdrid header;
    DigestAlgorithm algorithm;
    std::string realm;
    std::string nonce;
    std::string opaque;
    bool has_opaque = false;
    bool with_qop = false;
    std::string user;
    std::string password;
    std::uint32_t count = 0;
    std::uint64_t challenged_ms = 0;
};

struct Client {
    std::vector<Realm> realms;
    sip_auth_h* credentials = nullptr;
    void* credentials_arg = nullptr;
    bool credentials_referenced = false;

    int learn(const struct sip_msg* msg, enum sip_hdrid header);
    int take(const DigestFields& fields, DigestAlgorithm algorithm, enum sip_hdrid header);
};

/// One challenge of each realm is answered: the topmost that we can (RFC 8760 2.4).
int Client::learn(const struct sip_msg* msg, enum sip_hdrid header) {
    struct Found {
        std::vector<std::pair<DigestFields, DigestAlgorithm>> challenges;
        bool unknown = false;
    } found;
    const auto collect = [](const struct sip_hdr* one, const struct sip_msg*, void* arg) {
        auto& into = *static_cast<Found*>(arg);
        const std::optional<DigestFields> fields = DigestFields::parse(view(one->val));
        const auto algorithm =
            fields ? digest_named(fields->get("algorithm")) : std::optional<DigestAlgorithm>();
        const bool usable = fields && algorithm && fields->has("realm") && fields->has("nonce") &&
                            (!fields->has("qop") || list_has(fields->get("qop"), "auth"));
        if (!usable) {
            into.unknown = true;
            return false;
        }
        for (const auto& [other, ignored] : into.challenges)
            if (other.get("realm") == fields->get("realm")) return false;
        if (into.challenges.size() < most_realms) into.challenges.emplace_back(*fields, *algorithm);
        return false;
    };
    (void)sip_msg_hdr_apply(msg, true, header, collect, &found);
    if (found.challenges.empty() && found.unknown) return ENOSYS;
    for (const auto& [fields, algorithm] : found.challenges)
        if (const int problem = take(fields, algorithm, header)) return problem;
    return 0;
}

int Client::take(const DigestFields& fields, DigestAlgorithm algorithm, enum sip_hdrid header) {
    Realm* realm = nullptr;
    for (Realm& one : realms)
        if (one.header == header && one.realm == fields.get("realm")) realm = &one;
    const std::uint64_t now_ms = tmr_jiffies();
    if (realm) {
        const bool stale = fields.get("stale") == "true" || fields.get("stale") == "TRUE";
        if (!stale && now_ms - realm->challenged_ms < forgiven_after_ms) return EAUTH;
    } else {
        if (realms.size() == most_realms) return EAUTH;
        Realm fresh{};
        fresh.header = header;
        fresh.realm = fields.get("realm");
        char* user = nullptr;
        char* password = nullptr;
        const int problem =
            credentials ? credentials(&user, &password, fresh.realm.c_str(), credentials_arg)
                        : EAUTH;
        if (!problem) {
            fresh.user = user ? user : "";
            fresh.password = password ? password : "";
        }
        mem_deref(user);
        mem_deref(password);
        if (problem) return problem;
        realm = &realms.emplace_back(std::move(fresh));
    }
    realm->algorithm = algorithm;
    realm->nonce = fields.get("nonce");
    realm->opaque = fields.get("opaque");
    realm->has_opaque = fields.has("opaque");
    realm->with_qop = fields.has("qop");
    realm->count = 0;
    realm->challenged_ms = now_ms;
    return 0;
}

std::string answer(Realm& realm, std::string_view method, std::string_view uri) {
    char cnonce[17];
    char count[9];
    std::snprintf(cnonce, sizeof cnonce, "%016" PRIx64, rand_u64());
    std::snprintf(count, sizeof count, "%08" PRIx32, ++realm.count);
    DigestInput input;
    input.algorithm = realm.algorithm;
    input.user = realm.user;
    input.realm = realm.realm;
    input.password = realm.password;
    input.method = method;
    input.uri = uri;
    input.nonce = realm.nonce;
    if (realm.with_qop) {
        input.nc = count;
        input.cnonce = cnonce;
    }
    std::string out =
        realm.header == SIP_HDR_PROXY_AUTHENTICATE ? "Proxy-Authorization: " : "Authorization: ";
    out += "Digest username=" + quoted(realm.user) + ", realm=" + quoted(realm.realm) +
           ", nonce=" + quoted(realm.nonce) + ", uri=" + quoted(uri) + ", response=\"" +
           digest_response(input) + "\", algorithm=" + digest_name(realm.algorithm);
    if (realm.has_opaque) out += ", opaque=" + quoted(realm.opaque);
    if (realm.with_qop) out += std::string(", cnonce=\"") + cnonce + "\", qop=auth, nc=" + count;
    return out + "\r\n";
}

}  // namespace
}  // namespace jackfield::sip

struct sip_auth {
    jackfield::sip::Client* client;
};

extern "C" {

int sip_auth_alloc(struct sip_auth** out, sip_auth_h* credentials, void* arg, bool reference) {
    const auto destroy = [](void* object) {
        const auto* auth = static_cast<struct sip_auth*>(object);
        if (auth->client && auth->client->credentials_referenced)
            mem_deref(auth->client->credentials_arg);
        delete auth->client;
    };
    if (!out) return EINVAL;
    auto* auth = static_cast<struct sip_auth*>(mem_zalloc(sizeof(struct sip_auth), destroy));
    if (!auth) return ENOMEM;
    auth->client = new (std::nothrow) jackfield::sip::Client;
    if (!auth->client) {
        mem_deref(auth);
        return ENOMEM;
    }
    auth->client->credentials = credentials;
    auth->client->credentials_arg = reference ? mem_ref(arg) : arg;
    auth->client->credentials_referenced = reference;
    *out = auth;
    return 0;
}

int sip_auth_authenticate(struct sip_auth* auth, const struct sip_msg* msg) {
    if (!auth || !msg) return EINVAL;
    try {
        const int problem = auth->client->learn(msg, SIP_HDR_WWW_AUTHENTICATE);
        return problem ? problem : auth->client->learn(msg, SIP_HDR_PROXY_AUTHENTICATE);
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
}

// Declared in a header of the library's that isn't installed.
int sip_auth_encode(struct mbuf* mb, struct sip_auth* auth, const char* method, const char* uri);
int sip_auth_encode(struct mbuf* mb, struct sip_auth* auth, const char* method, const char* uri) {
    if (!mb || !auth || !method || !uri) return EINVAL;
    try {
        for (jackfield::sip::Realm& realm : auth->client->realms)
            if (const int problem =
                    mbuf_write_str(mb, jackfield::sip::answer(realm, method, uri).c_str()))
                return problem;
    } catch (const std::bad_alloc&) {
        return ENOMEM;
    }
    return 0;
}

void sip_auth_reset(struct sip_auth* auth) {
    if (auth) auth->client->realms.clear();
}

}  // extern "C"
