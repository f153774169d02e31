#include "config/host_reader.hpp"

#include <algorithm>

namespace jackfield::config {
namespace {

namespace fs = std::filesystem;

bool made_of(std::string_view text, std::string_view extra) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(c) != extra.npos;
    });
}

/// Names go into logs, metrics and references, so they stay plain.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
           made_of(name, "_-");
}

void check_name(const std::string& name, const Value& at, Problems& problems) {
    if (is_name(name)) return;
    problems.push_back(problem_at(at.at,
                                  at.path,
                                  "'" + name + "' cannot be a name",
                                  "use 1 to 64 of a-z, 0-9, _ and -, a letter first"));
}

const std::vector<std::string> kinds{
    "telephony", "stt", "tts", "llm", "messaging", "storage", "tools", "telemetry", "service"};

void check_plugin_id(const Value& id, Problems& problems) {
    if (!id.is_text()) return;  // Its absence has been reported.
    const std::string& text = id.text();
    const std::size_t slash = text.find('/');
    const std::string kind = text.substr(0, slash);
    if (slash == text.npos || slash + 1 == text.size() || !made_of(text.substr(slash + 1), "_")) {
        problems.push_back(problem_at(id.at,
                                      id.path,
                                      "'" + text + "' is not the id of a plugin",
                                      "write kind/name, for instance stt/pocketsphinx"));
    } else if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
        const std::string meant = nearest(kind, kinds);
        problems.push_back(problem_at(id.at,
                                      id.path,
                                      "there is no kind of plugin '" + kind + "'",
                                      meant.empty() ? "the kinds are " + one_of_text(kinds)
                                                    : "did you mean '" + meant + "'?"));
    }
}

ProviderConfig read_instance(const std::string& name, const Value& value, Problems& problems) {
    check_name(name, value, problems);
    check_plugin_id(value["plugin"], problems);
    ProviderConfig out;
    out.name = name;
    out.plugin = value["plugin"].text();
    out.plugin_at = value["plugin"].at;
    const std::string placement = value["placement"].text();
    out.placement = placement == "thread"   ? Placement::own_thread
                    : placement == "inline" ? Placement::inline_on_shard
                                            : Placement::by_vendor;
    out.at = value.at;
    out.options = Value(Value::Table());
    out.options.at = value.at;
    out.options.path = value.path;
    for (const Value::Member& member : value.table())
        if (member.key != "plugin" && member.key != "placement") {
            out.options.set(member.key, member.value);
        }
    return out;
}

std::map<std::string, ProviderConfig> read_instances(const Value& section, Problems& problems) {
    std::map<std::string, ProviderConfig> out;
    for (const Value::Member& member : section.table())
        out.emplace(member.key, read_instance(member.key, member.value, problems));
    return out;
}

ProviderName read_provider_name(std::string_view text, const Position& at) {
    const bool of_host = text.starts_with("host:");
    return {of_host, std::string(of_host ? text.substr(5) : text), at};
}

bool is_number(std::string_view key) {
    // E.164: a plus and at most 15 digits, the first of them not 0.
    return key.size() >= 3 && key.size() <= 16 && key[0] == '+' && key[1] != '0' &&
           key.find_first_not_of("0123456789", 1) == key.npos;
}

bool is_sip_user(std::string_view key) {
    if (!key.starts_with("sip:")) return false;
    const std::size_t sign = key.find('@');
    return sign != key.npos && sign > 4 && key.find('@', sign + 1) == key.npos &&
           key.find_first_of(" \t\r\n\"<>") == key.npos;
}

std::vector<AnswerConfig> read_answers(const Value& list, Problems& problems) {
    std::vector<AnswerConfig> out;
    for (const Value& element : list.array()) {
        const std::string& text = element.text();
        const std::size_t slash = text.find('/');
        const std::string key = slash == text.npos ? "" : text.substr(slash + 1);
        if (slash == 0 || !(is_number(key) || is_sip_user(key) || key == "*"))
            problems.push_back(
                problem_at(element.at,
                           element.path,
                           "'" + text + "' does not say what is answered",
                           "write provider/key, for instance host:trunk/+12125550100, "
                           "host:trunk/sip:desk@ or host:trunk/*"));
        else
            out.push_back({read_provider_name(text.substr(0, slash), element.at), key, element.at});
    }
    return out;
}

std::vector<ProviderName> read_chain(const Value& chain, Problems& problems) {
    std::vector<ProviderName> out;
    if (chain.is_text()) out.push_back(read_provider_name(chain.text(), chain.at));
    for (const Value& element : chain.array())
        out.push_back(read_provider_name(element.text(), element.at));
    if (chain.is_array() && out.empty())
        problems.push_back(
            problem_at(chain.at, chain.path, "the chain is empty", "name at least one provider"));
    for (std::size_t i = 0; i < out.size(); ++i)
        if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) !=
            out.begin() + static_cast<std::ptrdiff_t>(i))
            problems.push_back(problem_at(out[i].at,
                                          join_path(chain.path, std::to_string(i)),
                                          "'" + out[i].text() + "' stands twice in this chain",
                                          "name each provider once"));
    return out;
}

