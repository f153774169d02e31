#include "plugin_host/lint.hpp"

#include "base/json.hpp"
#include "plugin_host/lint_imports.hpp"

#include <algorithm>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace jackfield::plugin_host {
namespace {

constexpr std::string_view entry_symbol = "jf_module_entry_v1";

/// "2.36" as numbers; empty when it is none.
std::vector<unsigned> version_numbers(std::string_view text) {
    std::vector<unsigned> out;
    unsigned number = 0;
    bool digits = false;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            if (number > 100'000) return {};
            number = number * 10 + static_cast<unsigned>(c - '0');
            digits = true;
        } else if (c == '.' && digits) {
            out.push_back(number);
            number = 0;
            digits = false;
        } else {
            return {};
        }
    }
    if (digits) out.push_back(number);
    return out;
}

/// The newest of the versions that start with `prefix`, without it.
std::string newest(const std::vector<std::string>& versions, std::string_view prefix) {
    std::string best;
    for (const std::string& version : versions) {
        if (!version.starts_with(prefix)) continue;
        const std::string number = version.substr(prefix.size());
        if (version_numbers(number).empty()) continue;
        if (best.empty() || version_numbers(best) < version_numbers(number)) best = number;
    }
    return best;
}

class Linter {
  public:
    Linter(std::span<const std::byte> bytes, std::string file_name, const LintOptions& options)
        : bytes_(bytes), options_(options) {
        report_.file = std::move(file_name);
        report_.sha256 = sha256_hex(bytes);
    }

    LintReport run() {
        const base::Result<ElfFacts> elf = read_elf(bytes_);
        if (!elf) {
            error("unreadable", elf.error().text(), "The host refuses what it can't read.",
                  "Build a 64-bit shared object with jackfield_add_plugin().");
            return std::move(report_);
        }
        report_.libraries = elf->needed;
        identity(*elf);
        symbols(*elf);
        loading(*elf);
        versions(*elf);
        lint_imports(*elf, options_.library, report_.findings);
        second_tls_library(*elf);
        descriptor(*elf);
        anything_else();
        std::stable_sort(report_.findings.begin(), report_.findings.end(),
                         [](const LintFinding& a, const LintFinding& b) { return a.severity > b.severity; });
        return std::move(report_);
    }

  private:
    void error(std::string code, std::string what, std::string why, std::string remedy) {
        report_.findings.push_back(
            {std::move(code), Severity::error, std::move(what), std::move(why), std::move(remedy)});
    }
    void warning(std::string code, std::string what, std::string why, std::string remedy) {
        report_.findings.push_back(
            {std::move(code), Severity::warning, std::move(what), std::move(why), std::move(remedy)});
    }

    void identity(const ElfFacts& elf) {
        if (elf.machine != host_machine())
            warning("foreign_machine", "it is for " + machine_name(elf.machine),
                    "This machine can't load it; the other findings hold all the same.",
                    "Check the build for " + machine_name(host_machine()) + " as well.");
        if (!elf.note)
            error("no_note", "it has no Jackfield note",
                  "The host reads the ABI version from it before it loads anything, and refuses a file without.",
                  "Build with jackfield_add_plugin(), which makes the note from plugin.json.");
        if (elf.build_id.empty())
            warning("no_build_id", "it has no build id",
                    "A crash report can't be matched with the build that it came from.",
                    "Link with -Wl,--build-id, and keep the debug file.");
    }

