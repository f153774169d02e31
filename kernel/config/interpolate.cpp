#include "config/interpolate.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace jackfield::config {
namespace {

bool is_variable_name(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9');
    });
}

void put_secret(Interpolated& out, std::string text, const std::string& source) {
    if (!base::is_valid_utf8(text) || text.find('\0') != std::string::npos) {
        out.faults.push_back({source + " holds bytes that are not text", "store it as UTF-8"});
        return;
    }
    out.text += text;
    if (!text.empty()) out.secrets.push_back(std::move(text));
}

void put_variable(Interpolated& out, std::string_view reference, const Environment& environment) {
    const std::size_t dash = reference.find(":-");
    const std::string name(reference.substr(0, dash));
    if (!is_variable_name(name)) {
        out.faults.push_back({"'" + name + "' is not the name of an environment variable",
                              "write ${env:NAME} or ${env:NAME:-default}"});
        return;
    }
    std::optional<std::string> found = environment.variable(name);
    const bool has_default = dash != std::string_view::npos;
    if (found && !(has_default && found->empty())) {
        put_secret(out, std::move(*found), "the environment variable " + name);
    } else if (has_default) {
        out.text += reference.substr(dash + 2);
    } else {
        out.faults.push_back({"the environment variable " + name + " is not set",
                              "set " + name + ", or write ${env:" + name + ":-default}"});
    }
}

void put_file(Interpolated& out,
              std::string_view reference,
              const std::filesystem::path& directory,
              const Environment& environment) {
    if (reference.empty()) {
        out.faults.push_back({"${file:} names no file", "write ${file:path}"});
        return;
    }
    const std::filesystem::path path = directory / std::filesystem::path(reference);
    base::Result<std::string> content = environment.read_file(path);
    if (!content) {
        out.faults.push_back(
            {content.error().text(),
             "make the file; a relative path starts at the folder of this configuration file"});
        return;
    }
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    put_secret(out, std::move(*content), path.string());
}

}  // namespace

Interpolated interpolate(std::string_view text,
                         const std::filesystem::path& directory,
                         const Environment& environment) {
    Interpolated out;
    while (!text.empty()) {
        const std::size_t dollar = text.find('$');
        out.text += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar);
        if (text.starts_with("$$")) {
            out.text += '$';
            text.remove_prefix(2);
        } else if (!text.starts_with("${")) {
            out.text += '$';
            text.remove_prefix(1);
        } else {
            const std::size_t end = text.find('}');
            if (end == std::string_view::npos) {
                out.faults.push_back({"a reference that begins with '${' has no '}'",
                                      "close it, or write $${ for the two characters"});
                break;
            }
            const std::string_view reference = text.substr(2, end - 2);
            text.remove_prefix(end + 1);
            out.replaced = true;
            if (reference.starts_with("env:"))
                put_variable(out, reference.substr(4), environment);
            else if (reference.starts_with("file:"))
                put_file(out, reference.substr(5), directory, environment);
            else
                out.faults.push_back(
                    {"'${" + std::string(reference.substr(0, 40)) + "}' is not a known reference",
                     "write ${env:NAME}, ${env:NAME:-default} or ${file:path}; $${ stands for the "
                     "characters themselves"});
        }
    }
    return out;
}

}  // namespace jackfield::config
