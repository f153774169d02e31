#include "app/plugin_new.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <set>
#include <system_error>

#include "app/plugin_templates.hpp"
#include "base/json.hpp"

namespace jackfield::app {
namespace {

using base::Error;
using base::ErrorCode;

/// The example's folder of a language: plugins/tts/example, plugins/tts/example_c.
std::string example_of(const std::string& language) {
    if (language == "c++") return "example";
    return "example_" + language;
}

std::string language_of(const std::string& folder) { return folder == "example" ? "c++" : folder.substr(folder.find('_') + 1); }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Where the example's name stands as a name and not as an English word: in its id and identifiers ("tts/example", tts_example), at the
/// beginning of a quoted name, or wherever it has a language's suffix. Another kind's example keeps its name.
bool stands_as_name(std::string_view text, std::size_t at, std::string_view name, const std::string& kind) {
    const std::size_t end = at + name.size();
    if (end < text.size() && is_word(text[end])) return false;
    const std::string_view before = text.substr(0, at);
    if (before.ends_with(kind + "/") || before.ends_with(kind + "_")) return true;
    if (name != "example") return before.empty() || (!is_word(before.back()) && before.back() != '/');
    return before.ends_with("\"") || before.ends_with("NAME ");
}

std::string renamed(std::string_view text, std::string_view from, std::string_view to, const std::string& kind) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with(from) && stands_as_name(text, at, from, kind)) {
            out += to;
            at += from.size();
        } else {
            out += text[at++];
        }
    }
    return out;
}

/// `"key": "..."` of a descriptor, with another value.
void set_text(std::string& json, std::string_view key, std::string_view value) {
    const std::string name = fmt::format("\"{}\": \"", key);
    const std::size_t at = json.find(name);
    if (at == std::string::npos) return;
    const std::size_t begin = at + name.size();
    json.replace(begin, json.find('"', begin) - begin, value);
}

/// The example's own CMakeLists, which builds it inside our tree, as a project of its own.
std::string cmake_project(std::string_view own, const std::string& kind, const std::string& name) {
    return fmt::format(
        "cmake_minimum_required(VERSION 3.25)\nproject({0} LANGUAGES C CXX)\n\n"
        "# The installed package; where it lies elsewhere than in /usr, say -DCMAKE_PREFIX_PATH=<prefix>.\n"
        "find_package(Jackfield REQUIRED COMPONENTS PluginApi)\n\n{1}\n"
        "enable_testing()\nadd_executable(plugin_test plugin_test.cpp)\ntarget_compile_features(plugin_test PRIVATE cxx_std_20)\n"
        "target_link_libraries(plugin_test PRIVATE jackfield::plugin_api ${{CMAKE_DL_LIBS}})\n"
        "add_test(NAME plugin COMMAND plugin_test $<TARGET_FILE:plugin_{2}_{0}>)\n",
        name, own, kind);
}

/// One row for each option of the descriptor's schema.
std::string option_rows(const base::JsonDocument& descriptor) {
    std::string out;
    for (const auto& [name, option] : descriptor.root()["config_schema"]["properties"].members())
        out += fmt::format("| `{}` | {} | {} |\n", name, option["default"].absent() ? "" : option["default"].dump(),
                           option["description"].text_or(""));
    return out.empty() ? "It has no options yet.\n" : "| option | default | |\n|---|---|---|\n" + out;
}

