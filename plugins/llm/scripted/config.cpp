#include "config.hpp"

#include <fstream>
#include <iterator>

namespace jackfield::scripted {
namespace {

constexpr std::size_t max_script_bytes = 1024 * 1024;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw sdk::Failure(JF_E_NOT_FOUND, path + ": cannot be read; option `script` is relative to the host's working directory");
    std::string text(max_script_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || text.empty()) throw sdk::Failure(JF_E_INVALID, path + ": is empty or cannot be read");
    if (text.size() > max_script_bytes) throw sdk::Failure(JF_E_INVALID, path + ": is larger than 1 MiB");
    return text;
}

[[noreturn]] void refuse(const sdk::Host& host, const std::string& file, const std::vector<ScriptError>& errors) {
    std::string text = errors.size() == 1 ? "" : std::to_string(errors.size()) + " errors: ";
    for (std::size_t i = 0; i < errors.size(); ++i) {
        const std::string line = errors[i].text(file);
        host.log(JF_LOG_ERROR, "llm.script_error", {{"error", line}});
        text += (i ? " | " : "") + line;
    }
    throw sdk::Failure(JF_E_INVALID, text);
}

}  // namespace

Options read_options(const sdk::Host& host, const sdk::Config& config) {
    const std::string path = config.text("script");
    const std::string text = config.text("script_inline");
    if (path.empty() == text.empty())
        throw sdk::Failure(JF_E_INVALID, "one of the options `script` (a TOML file) and `script_inline` (its text) is needed, and only one");

    Options out;
    out.file = path.empty() ? "script_inline" : path;
    out.token_delay = std::chrono::milliseconds(config.integer("token_delay_ms", 0));
    LoadedScript loaded = load_script(path.empty() ? text : read_file(path));
    if (!loaded.script) refuse(host, out.file, loaded.errors);
    out.script = std::move(*loaded.script);
    return out;
}

}  // namespace jackfield::scripted
