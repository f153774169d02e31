#pragma once

// The passwords' part of a hand-written phone, and of a hand-written registrar.

#include "plugins/telephony/sip/digest.hpp"
#include "raw_phone.hpp"

namespace jackfield::test {

/// The challenge of that algorithm in a 401.
inline std::string challenge_of(std::string_view message, std::string_view algorithm) {
    for (std::size_t at = 0;
         (at = message.find("WWW-Authenticate: ", at)) != std::string_view::npos;) {
        const std::string_view line = message.substr(at + 18, message.find("\r\n", at) - at - 18);
        if (line.find("algorithm=" + std::string(algorithm)) != std::string_view::npos)
            return std::string(line);
        at += 18;
    }
    return "";
}

struct Credentials {
    std::string user;
    std::string password;
};

/// The Authorization line that answers a challenge.
inline std::string authorization(const Credentials& who,
                                 const std::string& challenge,
                                 const std::string& method,
                                 const std::string& uri,
                                 const std::string& nc = "00000001") {
    const auto fields = sip::DigestFields::parse(challenge);
    if (!fields) return "";
    sip::DigestInput in;
    in.algorithm = *sip::digest_named(fields->get("algorithm"));
    in.user = who.user;
    in.realm = fields->get("realm");
    in.password = who.password;
    in.method = method;
    in.uri = uri;
    in.nonce = fields->get("nonce");
    in.nc = nc;
    in.cnonce = "0a4f113b";
    return "Authorization: Digest username=\"" + who.user + "\", realm=\"" + std::string(in.realm) +
           "\", nonce=\"" + std::string(in.nonce) + "\", uri=\"" + uri + "\", response=\"" +
           digest_response(in) + "\", algorithm=" + sip::digest_name(in.algorithm) +
           ", qop=auth, cnonce=\"0a4f113b\", nc=" + nc + "\r\n";
}

/// Whether a request of the other side's answers `challenge` with the right password.
inline bool answers(const std::string& request,
                    const std::string& header_name,
                    const Credentials& who,
                    const std::string& nonce,
                    const char* algorithm) {
    const auto fields = sip::DigestFields::parse(header(request, header_name));
    if (!fields || fields->get("nonce") != nonce || fields->get("algorithm") != algorithm)
        return false;
    const std::string method = request.substr(0, request.find(' '));
    sip::DigestInput in;
    in.algorithm = *sip::digest_named(algorithm);
    in.user = who.user;
    in.realm = fields->get("realm");
    in.password = who.password;
    in.method = method;
    const std::size_t begin = method.size() + 1;
    const std::string uri = request.substr(begin, request.find(' ', begin) - begin);
    in.uri = uri;
    in.nonce = nonce;
    in.nc = fields->get("nc");
    in.cnonce = fields->get("cnonce");
    return fields->get("uri") == uri && fields->get("username") == who.user &&
           fields->get("response") == digest_response(in);
}

}  // namespace jackfield::test
