#include <algorithm>

#include "base/json.hpp"
#include "plugin_kit/package.hpp"

namespace jackfield::plugin_kit {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonView;
using base::JsonWriter;
using base::Result;

constexpr std::int64_t format = 1;
constexpr std::size_t longest_text = 1000;

Error bad(std::string_view key, std::string_view what) {
    return Error(ErrorCode::invalid, "manifest.json: \"" + std::string(key) + "\" " + std::string(what));
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && text.front() >= 'a' && text.front() <= 'z' && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_id(std::string_view id) {
    const std::size_t slash = id.find('/');
    return slash != std::string_view::npos && is_name(id.substr(0, slash)) && is_name(id.substr(slash + 1));
}

bool is_sha256(std::string_view text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

bool is_arch(std::string_view text) {
    return !text.empty() && text.size() <= 32 && is_plain_path(text) && text.find('/') == std::string_view::npos;
}

void write_files(JsonWriter& json, std::string_view key, const std::vector<PackedFile>& files) {
    json.key(key).begin_array();
    for (const PackedFile& file : files) {
        json.begin_object().member("path", file.path);
        if (!file.arch.empty()) json.member("arch", file.arch);
        json.member("size", file.size).member("sha256", file.sha256).end_object();
    }
    json.end_array();
}

Result<PackedFile> read_file_of(JsonView value, std::string_view key, bool plugin) {
    PackedFile out;
    out.path = value["path"].text_or("");
    out.arch = value["arch"].text_or("");
    out.sha256 = value["sha256"].text_or("");
    const std::int64_t size = value["size"].integer_or(-1);
    if (!is_plain_path(out.path)) return bad(key, "holds a path that is no plain relative one");
    if (!is_sha256(out.sha256) || size < 0) return bad(key, "holds a file without size and SHA-256");
    if (plugin != is_arch(out.arch)) return bad(key, plugin ? "holds a plugin file without its architecture" : "holds a document with an architecture");
    out.size = static_cast<std::uint64_t>(size);
    return out;
}

Result<std::vector<PackedFile>> read_files(JsonView list, std::string_view key, bool plugins) {
    std::vector<PackedFile> out;
    if (!list.is_array() || list.size() > 32) return bad(key, "should be an array of at most 32 files");
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto file = read_file_of(list.at(i), key, plugins);
        if (!file) return file.error();
        for (const PackedFile& other : out)
            if (other.path == file->path || (plugins && other.arch == file->arch)) return bad(key, "names a file or an architecture twice");
        out.push_back(std::move(*file));
    }
    return out;
}

Result<> read_texts(JsonView root, Manifest& out) {
    const std::pair<const char*, std::string*> texts[] = {
        {"id", &out.id}, {"version", &out.version}, {"vendor", &out.vendor}, {"licence", &out.licence}, {"summary", &out.summary}};
    for (const auto& [key, target] : texts) {
        *target = root[key].text_or("");
        if (target->empty() || target->size() > longest_text) return bad(key, "should be a text");
    }
    if (!is_id(out.id)) return bad("id", "should be <kind>/<name>");
    if (out.version.size() > 200 || out.version.front() < '0' || out.version.front() > '9') return bad("version", "should start with a digit");
    return {};
}

}  // namespace

const PackedFile* Manifest::plugin_for(std::string_view arch) const {
    const auto found = std::find_if(plugins.begin(), plugins.end(), [&](const PackedFile& file) { return file.arch == arch; });
    return found == plugins.end() ? nullptr : &*found;
}

std::string manifest_json(const Manifest& manifest) {
    JsonWriter json;
    json.begin_object().member("jackfield_package", format).member("id", manifest.id).member("version", manifest.version);
    json.member("vendor", manifest.vendor).member("licence", manifest.licence).member("summary", manifest.summary);
    json.key("abi").begin_object().member("major", manifest.abi_major).member("need_minor", manifest.abi_need_minor).end_object();
    write_files(json, "plugins", manifest.plugins);
    write_files(json, "documents", manifest.documents);
    json.end_object();
    return json.take() + "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
    const auto document = base::JsonDocument::parse(text, {.bytes = 256 * 1024, .depth = 8});
    if (!document) return document.error().with_context("manifest.json");
    const JsonView root = document->root();
    if (!root.is_object()) return Error(ErrorCode::invalid, "manifest.json: it should be an object");
    if (root["jackfield_package"].integer_or(0) != format)
        return Error(ErrorCode::too_new, "manifest.json: wanted: \"jackfield_package\": 1; offered: " +
                                             (root["jackfield_package"].absent() ? "none" : root["jackfield_package"].dump()) + "; remedy: install it with a later jackfield");
    Manifest out;
    if (auto read = read_texts(root, out); !read) return read.error();
    const std::int64_t major = root["abi"]["major"].integer_or(-1);
    const std::int64_t minor = root["abi"]["need_minor"].integer_or(-1);
    if (major < 0 || major > 100000 || minor < 0 || minor > 100000) return bad("abi", "should hold major and need_minor");
    out.abi_major = static_cast<std::uint32_t>(major);
    out.abi_need_minor = static_cast<std::uint32_t>(minor);
    auto plugins = read_files(root["plugins"], "plugins", true);
    if (!plugins) return plugins.error();
    if (plugins->empty()) return bad("plugins", "names no plugin file");
    auto documents = read_files(root["documents"], "documents", false);
    if (!documents) return documents.error();
    out.plugins = std::move(*plugins);
    out.documents = std::move(*documents);
    return out;
}

}  // namespace jackfield::plugin_kit