std::vector<std::string> read_texts(const Value& list) {
    std::vector<std::string> out;
    for (const Value& element : list.array()) out.push_back(element.text());
    return out;
}

AgentConfig read_agent(const std::string& name,
                       const Value& value,
                       const fs::path& folder,
                       Problems& problems) {
    check_name(name, value, problems);
    AgentConfig out;
    out.name = name;
    out.answers = read_answers(value["answers"], problems);
    out.stt = read_chain(value["stt"], problems);
    out.llm = read_chain(value["llm"], problems);
    out.tts = read_chain(value["tts"], problems);
    out.language = value["language"].text();
    out.stop_words = read_texts(value["stop_words"]);
    out.backchannels = read_texts(value["backchannels"]);
    out.prompt = value["prompt"].text();
    out.greeting = value["greeting"].text();
    read_agent_tools(value["tools"], out);
    for (const Value::Member& target : value["transfer"].table())
        out.transfer.emplace(target.key, read_transfer_options(target.value, folder, problems));
    out.fillers = read_texts(value["fillers"]);
    out.not_understood = value["not_understood"].text();
    out.apology = value["apology"].text();
    out.on_failure = value["on_failure"].text();
    if (!out.on_failure.empty() && !out.transfer.contains(out.on_failure))
        problems.push_back(problem_at(value["on_failure"].at,
                                      value["on_failure"].path,
                                      "'" + out.on_failure + "' is not a name of transfer",
                                      "add it to [agents." + name + ".transfer]"));
    out.hand_off = read_texts(value["hand_off"]);
    out.hand_off_at = value["hand_off"].at;
    out.resume_phrase = value["resume_phrase"].text();
    out.consent = read_consent_options(value["consent"], problems);
    const Value& recording = value["recording"];
    out.recording.enabled = recording["enabled"].boolean();
    out.recording.after_consent = recording["after_consent"].boolean();
    out.recording.pause_on_digits = recording["pause_on_digits"].boolean();
    if (out.recording.after_consent && out.consent.text.empty())
        problems.push_back(problem_at(recording["after_consent"].at,
                                      recording["after_consent"].path,
                                      "nobody is asked for consent, so nothing would be recorded",
                                      "add text to [agents." + name + ".consent]"));
    out.keep_trace = value["keep_trace"].boolean();
    out.keypad = read_keypad_options(value["keypad"], problems);
    out.amd = read_amd_options(value["amd"], problems);
    out.turn = read_turn_options(value["turn"], problems);
    out.at = value.at;
    return out;
}

void check_time_zone(const Value& zone, Problems& problems) {
    const std::string& text = zone.text();
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("/_+-").find(c) != std::string_view::npos;
    };
    const fs::path database = "/usr/share/zoneinfo";
    std::error_code error;
    if (!fs::is_directory(database, error))
        problems.push_back(problem_at(zone.at,
                                      zone.path,
                                      "the time zone database is not installed",
                                      "apt-get install tzdata"));
    else if (text.empty() || text[0] == '/' || !std::all_of(text.begin(), text.end(), allowed) ||
             !fs::is_regular_file(database / text, error))
        problems.push_back(
            problem_at(zone.at,
                       zone.path,
                       "'" + text + "' is not a known time zone",
                       "write its name in the tz database, for instance Europe/Berlin"));
}

/// 32 bytes as base64: 43 characters and one for padding.
bool is_public_key(const std::string& text) {
    constexpr std::string_view prefix = "ed25519:";
    if (!text.starts_with(prefix) || text.size() != prefix.size() + 44 || text.back() != '=') return false;
    return text.find_first_not_of(
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
               prefix.size()) == text.size() - 1;
}

