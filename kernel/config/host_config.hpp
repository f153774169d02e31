#pragma once

#include "config/agent_tools.hpp"
#include "config/amd_options.hpp"
#include "config/environment.hpp"
#include "config/keypad_options.hpp"
#include "config/option_table.hpp"
#include "config/transfer_options.hpp"
#include "config/turn_options.hpp"
#include "config/value.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace jackfield::config {

enum class Placement { by_vendor, inline_on_shard, own_thread };
enum class Trust { any, listed, signed_by_operator };

/// A configured plugin: `[providers.<name>]` of the host or of a tenant, or `[services.<name>]`.
struct ProviderConfig {
    std::string name;
    /// `kind/name`, for instance `stt/pocketsphinx`.
    std::string plugin;
    Placement placement = Placement::by_vendor;
    /// Every key that is the plugin's own: check_schema() it against the descriptor.
    Value options;
    Position at;
    Position plugin_at;

    std::string kind() const { return plugin.substr(0, plugin.find('/')); }
};
using ServiceConfig = ProviderConfig;

/// A provider as tenants name it: `ears` is the tenant's own, `host:trunk` the host's.
struct ProviderName {
    bool of_host = false;
    std::string name;
    Position at;

    std::string text() const { return (of_host ? "host:" : "") + name; }
    friend bool operator==(const ProviderName& a, const ProviderName& b) {
        return a.of_host == b.of_host && a.name == b.name;
    }
};

/// What an agent answers: a telephony provider and one of its routing keys.
struct AnswerConfig {
    ProviderName provider;
    /// `+12125550100` (a number in E.164 form), `sip:user@` (that user at any domain),
    /// `sip:user@domain`, or `*` (whatever no other agent answers).
    std::string key;
    Position at;

    /// As it is written: `host:trunk/+12125550100`.
    std::string text() const { return provider.text() + "/" + key; }
};

struct RecordingConfig {
    bool enabled = false;
    /// Nothing is recorded before the caller has heard `consent.text` and, where it is required,
    /// agreed.
    bool after_consent = false;
    /// Silence is recorded while the caller is asked for digits, and keys are masked in the
    /// transcript.
    bool pause_on_digits = false;
};

struct AgentConfig {
    std::string name;
    std::vector<AnswerConfig> answers;
    /// Chains: the next takes over when one fails.
    std::vector<ProviderName> stt;
    std::vector<ProviderName> llm;
    std::vector<ProviderName> tts;
    std::string language;
    /// Words that interrupt the agent at once, and sounds that never do. Empty: the language's own.
    std::vector<std::string> stop_words;
    std::vector<std::string> backchannels;
    std::string prompt;
    std::string greeting;
    /// What is said when a call comes back from hold. Empty: the agent waits for the caller.
    std::string resume_phrase;
    /// Built-in tools that the agent may use: `hang_up`, `transfer`, `pause_recording`,
    /// `resume_recording`, `send_digits`.
    std::vector<std::string> tools;
    /// What it may use of the providers of kind tools.
    std::vector<ToolChoice> tool_choices;
    /// What the agent may transfer to: a name that the model says, and where it leads.
    std::map<std::string, TransferConfig> transfer;
    /// Agents of this tenant that may take the call over.
    std::vector<std::string> hand_off;
    Position hand_off_at;
    ConsentConfig consent;
    /// What is said while an answer takes long, one after the other. Empty: the language's own.
    std::vector<std::string> fillers;
    /// What is said when no model has an answer to what the caller said. Empty: the language's own.
    std::string not_understood;
    /// What is said when nothing works any more. Empty: the language's own.
    std::string apology;
    /// Whom the caller is transferred to then, a name of `transfer`. Empty: the call ends.
    std::string on_failure;
    RecordingConfig recording;
    /// The call's ladder of signalling and providers stays when the call is over.
    bool keep_trace = true;
    KeypadOptions keypad;
    AmdOptions amd;
    TurnOptions turn;
    Position at;
};

struct LimitsConfig {
    std::uint32_t concurrent_calls = 50;
    std::uint32_t requests_per_minute = 600;
};

struct TelemetryConfig {
    std::vector<ProviderName> providers;
    bool contents = false;
    std::string environment;
};

struct TenantConfig {
    /// The stem of its file's name.
    std::string id;
    std::string name;
    std::string time_zone;
    LimitsConfig limits;
    TelemetryConfig telemetry;
    std::map<std::string, ProviderConfig> providers;
    std::map<std::string, AgentConfig> agents;
    std::map<std::string, ServiceConfig> services;
    std::filesystem::path file;
};

/// How long a call into a plugin may last before the host gives the instance up.
struct PluginLimitsConfig {
    std::chrono::milliseconds stream{5'000};
    std::chrono::milliseconds control{30'000};
    std::chrono::milliseconds blocking{120'000};
    std::chrono::milliseconds start{15'000};
    std::chrono::milliseconds probe{1'000};
};

struct HostConfig {
    std::vector<std::string> roles;
    /// Where carriers and browsers reach this host; empty when nothing needs it.
    std::string public_url;
    /// Folders that are searched for plugins, absolute or relative to the working directory as the
    /// loader resolved them.
    std::vector<std::filesystem::path> plugins;
    Trust trust = Trust::any;
    /// SHA-256 sums, lower case.
    std::vector<std::string> trusted;
    /// Ed25519 public keys, "ed25519:" and base64.
    std::vector<std::string> trusted_keys;
    /// Plugins that need draft interfaces load.
    bool drafts = false;
    /// `sqlite:path`, `postgres://...`, or the name of a host provider of kind storage. May hold a
    /// password.
    std::string storage;
    /// These three are relative to the working directory.
    std::filesystem::path state_dir;
    std::filesystem::path recordings_dir;
    std::filesystem::path control_socket;
    /// 0: one per core.
    std::uint32_t shards = 0;
    std::chrono::seconds drain{3600};
    PluginLimitsConfig plugin_limits;
    std::string log_level;
    /// `address:port`, empty when there is no exposition.
    std::string metrics_listen;
    std::filesystem::path tenants_dir;
    std::map<std::string, ProviderConfig> providers;
    std::vector<TenantConfig> tenants;
    std::filesystem::path file;
    /// Text from the environment and files that no log may show.
    std::vector<std::string> secrets;

    const TenantConfig* tenant(std::string_view id) const;
};

/// Reads the host's file and every `*.toml` of its tenants folder, checks all of it and the
/// references between them, and reports everything that is wrong at once, in the order of files and
/// lines. Plugins' own options stay unchecked here.
Outcome<HostConfig> load_host(const std::filesystem::path& file, const Environment& environment);

/// What the host's file and a tenant's file may hold.
OptionTable host_option_table();
OptionTable tenant_option_table();

/// Providers that an agent's answer or chain refers to; null when the name is unknown.
const ProviderConfig* find_provider(const HostConfig& host,
                                    const TenantConfig& tenant,
                                    const ProviderName& name);

}  // namespace jackfield::config
