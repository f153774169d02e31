#include "base/json.hpp"
#include "config/plugin_schema.hpp"
#include "plugin_host/lint.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace jackfield::plugin_host {
namespace {

using base::JsonView;

constexpr std::array<std::string_view, 12> known_keys{"id",       "version",  "vendor",       "licence",       "summary", "abi",
                                                      "provides", "requires", "capabilities", "config_schema", "routes",  "verify"};
constexpr std::array<std::string_view, 2> known_abi_keys{"need_minor", "drafts"};

/// Which interface belongs to which kind of plugin. jf.webhook/1 belongs to all of them.
struct Belongs {
    std::string_view interface_id, kind;
};
constexpr std::array<Belongs, 13> interfaces{{{"jf.telephony/1", "telephony"},
                                              {"jf.stt/1", "stt"},
                                              {"jf.tts/1", "tts"},
                                              {"jf.llm/1", "llm"},
                                              {"jf.embedding/1", "llm"},
                                              {"jf.messaging/1", "messaging"},
                                              {"jf.records/1", "storage"},
                                              {"jf.vectors/1", "storage"},
                                              {"jf.tools/1", "tools"},
                                              {"jf.telemetry/1", "telemetry"},
                                              {"jf.service/1", "service"},
                                              {"jf.webhook/1", ""},
                                              {"jf.blobs/0", "storage"}}};

/// Those whose header says what to declare under "capabilities".
constexpr std::array<std::string_view, 6> with_capabilities{"telephony", "stt", "tts", "llm", "records", "service"};

constexpr std::array<std::string_view, 15> facilities{
    "http", "websocket", "ingress", "net", "timer", "worker", "secrets", "metrics", "trace", "state", "providers", "records", "jobs",
    "events", "calls"};

class DescriptorLinter {
  public:
    DescriptorLinter(const Descriptor& descriptor, std::vector<LintFinding>& findings)
        : descriptor_(descriptor), findings_(findings) {}

    void run() {
        const auto document = base::JsonDocument::parse(descriptor_.text);
        if (!document) return;  // parse_descriptor has read it
        unknown(document->root(), known_keys, "");
        unknown(document->root()["abi"], known_abi_keys, "abi.");
        provided();
        required();
        capabilities(document->root()["capabilities"]);
        // Without a schema there are no options.
        const JsonView schema = document->root()["config_schema"];
        for (const std::string& fault : schema.absent() ? std::vector<std::string>() : config::schema_faults(schema))
            add("schema", Severity::error, "config_schema: " + fault,
                "The host checks options against the schema: what it can't read has no effect, or refuses every configuration.",
                "Use type, enum, minimum, maximum, minLength, maxLength, pattern, items, properties, required, default, description, secret, "
                "unit.");
        options(document->root()["config_schema"]["properties"], "");
        verify(document->root()["verify"]);
    }

  private:
    void add(std::string code, Severity severity, std::string what, std::string why, std::string remedy) {
        findings_.push_back({std::move(code), severity, std::move(what), std::move(why), std::move(remedy)});
    }

    template <std::size_t N>
    void unknown(JsonView object, const std::array<std::string_view, N>& known, std::string_view prefix) {
        for (const auto& [key, value] : object.members())
            if (std::find(known.begin(), known.end(), key) == known.end())
                add("unknown_key", Severity::warning, fmt::format("the descriptor's key \"{}{}\" means nothing", prefix, key),
                    "Hosts leave unknown keys alone, so a slip of typing shows nowhere else.",
                    fmt::format("The keys are {}.", fmt::join(known, ", ")));
    }

    void provided() {
        for (const std::string& id : descriptor_.provides) {
            if (id.ends_with("/0")) continue;  // drafts may go anywhere
            const auto found = std::find_if(interfaces.begin(), interfaces.end(), [&](const Belongs& b) { return b.interface_id == id; });
            if (found == interfaces.end())
                add("unknown_interface", Severity::error, fmt::format("it provides {}, which no host knows", id),
                    "Nothing will ever call it.", "Correct the id, or leave it out.");
            else if (!found->kind.empty() && found->kind != descriptor_.kind)
                add("wrong_kind", Severity::error, fmt::format("it provides {} and is of kind {}", id, descriptor_.kind),
                    "A plugin's kind says where the host looks for what it provides.",
                    fmt::format("Make it {}/{}, or two plugins.", found->kind, descriptor_.name));
        }
    }

    void required() {
        for (const std::string& id : descriptor_.needs) {
            if (!id.starts_with("jf.host.")) continue;
            const std::string name = id.substr(8, id.rfind('/') - 8);
            if (std::find(facilities.begin(), facilities.end(), name) == facilities.end())
                add("unknown_facility", Severity::error, fmt::format("it requires {}, which no host has", id),
                    "It would be refused everywhere.",
                    fmt::format("The facilities are {}, each jf.host.<name>/1.", fmt::join(facilities, ", ")));
        }
    }

    void capabilities(JsonView declared) {
        for (const std::string& id : descriptor_.provides) {
            const std::string word = id.substr(3, id.rfind('/') - 3);
            if (std::find(with_capabilities.begin(), with_capabilities.end(), word) != with_capabilities.end() && !declared[word].is_object())
                add("no_capabilities", Severity::warning, fmt::format("\"capabilities\" has no \"{}\"", word),
                    "The host then assumes the least: formats, languages and verbs that are not declared are not used.",
                    fmt::format("Declare what the head of jackfield/{}.h lists.", word));
        }
    }

    void options(JsonView properties, const std::string& prefix) {
        for (const auto& [name, option] : properties.members()) {
            const std::string path = prefix + std::string(name);
            if (option["description"].text_or("").empty())
                add("undocumented_option", Severity::warning, fmt::format("the option {} has no description", path),
                    "`jackfield plugin explain` and the host's error messages show it.", "Say what it does, its unit, and its default's reason.");
            const auto holds = [&](std::string_view word) { return name == word || name.ends_with("_" + std::string(word)); };
            if (option["type"].text_or("") == "string" && !option["secret"].boolean_or(false) &&
                (holds("password") || holds("secret") || holds("token") || holds("api_key")))
                add("unmarked_secret", Severity::warning, fmt::format("the option {} looks like a secret and is not marked so", path),
                    "Without the mark it can stand in logs and in `jackfield check`.", "Add \"secret\": true to it.");
            options(option["properties"], path + ".");
        }
    }

    void verify(JsonView section) {
        constexpr std::array<std::string_view, 11> known{"config", "language", "text", "tool_text", "phrases", "tools", "dial", "dial_nowhere", "dial_self", "message", "webhook"};
        unknown(section, known, "verify.");
        if (!section.absent() && !section.is_object())
            add("verify_section", Severity::warning, "\"verify\" is no object", "`jackfield plugin verify` reads it.",
                "See docs/plugins/verify.md.");
    }

    const Descriptor& descriptor_;
    std::vector<LintFinding>& findings_;
};

}  // namespace

void lint_descriptor(const Descriptor& descriptor, std::vector<LintFinding>& findings) {
    DescriptorLinter(descriptor, findings).run();
}

}  // namespace jackfield::plugin_host
