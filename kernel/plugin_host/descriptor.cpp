#include "plugin_host/descriptor.hpp"

#include "base/assert.hpp"
#include "base/json.hpp"
#include "plugin_host/elf_agreement.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

namespace jackfield::plugin_host {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonDocument;
using base::JsonView;
using base::Result;

constexpr std::string_view entry_symbol = "jf_module_entry_v1";
constexpr std::array<std::string_view, 9> kinds{
    "telephony", "stt", "tts", "llm", "messaging", "storage", "tools", "telemetry", "service"};

Error bad(std::string_view key, std::string_view what) {
    return Error(ErrorCode::invalid, fmt::format("\"{}\" {}", key, what));
}

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && is_lower(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_lower(c) || is_digit(c) || c == '_';
           });
}

/// "jf.stt/1": dotted lower-case words, a slash, a number.
bool is_interface_id(std::string_view id) {
    const std::size_t slash = id.rfind('/');
    if (slash == std::string_view::npos || slash == 0 || id.size() > 96) return false;
    const std::string_view words = id.substr(0, slash), number = id.substr(slash + 1);
    return is_lower(words.front()) && !number.empty() && number.size() <= 4 &&
           std::all_of(number.begin(), number.end(), is_digit) &&
           std::all_of(words.begin(), words.end(), [](char c) {
               return is_lower(c) || is_digit(c) || c == '_' || c == '.';
           });
}

bool is_draft(std::string_view interface_id) {
    return interface_id.ends_with("/0");
}

/// A member that must be a string with something in it.
Result<std::string> text_of(JsonView object, std::string_view key, std::size_t longest = 200) {
    const JsonView member = object[key];
    if (member.absent()) return bad(key, "is missing: it should be a string");
    if (!member.is_string()) return bad(key, "should be a string");
    std::string text = member.text_or("");
    if (text.empty()) return bad(key, "is empty");
    if (text.size() > longest) return bad(key, fmt::format("is longer than {} bytes", longest));
    return text;
}

Result<std::vector<std::string>> interfaces_of(JsonView object, std::string_view key) {
    std::vector<std::string> out;
    const JsonView list = object[key];
    if (list.absent()) return out;
    if (!list.is_array()) return bad(key, "should be an array of interface ids like \"jf.stt/1\"");
    if (list.size() > 64) return bad(key, "has more than 64 entries");
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string id = list.at(i).text_or("");
        if (!is_interface_id(id))
            return bad(key,
                       fmt::format("has no interface id like \"jf.stt/1\" at place {}", i + 1));
        if (std::find(out.begin(), out.end(), id) != out.end())
            return bad(key, fmt::format("names \"{}\" twice", id));
        out.push_back(id);
    }
    return out;
}

Result<std::string> object_of(JsonView object, std::string_view key, std::string_view otherwise) {
    const JsonView member = object[key];
    if (member.absent()) return std::string(otherwise);
    if (!member.is_object()) return bad(key, "should be an object");
    return member.dump();
}

Result<> take_identity(JsonView root, Descriptor& out) {
    Result<std::string> id = text_of(root, "id");
    if (!id) return id.error();
    const std::size_t slash = id->find('/');
    out.kind = id->substr(0, slash);
    out.name = slash == std::string::npos ? "" : id->substr(slash + 1);
    if (std::find(kinds.begin(), kinds.end(), out.kind) == kinds.end() || !is_name(out.name))
        return bad(
            "id",
            fmt::format(
                "is \"{}\": it should be <kind>/<name> with one of the kinds {} and a name of "
                "lower-case letters, digits and underscores",
                *id,
                fmt::join(kinds, " ")));
    out.id = std::move(*id);
    const std::pair<std::string_view, std::string*> texts[] = {{"version", &out.version},
                                                               {"vendor", &out.vendor},
                                                               {"licence", &out.licence},
                                                               {"summary", &out.summary}};
    for (const auto& [key, target] : texts) {
        Result<std::string> text = text_of(root, key, key == "summary" ? 1000 : 200);
        if (!text) return text.error();
        *target = std::move(*text);
    }
    if (!is_digit(out.version.front()))
        return bad("version", "should start with a digit, like \"1.2.0\"");
    return {};
}