    void symbols(const ElfFacts& elf) {
        std::vector<std::string> others;
        for (const std::string& name : elf.exports)
            if (name != entry_symbol) others.push_back(name);
        if (others.size() == elf.exports.size())
            error("no_entry", fmt::format("it does not export {}", entry_symbol),
                  "That function is the host's only door into a plugin.",
                  "Define it with JF_EXPORT and C linkage; the SDK's JACKFIELD_MODULE does.");
        if (!others.empty()) {
            const std::size_t shown = std::min<std::size_t>(others.size(), 5);
            error("exports",
                  fmt::format("it exports {} besides {}{}",
                              fmt::join(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                              entry_symbol,
                              others.size() > shown ? fmt::format(" and {} more", others.size() - shown) : ""),
                  "Two plugins that export one name can be bound to each other's code.",
                  "Hide everything else: jackfield_add_plugin()'s version script does, also for static libraries.");
        }
        if (!elf.unique.empty())
            error("unique_symbols", fmt::format("{} is a unique symbol", elf.unique.front()),
                  "The process keeps one such object for all libraries, whatever RTLD_LOCAL says: two plugins, or two "
                  "versions of one, would share it.",
                  "Compile with -fno-gnu-unique.");
        if (elf.constructors)
            warning("constructors", "it runs constructors when it is loaded",
                    "They run before the host has looked at the module, outside every barrier: what they throw ends the process.",
                    "Make globals constinit or function-local statics; registration belongs into init or create. "
                    "<iostream> brings one along.");
    }

    void loading(const ElfFacts& elf) {
        if (!elf.rpath.empty() || !elf.runpath.empty())
            error("rpath", fmt::format("it has the library path {}", elf.rpath.empty() ? elf.runpath : elf.rpath),
                  "Which libraries it gets depends on folders of the machine that it was built on; whoever can write "
                  "there runs code in the host.",
                  "Build without one (CMAKE_SKIP_RPATH), and link what isn't packaged statically.");
        if (elf.static_tls)
            error("static_tls", "it uses static thread-local storage",
                  "glibc keeps little room for it beyond program start: with a few such plugins the next one won't load.",
                  "Compile with -fPIC and without -ftls-model=initial-exec, static libraries included.");
        if (elf.executable_stack)
            error("executable_stack", "it asks for an executable stack",
                  "Loading it would make the stacks of the whole host executable, or fail.",
                  "Link with -Wl,-z,noexecstack; an assembler file lacks its .note.GNU-stack, or a nested function is taken the address of.");
        if (elf.text_relocations)
            error("text_relocations", "its code is changed while it is loaded",
                  "Pages that are writable and then executed are refused by hardened systems.",
                  "Compile every object with -fPIC, static libraries included.");
        if (!elf.relro || !elf.bind_now)
            warning("relro",
                    elf.relro ? "its symbols are bound lazily" : "its function table stays writable",
                    "A stray write becomes a jump; and a symbol that is missing shows in the middle of a call and not at the load.",
                    "Link with -Wl,-z,relro -Wl,-z,now.");
    }

    void versions(const ElfFacts& elf) {
        report_.glibc = newest(elf.versions, "GLIBC_");
        report_.libstdcxx = newest(elf.versions, "GLIBCXX_");
        if (!report_.glibc.empty() && version_numbers(options_.glibc_floor) < version_numbers(report_.glibc))
            error("glibc_floor", fmt::format("it needs glibc {}, and {} is to be enough", report_.glibc, options_.glibc_floor),
                  "On older systems the dynamic loader refuses it.",
                  "Build on the oldest system that you support, or raise --glibc-floor.");
        if (std::find(elf.versions.begin(), elf.versions.end(), "GLIBC_PRIVATE") != elf.versions.end())
            error("glibc_private", "it uses glibc's private symbols", "They change without notice, also within a release.",
                  "Link libc dynamically and use its public functions.");
    }

    /// The host has libssl already. A second one inside a plugin misses the distribution's fixes and keeps its own error
    /// queues and random state.
    void second_tls_library(const ElfFacts& elf) {
        const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
        const auto needs = [&](std::string_view library) {
            return std::any_of(elf.needed.begin(), elf.needed.end(),
                               [&](const std::string& name) { return name.starts_with(library); });
        };
        std::string found;
        if (!needs("libcrypto.") && !needs("libssl."))
            if (const std::size_t at = text.find("OpenSSL "); at != std::string_view::npos) found = version_text(text, at);
        for (const std::string_view other : {"BoringSSL", "LibreSSL ", "Mbed TLS ", "wolfSSL "})
            if (found.empty() && text.find(other) != std::string_view::npos) found = other;
        if (found.empty()) return;
        error("second_tls_library", fmt::format("a TLS library is linked into it ({})", found),
              "It does not get the system's security fixes, and its names and its state stand beside the host's own.",
              "Link libssl and libcrypto dynamically, or let the host do TLS.");
    }

    /// "OpenSSL 3.0.17 1 Jul 2025": the text that OpenSSL_version() answers, at some place of the file.
    static std::string version_text(std::string_view text, std::size_t at) {
        static const std::regex pattern(R"(OpenSSL \d+\.\d+\.\d+[a-z]*(-[a-z0-9]+)? +\d{1,2} [A-Z][a-z]{2} \d{4})");
        for (; at != std::string_view::npos; at = text.find("OpenSSL ", at + 1)) {
            const std::string piece(text.substr(at, 48));
            std::smatch match;
            if (std::regex_search(piece, match, pattern, std::regex_constants::match_continuous)) return match.str();
        }
        return "";
    }

    void descriptor(const ElfFacts& elf) {
        if (!elf.descriptor)
            return error("no_descriptor", "it has no section " JF_DESCRIPTOR_SECTION,
                         "The host reads there what the plugin is, before it loads it.",
                         "Build with jackfield_add_plugin(), and strip no sections.");
        std::string_view text = *elf.descriptor;
        while (!text.empty() && (text.back() == 0 || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
        const base::Result<Descriptor> read = parse_descriptor(text);
        if (!read)
            return error("descriptor", "its descriptor is wrong: " + read.error().text(), "The host refuses the file.",
                         "Correct plugin.json and build again.");
        report_.id = read->id;
        lint_descriptor(*read, report_.findings);
    }

    /// The host's own judgement, in case that nothing here has said the same in better words.
    void anything_else() {
        if (report_.count(Severity::error) > 0) return;
        HostAbi abi;
        abi.allow_drafts = true;
        if (const auto file = inspect_plugin(bytes_, report_.file, abi); !file && file.error().code() != base::ErrorCode::unsupported)
            error("refused", file.error().text(), "No host of this version loads it.", "Do as it says.");
    }

    std::span<const std::byte> bytes_;
    const LintOptions& options_;
    LintReport report_;
};

}  // namespace

std::size_t LintReport::count(Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [&](const LintFinding& f) { return f.severity == severity; }));
}

