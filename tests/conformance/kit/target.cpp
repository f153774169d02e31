#include "conformance/kit/target.hpp"

#include "config/plugin_schema.hpp"
#include "config/toml.hpp"
#include "plugin_host/loader.hpp"

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Result<config::Value> usable(config::Outcome<config::Value> outcome) {
    if (outcome.ok()) return std::move(outcome.value);
    std::string text;
    for (const config::Problem& problem : outcome.problems) text += (text.empty() ? "" : "\n  ") + config::to_text(problem);
    return Error(ErrorCode::invalid, text);
}

/// `key=value` as TOML has it; a value that is none is text, so that names need no quotes inside the shell's.
Result<config::Value> parse_pair(const std::string& pair) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) return Error(ErrorCode::invalid, "--config " + pair + ": key=value is wanted");
    const std::string key = pair.substr(0, equals), value = pair.substr(equals + 1);
    if (auto typed = config::parse_toml(key + " = " + value, "--config", config::Environment::system()); typed.ok()) return std::move(typed.value);
    std::string quoted;
    base::append_json_string(quoted, value);  // TOML's basic strings escape alike
    return usable(config::parse_toml(key + " = " + quoted, "--config", config::Environment::system()));
}

/// Tables are merged, everything else of `over` replaces what stood.
void merge(config::Value& into, const config::Value& over) {
    for (const config::Value::Member& member : over.table()) {
        const config::Value* const before = into.find(member.key);
        if (before && before->is_table() && member.value.is_table()) {
            config::Value merged = *before;
            merge(merged, member.value);
            into.set(member.key, std::move(merged));
        } else {
            into.set(member.key, member.value);
        }
    }
}

Result<config::Value> options_of(const TargetOptions& options, base::JsonView from_descriptor) {
    config::Value out(config::Value::Table{});
    if (from_descriptor.is_object()) merge(out, config::from_json(from_descriptor, {}, ""));
    if (!options.config_file.empty()) {
        auto file = usable(config::load_toml(options.config_file, config::Environment::system()));
        if (!file) return file.error();
        merge(out, *file);
    }
    for (const std::string& pair : options.config) {
        auto one = parse_pair(pair);
        if (!one) return one.error();
        merge(out, *one);
    }
    return out;
}

}  // namespace

Target Target::with(std::string option, std::int64_t value) const {
    Target out = *this;
    auto options = base::JsonDocument::parse(config_json);
    if (!options) return out;
    config::Value changed = config::from_json(options->root(), {}, "");
    changed.set(std::move(option), config::Value(config::Value::Data(value)));
    out.config_json = config::to_json(changed);
    out.config_pairs = config::flatten(changed);
    return out;
}

std::string Target::language(std::string_view interface_word) const {
    if (const std::string named = verify("language").text_or(""); !named.empty()) return named;
    const std::string first = capability(interface_word, "languages").at(0).text_or("");
    return first.empty() || first == "*" ? "en-US" : first;
}

Result<Target> load_target(const TargetOptions& options) {
    Target out;
    std::error_code error;
    out.file = std::filesystem::canonical(options.file, error);
    if (error) return Error(ErrorCode::not_found, options.file.string() + ": " + error.message());
    plugin_host::TrustPolicy trust;
    trust.allow_drafts = true;
    auto facts = plugin_host::Loader({}, trust).inspect(out.file);
    if (!facts) return facts.error();
    out.facts = std::move(*facts);
    auto document = base::JsonDocument::parse(out.facts.descriptor.text);
    if (!document) return document.error();
    out.descriptor = std::make_shared<const base::JsonDocument>(std::move(*document));
    out.fixtures = std::filesystem::absolute(options.fixtures.empty() ? out.file.parent_path() : options.fixtures);
    out.plugins = std::filesystem::absolute(options.plugins.empty() ? out.file.parent_path().parent_path() : options.plugins);

    out.dial = options.dial.empty() ? out.verify("dial").text_or("") : options.dial;

    auto given = options_of(options, out.verify("config"));
    if (!given) return given.error();
    auto checked = usable(config::check_schema(out.facts.descriptor.config_schema, *given));
    if (!checked) return checked.error().with_context("the options don't fit the plugin's schema");
    out.config_json = config::to_json(*checked);
    out.config_pairs = config::flatten(*checked);
    for (std::string& secret : config::secrets_in(*checked))
        if (secret.size() >= 4) out.secrets.push_back(std::move(secret));
    return out;
}

}  // namespace jackfield::conformance