std::string readme(const NewPlugin& wanted, const std::string& kind, const std::string& name, const base::JsonDocument& descriptor) {
    const std::string file = "build/plugins/" + wanted.id + ".so";
    const std::string build = wanted.language == "c++" ? "cmake -S . -B build && cmake --build build\nctest --test-dir build" : "make\nmake check";
    return fmt::format(
        "# {0}\n\n{1}\n\n```sh\n{2}\njackfield plugin lint {3}      # what is wrong with the file\n"
        "jackfield plugin verify {3}    # what it does against the contract\n```\n\nIn a tenant's configuration:\n\n"
        "```toml\n[providers.{4}]\nplugin = \"{0}\"\n```\n\n{5}\n"
        "The file belongs into a folder `{6}/` of the host's plugin search path (`[host] plugins`). The interface's contract stands in\n"
        "`jackfield/{7}.h`.\n",
        wanted.id, descriptor.root()["summary"].text_or(""), build, file, name, option_rows(descriptor), kind,
        kind == "storage" ? "records" : kind);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

/// Its scalar options as the host would fill them in, with those of "verify" before the defaults, as TestInstance takes them.
std::string options_of(const base::JsonDocument& descriptor) {
    const auto text_of = [](base::JsonView value) { return value.is_string() ? value.text_or("") : value.dump(); };
    const auto is_scalar = [](base::JsonView value) { return value.is_string() || value.is_number() || value.is_bool(); };
    std::map<std::string, std::string> options;
    for (const auto& [name, option] : descriptor.root()["config_schema"]["properties"].members())
        if (is_scalar(option["default"])) options[std::string(name)] = text_of(option["default"]);
    for (const auto& [name, value] : descriptor.root()["verify"]["config"].members())
        if (is_scalar(value)) options[std::string(name)] = text_of(value);
    std::string out;
    for (const auto& [name, value] : options) {
        out += out.empty() ? "{\"" : ", {\"";
        out += name + "\", ";
        base::append_json_string(out, value);
        out += "}";
    }
    return "{" + out + "}";
}

/// For an example without a test of its own: that it starts, has its interfaces, and leaves nothing behind.
std::string first_test(const std::string& id, const base::JsonDocument& descriptor) {
    std::string out, provides;
    for (const PluginTemplateFile& file : plugin_template_files())
        if (file.path == "packaging/templates/plugin_test.cpp") out = file.text;
    const base::JsonView list = descriptor.root()["provides"];
    for (std::size_t i = 0; i < list.size(); ++i) provides += (i ? ", \"" : "\"") + list.at(i).text_or("") + "\"";
    replace_all(out, "@PROVIDES@", provides);
    replace_all(out, "@OPTIONS@", options_of(descriptor));
    replace_all(out, "@FILE@", "build/plugins/" + id + ".so");
    return out;
}

struct Example {
    std::map<std::string, std::string_view> files; ///< by name inside the example's folder
    std::set<std::string> kinds, languages;        ///< there are: languages of this kind
};

Example find_example(const std::string& kind, const std::string& language) {
    Example out;
    for (const PluginTemplateFile& file : plugin_template_files()) {
        if (!file.path.starts_with("plugins/")) continue;
        const std::string path(file.path.substr(std::string_view("plugins/").size()));
        const std::size_t slash = path.find('/'), second = path.find('/', slash + 1);
        const std::string folder = path.substr(slash + 1, second - slash - 1);
        out.kinds.insert(path.substr(0, slash));
        if (path.substr(0, slash) != kind) continue;
        out.languages.insert(language_of(folder));
        if (folder == example_of(language)) out.files[path.substr(second + 1)] = file.text;
    }
    return out;
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && text.front() >= 'a' && text.front() <= 'z' &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

base::Result<std::map<std::string, std::string>> new_plugin_files(const NewPlugin& wanted) {
    const std::size_t slash = wanted.id.find('/');
    const std::string kind = wanted.id.substr(0, slash);
    const std::string name = slash == std::string::npos ? "" : wanted.id.substr(slash + 1);
    if (!is_name(name))
        return Error(ErrorCode::invalid, "'" + wanted.id + "': wanted is kind/name, like tts/acme; the name of lower-case letters, digits and underscores");
    for (const std::string& text : {wanted.vendor, wanted.licence})
        if (text.empty() || text.find_first_of("\"\\\n") != std::string::npos)
            return Error(ErrorCode::invalid, "'" + text + "': a vendor and a licence are one line without quotes");
    const Example example = find_example(kind, wanted.language);
    if (!example.kinds.contains(kind)) return Error(ErrorCode::not_found, fmt::format("no kind is called '{}'; there are {}", kind, fmt::join(example.kinds, ", ")));
    if (example.files.empty())
        return Error(ErrorCode::not_found, fmt::format("there is no {} plugin in '{}' to begin with; there are {}", kind, wanted.language,
                                                       fmt::join(example.languages, ", ")));

    std::map<std::string, std::string> out;
    for (const auto& [file, text] : example.files)
        out[file] = renamed(text, example_of(wanted.language), name, kind);
    std::string& json = out["plugin.json"];
    set_text(json, "vendor", wanted.vendor);
    set_text(json, "licence", wanted.licence);
    const auto descriptor = base::JsonDocument::parse(json);
    if (!descriptor) return Error(ErrorCode::internal, "the example's plugin.json: " + descriptor.error().text());
    if (!out.contains("plugin_test.cpp")) out["plugin_test.cpp"] = first_test(wanted.id, *descriptor);
    if (wanted.language == "c++") out["CMakeLists.txt"] = cmake_project(out["CMakeLists.txt"], kind, name);
    out["README.md"] = readme(wanted, kind, name, *descriptor);
    out[".gitignore"] = "build/\n";
    return out;
}

std::string languages_text() {
    std::map<std::string, std::set<std::string>> kinds; // by language
    for (const PluginTemplateFile& file : plugin_template_files()) {
        if (!file.path.starts_with("plugins/")) continue;
        const std::string path(file.path.substr(std::string_view("plugins/").size()));
        const std::size_t slash = path.find('/'), second = path.find('/', slash + 1);
        kinds[language_of(path.substr(slash + 1, second - slash - 1))].insert(path.substr(0, slash));
    }
    const std::set<std::string>& all = kinds["c++"];
    std::string out = "c++ for every kind";
    for (const auto& [language, some] : kinds)
        if (language != "c++") out += fmt::format("; {} for {}", language, some == all ? "every kind" : fmt::format("{}", fmt::join(some, ", ")));
    return out;
}

int run_plugin_new(const CommonOptions& common, const NewPlugin& wanted) {
    const auto files = new_plugin_files(wanted);
    if (!files) return fail(files.error().text(), exit_usage);
    const std::filesystem::path folder = wanted.to.empty() ? std::filesystem::path(wanted.id.substr(wanted.id.find('/') + 1)) : wanted.to;
    std::error_code problem;
    if (std::filesystem::exists(folder, problem) && !std::filesystem::is_empty(folder, problem))
        return fail(folder.string() + " has something in it already", exit_usage);
    std::filesystem::create_directories(folder, problem);
    if (problem) return fail(folder.string() + ": " + problem.message());
    base::JsonWriter json;
    json.begin_object().member("folder", folder.string()).key("files").begin_array();
    for (const auto& [name, text] : *files) {
        std::filesystem::create_directories((folder / name).parent_path(), problem);
        std::ofstream file(folder / name, std::ios::binary);
        file << text;
        file.close();
        if (!file) return fail((folder / name).string() + " could not be written");
        json.value(name);
        if (!common.json) std::cout << (folder / name).string() << "\n";
    }
    json.end_array().end_object();
    if (common.json) std::cout << json.str() << "\n";
    else std::cout << "\n" << wanted.id << ": " << (folder / "README.md").string() << " says how to build and try it.\n";
    return exit_ok;
}

}  // namespace jackfield::app