Result<> take_abi(JsonView root, Descriptor& out) {
    const JsonView abi = root["abi"];
    if (abi.absent()) return {};
    if (!abi.is_object()) return bad("abi", "should be an object");
    if (const JsonView minor = abi["need_minor"]; !minor.absent()) {
        const std::int64_t value = minor.is_integer() ? minor.integer_or(-1) : -1;
        if (value < 0 || value > 100'000)
            return bad("abi.need_minor", "should be a small whole number");
        out.need_minor = static_cast<std::uint32_t>(value);
    }
    if (const JsonView drafts = abi["drafts"]; !drafts.absent()) {
        if (!drafts.is_bool()) return bad("abi.drafts", "should be true or false");
        out.drafts = drafts.boolean_or(false);
    }
    return {};
}

Result<> take_interfaces(JsonView root, Descriptor& out) {
    Result<std::vector<std::string>> provides = interfaces_of(root, "provides");
    if (!provides) return provides.error();
    if (provides->empty())
        return bad("provides", "names no interface: a plugin provides at least one");
    Result<std::vector<std::string>> needs = interfaces_of(root, "requires");
    if (!needs) return needs.error();
    out.provides = std::move(*provides);
    out.needs = std::move(*needs);
    for (const auto* list : {&out.provides, &out.needs})
        for (const std::string& id : *list)
            if (is_draft(id) && !out.drafts)
                return bad("abi.drafts",
                           fmt::format("should be true, since \"{}\" is a draft interface", id));
    return {};
}

struct Refusal {
    ErrorCode code;
    std::string what;
    std::string wanted;
    std::string offered;
    std::string remedy;
};

Error refuse(std::string_view file, const Refusal& r) {
    return Error(r.code,
                 fmt::format("{}: {}; wanted: {}; offered: {}; remedy: {}",
                             file,
                             r.what,
                             r.wanted,
                             r.offered,
                             r.remedy));
}

std::string first_bytes(std::span<const std::byte> bytes) {
    if (bytes.empty()) return "an empty file";
    std::string out;
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 4); ++i)
        out += fmt::format("{}{:02x}", i ? " " : "", std::to_integer<unsigned>(bytes[i]));
    return fmt::format("{} bytes that start with {}", bytes.size(), out);
}

Refusal refusal_of(const Error& error, std::span<const std::byte> bytes) {
    const std::string wanted =
        fmt::format("an ELF64 shared object for {}", machine_name(host_machine()));
    if (error.code() == ErrorCode::unsupported)
        return {error.code(),
                "foreign architecture: " + error.text(),
                wanted,
                "a file for another kind of machine",
                "install the plugin's build for " + machine_name(host_machine())};
    const bool is_elf = bytes.size() >= 4 && std::to_integer<int>(bytes[0]) == 0x7f &&
                        std::to_integer<int>(bytes[1]) == 'E';
    return {
        error.code(),
        is_elf ? "damaged ELF file: " + error.text() : error.text(),
        wanted,
        is_elf ? fmt::format("{} bytes", bytes.size()) : first_bytes(bytes),
        is_elf ? "copy or build the file again" : "keep only plugin files in the plugin folder"};
}

