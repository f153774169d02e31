#include "trunk_config.hpp"

#include "text.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

[[noreturn]] void wrong(std::string_view key, std::string_view value, std::string_view right) {
    throw sdk::Failure(
        JF_E_INVALID,
        std::string(key) + " = \"" + std::string(value) + "\": " + std::string(right));
}

bool plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c >= 0x20 && c != 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
    });
}

void check_uri(std::string_view key, const std::string& uri) {
    if (!plain(uri) || (!uri.starts_with("sip:") && !uri.starts_with("sips:")))
        wrong(key, uri, "write a SIP URI, as in \"sip:192.0.2.7:5060;transport=tcp\"");
}

std::uint32_t number(const sdk::Config& config, std::string_view key, std::int64_t otherwise) {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(0, config.integer(key, otherwise)));
}

void read_dialling(const sdk::Config& config, DialRules& out) {
    out.allow = config.list("dial_allow");
    for (const std::string& entry : out.allow) {
        const std::string_view prefix =
            std::string_view(entry).substr(entry.starts_with('!') ? 1 : 0);
        const bool digits =
            !prefix.empty() && prefix.find_first_not_of("+0123456789") == std::string_view::npos;
        if (prefix != "*" && !prefix.starts_with("sip:") && !digits)
            wrong("dial_allow",
                  entry,
                  "write the beginning of a number or of a SIP URI, \"*\", or one of these after "
                  "\"!\" to forbid it");
    }
    out.emergency = config.flag("emergency");
    out.emergency_numbers = config.list("emergency_numbers");
    out.per_minute = number(config, "max_dials_per_minute", 60);
    out.per_day = number(config, "max_dials_per_day", 2000);
    out.minutes_per_day = number(config, "max_minutes_per_day", 6000);
}

void read_users(const sdk::Config& config, TrunkOptions& out) {
    for (std::size_t i = 0;; ++i) {
        const std::string prefix = "users." + std::to_string(i) + ".";
        User user{config.text(prefix + "name"), config.text(prefix + "password")};
        if (user.name.empty() && user.password.empty()) break;
        if (!is_token(user.name) || !plain(user.name))
            wrong(prefix + "name", user.name, "write a name without blanks and quotes");
        if (user.password.size() < 8)
            throw sdk::Failure(JF_E_INVALID,
                               prefix +
                                   "password: write at least 8 characters; these passwords "
                                   "are tried from everywhere");
        for (const User& other : out.users)
            if (other.name == user.name) wrong(prefix + "name", user.name, "it is there twice");
        out.users.push_back(std::move(user));
    }
    for (const std::string& name : config.list("auth_algorithms")) {
        const std::optional<DigestAlgorithm> algorithm = digest_named(name);
        if (!algorithm)
            wrong("auth_algorithms", name, "write \"MD5\", \"SHA-256\" or \"SHA-512-256\"");
        out.auth_algorithms.push_back(*algorithm);
    }
    if (out.auth_algorithms.empty())
        out.auth_algorithms = {DigestAlgorithm::md5, DigestAlgorithm::sha256};
    out.realm = config.text("realm", "jackfield");
    if (!plain(out.realm) || out.realm.empty())
        wrong("realm", out.realm, "write a name without quotes");
}

}  // namespace

TrunkOptions TrunkOptions::from_config(const sdk::Config& config) {
    TrunkOptions out;
    out.accept_refer = config.flag("accept_refer");
    out.max_requests_per_second = number(config, "max_requests_per_second", 200);
    for (const std::string& name : config.list("refuse_user_agents"))
        out.refuse_user_agents.push_back(lower(name));
    read_dialling(config, out.dialling);
    read_users(config, out);

    if (const std::string proxy = over_tls(config.text("outbound_proxy")); !proxy.empty())
        out.proxies.push_back(proxy);
    for (const std::string& proxy : config.list("backup_proxies")) {
        check_uri("backup_proxies", proxy);
        if (out.proxies.empty())
            wrong("backup_proxies", proxy, "name the first choice in outbound_proxy");
        out.proxies.push_back(over_tls(proxy));
    }
    out.dialling.trunk = !out.proxies.empty();
    out.health_interval_s = number(config, "health_interval_s", 30);

    for (const std::string& text : config.list("dns_servers")) {
        std::optional<jf_endpoint> server = parse_endpoint(text);
        if (!server) server = parse_address(text, 53);
        if (!server) wrong("dns_servers", text, "write a numeric address, as in \"192.0.2.53\"");
        out.dns_servers.push_back(*server);
    }
    if (out.dns_servers.size() > 8) wrong("dns_servers", "", "name at most 8");

    out.register_here = config.flag("register");
    out.register_expires_s = number(config, "register_expires_s", 300);
    if (out.register_here) {
        const std::string from = config.text("from");
        if (from.find('@') == std::string::npos)
            wrong(
                "from", from, "registering wants our own address, as in \"sip:desk@example.com\"");
        out.registrar = config.text("registrar");
        if (out.registrar.empty()) {
            const std::string_view domain = domain_of_uri(from);
            out.registrar = "sip:" + std::string(domain.substr(0, domain.find(';')));
        }
        check_uri("registrar", out.registrar);
        out.registrar = over_tls(out.registrar);
    }
    return out;
}

}  // namespace jackfield::sip