LintReport lint_plugin(std::span<const std::byte> bytes, std::string file_name, const LintOptions& options) {
    return Linter(bytes, std::move(file_name), options).run();
}

std::string lint_text(const LintReport& report) {
    std::string out = fmt::format("{}{}\n", report.file, report.id.empty() ? "" : " (" + report.id + ")");
    out += fmt::format("  needs {}{}{}\n",
                       report.libraries.empty() ? "no library" : fmt::format("{}", fmt::join(report.libraries, " ")),
                       report.glibc.empty() ? "" : "; glibc " + report.glibc,
                       report.libstdcxx.empty() ? "" : "; GLIBCXX " + report.libstdcxx);
    for (const LintFinding& finding : report.findings)
        out += fmt::format("  {:<8}{}: {}\n          {}\n          Remedy: {}\n",
                           finding.severity == Severity::error ? "error" : "warning", finding.code, finding.what, finding.why,
                           finding.remedy);
    const std::size_t errors = report.count(Severity::error), warnings = report.count(Severity::warning);
    out += fmt::format("lint: {} {}, {} {}\n", errors, errors == 1 ? "error" : "errors", warnings,
                       warnings == 1 ? "warning" : "warnings");
    return out;
}

std::string lint_json(const LintReport& report) {
    base::JsonWriter json;
    json.begin_object().member("file", report.file).member("sha256", report.sha256).member("id", report.id);
    json.member("glibc", report.glibc).member("libstdcxx", report.libstdcxx);
    json.key("libraries").begin_array();
    for (const std::string& library : report.libraries) json.value(library);
    json.end_array();
    json.member("errors", static_cast<std::uint64_t>(report.count(Severity::error)));
    json.member("warnings", static_cast<std::uint64_t>(report.count(Severity::warning)));
    json.key("findings").begin_array();
    for (const LintFinding& finding : report.findings)
        json.begin_object()
            .member("code", finding.code)
            .member("severity", finding.severity == Severity::error ? "error" : "warning")
            .member("what", finding.what)
            .member("why", finding.why)
            .member("remedy", finding.remedy)
            .end_object();
    json.end_array().end_object();
    return json.take();
}

}  // namespace jackfield::plugin_host