std::string listed(const std::vector<std::string>& names) {
    if (names.empty()) return "nothing";
    const std::size_t shown = std::min<std::size_t>(names.size(), 5);
    std::string out = fmt::format(
        "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (names.size() > shown) out += fmt::format(" and {} more", names.size() - shown);
    return out;
}

std::optional<Refusal> check_machine(const ElfFacts& elf) {
    if (elf.machine == host_machine()) return std::nullopt;
    return Refusal{ErrorCode::unsupported,
                   "foreign architecture",
                   machine_name(host_machine()),
                   machine_name(elf.machine),
                   "install the plugin's build for " + machine_name(host_machine())};
}

std::optional<Refusal> check_abi(const ElfFacts& elf, const HostAbi& host) {
    const std::string wanted =
        fmt::format("plugin ABI major {}, minor at most {}", host.major, host.minor);
    if (!elf.note)
        return Refusal{ErrorCode::invalid,
                       "it has no Jackfield note, so it is no plugin",
                       wanted,
                       "no ABI version",
                       "build it with jackfield_add_plugin()"};
    const std::string offered =
        fmt::format("major {}, needs minor {}", elf.note->abi_major, elf.note->abi_need_minor);
    if (elf.note->abi_major != host.major)
        return Refusal{ErrorCode::unsupported,
                       "wrong ABI major",
                       wanted,
                       offered,
                       elf.note->abi_major > host.major
                           ? "upgrade the host, or install the plugin's build for this host"
                           : "install a newer release of the plugin"};
    if (elf.note->abi_need_minor > host.minor)
        return Refusal{
            ErrorCode::too_new,
            "it needs a later host",
            wanted,
            offered,
            fmt::format(
                "upgrade the host to ABI {}.{} or later", host.major, elf.note->abi_need_minor)};
    if ((elf.note->flags & JF_MODULE_USES_DRAFTS) && !host.allow_drafts)
        return Refusal{
            ErrorCode::unsupported,
            "it uses draft interfaces",
            "interfaces that no longer change",
            "the drafts flag",
            "opt in with `drafts = true` in [host], or use a release without them"};
    return std::nullopt;
}

std::optional<Refusal> check_exports(const ElfFacts& elf) {
    if (elf.exports.size() == 1 && elf.exports.front() == entry_symbol) return std::nullopt;
    return Refusal{ErrorCode::invalid,
                   "it should export one symbol",
                   std::string(entry_symbol) + " and nothing else",
                   listed(elf.exports),
                   "link it with jackfield_add_plugin()'s version script"};
}

std::optional<Refusal> check_agreement(const jf_note& note, const Descriptor& descriptor) {
    const bool note_drafts = (note.flags & JF_MODULE_USES_DRAFTS) != 0;
    if (note.abi_need_minor == descriptor.need_minor && note_drafts == descriptor.drafts)
        return std::nullopt;
    return Refusal{
        ErrorCode::invalid,
        "its note and its descriptor disagree",
        fmt::format("need_minor {}, drafts {} as in the descriptor",
                    descriptor.need_minor,
                    descriptor.drafts),
        fmt::format("need_minor {}, drafts {} in the note", note.abi_need_minor, note_drafts),
        "build it again from its description"};
}

/// Sections end as the file that they were made from did: a newline, and padding from some linkers.
std::string_view trimmed(std::string_view text) {
    const std::size_t last = text.find_last_not_of(std::string_view(" \t\r\n\0", 5));
    return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

bool Descriptor::provides_interface(std::string_view interface_id) const {
    return std::find(provides.begin(), provides.end(), interface_id) != provides.end();
}

Result<Descriptor> parse_descriptor(std::string_view json) {
    const Result<JsonDocument> document = JsonDocument::parse(json);
    if (!document) return document.error().with_context("it is no JSON");
    const JsonView root = document->root();
    if (!root.is_object()) return Error(ErrorCode::invalid, "it should be a JSON object");

    Descriptor out;
    for (auto* take : {&take_identity, &take_abi, &take_interfaces})
        if (Result<> done = (*take)(root, out); !done) return done.error();

    Result<std::string> schema =
        object_of(root, "config_schema", R"({"type":"object","properties":{}})");
    if (!schema) return schema.error();
    if (const JsonView type = root["config_schema"]["type"];
        !type.absent() && type.text_or("") != "object")
        return bad("config_schema.type", "should be \"object\"");
    Result<std::string> capabilities = object_of(root, "capabilities", "{}");
    if (!capabilities) return capabilities.error();
    out.config_schema = std::move(*schema);
    out.capabilities = std::move(*capabilities);
    out.text = root.dump();
    return out;
}

Result<PluginFile> inspect_plugin(std::span<const std::byte> bytes,
                                  std::string file_name,
                                  const HostAbi& host) {
    Result<ElfFacts> elf = read_elf(bytes);
    if (!elf) return refuse(file_name, refusal_of(elf.error(), bytes));
    // Machine and major first: what another machine or another major means by the rest is not ours
    // to judge.
    if (const auto no = check_machine(*elf)) return refuse(file_name, *no);
    if (const auto no = check_abi(*elf, host)) return refuse(file_name, *no);
    if (const auto no = check_exports(*elf)) return refuse(file_name, *no);
    if (!elf->descriptor)
        return refuse(file_name,
                      {ErrorCode::invalid,
                       "it has no descriptor",
                       "the section " JF_DESCRIPTOR_SECTION,
                       "no such section",
                       "build it with jackfield_add_plugin(), and strip no sections from it"});
    Result<Descriptor> descriptor = parse_descriptor(trimmed(*elf->descriptor));
    if (!descriptor)
        return refuse(file_name,
                      {ErrorCode::invalid,
                       "its descriptor is wrong",
                       "a descriptor as docs/plugins describes it",
                       descriptor.error().text(),
                       "correct the plugin's description and build it again"});
    if (const auto no = check_agreement(*elf->note, *descriptor)) return refuse(file_name, *no);
    if (const auto sound = check_loading(bytes); !sound)
        return refuse(file_name,
                      {ErrorCode::invalid,
                       "the dynamic loader should not touch it: " + sound.error().text(),
                       "program headers and a dynamic section that agree with the section headers",
                       "a file in which they do not",
                       "copy or build the file again, with the linker's usual options"});

    PluginFile file;
    file.file_name = std::move(file_name);
    file.size = bytes.size();
    file.sha256 = sha256_hex(bytes);
    file.note = *elf->note;
    file.descriptor = std::move(*descriptor);
    file.elf = std::move(*elf);
    return file;
}

std::string explain(const PluginFile& file) {
    const Descriptor& d = file.descriptor;
    std::string out =
        fmt::format("{} {} by {} ({})\n  {}\n", d.id, d.version, d.vendor, d.licence, d.summary);
    const auto line = [&](std::string_view label, std::string_view value) {
        out += fmt::format("  {:<14}{}\n", label, value);
    };
    line(
        "file",
        fmt::format("{}, {} bytes, {}", file.file_name, file.size, machine_name(file.elf.machine)));
    line("sha256", file.sha256);
    line("abi",
         fmt::format("{}.{} needed, built against {}.{}{}",
                     file.note.abi_major,
                     file.note.abi_need_minor,
                     file.note.abi_major,
                     file.note.abi_built_minor,
                     d.drafts ? ", uses drafts" : ""));
    line("provides", fmt::format("{}", fmt::join(d.provides, " ")));
    line("requires", d.needs.empty() ? "nothing" : fmt::format("{}", fmt::join(d.needs, " ")));
    line("libraries",
         file.elf.needed.empty() ? "none" : fmt::format("{}", fmt::join(file.elf.needed, " ")));
    line("capabilities", d.capabilities);

    const Result<JsonDocument> schema = JsonDocument::parse(d.config_schema);
    const auto options = schema ? schema->root()["properties"].members()
                                : std::vector<std::pair<std::string_view, JsonView>>{};
    if (!options.empty()) out += "  options\n";
    for (const auto& [name, option] : options)
        out += fmt::format(
            "    {:<22}{}{}{}\n",
            name,
            option["type"].text_or("any"),
            option["default"].absent() ? "" : ", default " + option["default"].dump(),
            option["description"].absent() ? "" : ": " + option["description"].text_or(""));

    if (!file.elf.rpath.empty()) line("note", "has an RPATH: " + file.elf.rpath);
    if (!file.elf.runpath.empty()) line("note", "has a RUNPATH: " + file.elf.runpath);
    if (file.elf.executable_stack) line("note", "asks for an executable stack");
    if (file.elf.constructors) line("note", "runs constructors when it is loaded");
    if (file.elf.static_tls) line("note", "uses static thread-local storage");
    return out;
}

std::string explain_json(const PluginFile& file) {
    const Descriptor& d = file.descriptor;
    base::JsonWriter json;
    const auto list = [&](std::string_view name, const std::vector<std::string>& values) {
        json.key(name).begin_array();
        for (const std::string& value : values) json.value(value);
        json.end_array();
    };
    json.begin_object();
    json.member("file", file.file_name).member("bytes", file.size).member("sha256", file.sha256);
    json.member("machine", machine_name(file.elf.machine));
    json.key("abi").begin_object();
    json.member("major", file.note.abi_major).member("need_minor", file.note.abi_need_minor);
    json.member("built_minor", file.note.abi_built_minor).member("drafts", d.drafts).end_object();
    json.key("descriptor").raw(d.text);
    list("libraries", file.elf.needed);
    json.member("rpath", file.elf.rpath).member("runpath", file.elf.runpath);
    json.member("executable_stack", file.elf.executable_stack)
        .member("constructors", file.elf.constructors);
    json.member("static_tls", file.elf.static_tls);
    json.end_object();
    return json.take();
}

std::string sha256_hex(std::span<const std::byte> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
    JF_ASSERT(done == 1, "OpenSSL's default provider has SHA-256");
    std::string out;
    for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

}  // namespace jackfield::plugin_host