void check_host_section(const Value& host, const HostConfig& out, Problems& problems) {
    const auto problem = [&](const char* key, std::string what, std::string remedy) {
        problems.push_back(
            problem_at(host[key].at, host[key].path, std::move(what), std::move(remedy)));
    };
    const std::string& url = out.public_url;
    if (!url.empty() && !url.starts_with("https://") && !url.starts_with("http://"))
        problem(
            "public_url", "this is not the address of a web server", "write https://voice.example");
    for (const Value& sum : host["trusted"].array())
        if (sum.text().size() != 64 ||
            sum.text().find_first_not_of("0123456789abcdef") != std::string::npos)
            problems.push_back(
                problem_at(sum.at,
                           sum.path,
                           "this is not a SHA-256 sum",
                           "write the 64 hexadecimal digits of sha256sum, lower case"));
    if (out.trust == Trust::listed && out.trusted.empty())
        problem("trust",
                "with trust = \"listed\" and nothing in trusted, no plugin loads",
                "add the SHA-256 sums of the plugin files to trusted");
    for (const Value& key : host["trusted_keys"].array())
        if (!is_public_key(key.text()))
            problems.push_back(
                problem_at(key.at,
                           key.path,
                           "this is not an Ed25519 public key",
                           "write what `jackfield plugin keygen` printed: ed25519: and 44 characters"));
    if (out.trust == Trust::signed_by_operator && out.trusted_keys.empty())
        problem("trust",
                "with trust = \"signed\" and nothing in trusted_keys, no plugin loads",
                "add the public keys whose signatures you trust to trusted_keys");
    if (const std::string& listen = out.metrics_listen; !listen.empty()) {
        const std::size_t colon = listen.rfind(':');
        const std::string port = colon == listen.npos ? "" : listen.substr(colon + 1);
        if (colon == 0 || port.empty() || port.size() > 5 || !made_of(port, "") ||
            port.find_first_not_of("0123456789") != port.npos || std::stoi(port) > 65535)
            problem("metrics_listen", "an address and a port are wanted", "write 127.0.0.1:9464");
    }
}

Trust read_trust(const std::string& word) {
    if (word == "listed") return Trust::listed;
    return word == "signed" ? Trust::signed_by_operator : Trust::any;
}

}  // namespace

HostConfig read_host(const Value& checked, const fs::path& file, Problems& problems) {
    const Value& host = checked["host"];
    HostConfig out;
    out.file = file;
    out.roles = read_texts(host["roles"]);
    out.public_url = host["public_url"].text();
    for (const Value& folder : host["plugins"].array())
        out.plugins.push_back((file.parent_path() / folder.text()).lexically_normal());
    out.trust = read_trust(host["trust"].text());
    out.trusted = read_texts(host["trusted"]);
    out.trusted_keys = read_texts(host["trusted_keys"]);
    out.drafts = host["drafts"].boolean();
    out.storage = host["storage"].text();
    out.state_dir = host["state_dir"].text();
    const auto or_in_state = [&](const char* key, const char* name) {
        const std::string& text = host[key].text();
        return text.empty() ? out.state_dir / name : fs::path(text);
    };
    out.recordings_dir = or_in_state("recordings_dir", "recordings");
    out.control_socket = or_in_state("control_socket", "control.sock");
    out.tenants_dir = (file.parent_path() / host["tenants"].text()).lexically_normal();
    out.shards = static_cast<std::uint32_t>(host["shards"].integer());
    out.drain = std::chrono::seconds(host["drain_seconds"].integer());
    const auto limit = [&](const char* key) { return std::chrono::milliseconds(host["plugin_limits"][key].integer()); };
    out.plugin_limits = {limit("stream_ms"), limit("control_ms"), limit("blocking_ms"), limit("start_ms"), limit("probe_ms")};
    out.log_level = host["log_level"].text();
    out.metrics_listen = host["metrics_listen"].text();
    out.providers = read_instances(checked["providers"], problems);
    check_host_section(host, out, problems);
    return out;
}

TenantConfig read_tenant(const Value& checked, const fs::path& file, Problems& problems) {
    const Value& tenant = checked["tenant"];
    TenantConfig out;
    out.file = file;
    out.id = file.stem().string();
    out.name = tenant["name"].text();
    out.time_zone = tenant["time_zone"].text();
    out.limits.concurrent_calls =
        static_cast<std::uint32_t>(tenant["limits"]["concurrent_calls"].integer());
    out.limits.requests_per_minute =
        static_cast<std::uint32_t>(tenant["limits"]["requests_per_minute"].integer());
    const Value& telemetry = tenant["telemetry"];
    for (const Value& name : telemetry["providers"].array()) out.telemetry.providers.push_back(read_provider_name(name.text(), name.at));
    out.telemetry.contents = telemetry["contents"].boolean();
    out.telemetry.environment = telemetry["environment"].text();
    out.providers = read_instances(checked["providers"], problems);
    for (const Value::Member& agent : checked["agents"].table())
        out.agents.emplace(agent.key, read_agent(agent.key, agent.value, file.parent_path(), problems));
    out.services = read_instances(checked["services"], problems);
    for (const auto& [name, service] : out.services)
        if (!service.plugin.empty() && service.kind() != "service")
            problems.push_back(
                problem_at(service.at,
                           "services." + name,
                           "'" + service.plugin + "' is not a service",
                           "name a plugin service/..., or move it to [providers." + name + "]"));
    check_time_zone(tenant["time_zone"], problems);
    if (!is_name(out.id))
        problems.push_back(
            {file.string(),
             0,
             0,
             "",
             "the tenant's id is the name of its file, and '" + out.id + "' cannot be one",
             "rename the file: 1 to 64 of a-z, 0-9, _ and -, a letter first"});
    return out;
}

}  // namespace jackfield::config
