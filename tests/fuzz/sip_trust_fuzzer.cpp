// Text from strangers that decides something: passwords, registrations, transfers, what may be
// dialled.

#include "plugins/telephony/sip/dial_policy.hpp"
#include "plugins/telephony/sip/digest_server.hpp"
#include "plugins/telephony/sip/guard.hpp"
#include "plugins/telephony/sip/refer.hpp"
#include "plugins/telephony/sip/registrar.hpp"

#include <cstdint>
#include <cstdlib>

using namespace jackfield::sip;

namespace {

/// Whatever is written, nobody gets in without the password.
void try_passwords(std::string_view text) {
    static DigestServer server({{"anna", "correct horse"}}, "jackfield", "key");
    const jf_endpoint client = *parse_address("192.0.2.7", 5060);
    std::string user;
    if (server.check(text, "INVITE", "sip:100@host", client, 1'000, user) ==
        DigestServer::Verdict::right)
        std::abort();
}

void register_there(std::string_view text) {
    Registrar registrar;
    Registrar::Request request;
    request.user = "anna";
    request.call_id = "c";
    request.cseq = 1;
    request.wanted.push_back({std::string(text), std::nullopt});
    request.source = *parse_address("192.0.2.7", 5060);
    if (registrar.take(request, 0) != 200) return;
    for (const Binding& one : registrar.bindings("anna", 0))
        if (one.reach.find("192.0.2.7:5060") == std::string::npos ||
            one.reach.find_first_of("\r\n<>\" ") != std::string::npos)
            std::abort();
}

/// A forbidden number stays forbidden however it is spelled around.
void dial(std::string_view text) {
    DialRules rules;
    rules.allow = {"*", "!+1900"};
    rules.trunk = true;
    rules.emergency_numbers = {"112"};
    DialPolicy policy(rules);
    (void)policy.admit(text, 0);
    const std::string forbidden =
        "sip:+1900" + std::string(text.substr(0, text.find_first_not_of("0123456789-.()"))) +
        "@carrier";
    if (policy.admit(forbidden, 0) != DialPolicy::Verdict::not_listed) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_passwords(text);
    register_there(text);
    dial(text);
    (void)sipfrag_status(text);
    (void)names_any(text, {"scanner"});
    if (const auto dialog = parse_replaces(text)) {
        // What we write of a dialog is read back as that dialog.
        const std::string refer =
            refer_to_replacing({dialog->call_id, dialog->remote_tag, dialog->local_tag, "sip:a@b"});
        const Dialled dialled = cut_uri_headers(refer.substr(1, refer.size() - 2));
        const auto again = parse_replaces(dialled.replaces);
        const bool plain = dialog->local_tag.find_first_of(" \t\r\n;") == std::string::npos &&
                           dialog->remote_tag.find_first_of(" \t\r\n;") == std::string::npos;
        if (plain && again && again->call_id != dialog->call_id) std::abort();
    }
    (void)cut_uri_headers(text);
    return 0;
}
