#include "app/package_commands.hpp"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/host.hpp"
#include "base/json.hpp"
#include "plugin_kit/files.hpp"
#include "plugin_kit/install.hpp"

namespace jackfield::app {
namespace {

namespace fs = std::filesystem;
using plugin_kit::Package;

constexpr std::size_t largest_key = 16384;
constexpr std::size_t largest_plugin = std::size_t{512} << 20;

struct PackageCommand {
    std::vector<fs::path> files;
    fs::path key;
    fs::path output;
    fs::path readme;
    fs::path licence;
    fs::path to;
    std::vector<std::string> trusted_keys;
    bool force = false;
};

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

void print(const CommonOptions& common, std::initializer_list<std::pair<std::string_view, std::string>> fields, const std::string& sentence) {
    if (!common.json) {
        std::cout << sentence << "\n";
        return;
    }
    base::JsonWriter json;
    json.begin_object().member("ok", true);
    for (const auto& [name, value] : fields) json.member(name, value);
    json.end_object();
    std::cout << json.str() << "\n";
}

/// Refuses a key that others could have read: what it signs says nothing.
base::Result<plugin_host::PrivateKey> read_key(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
        return base::Error(base::ErrorCode::auth, path.string() + ": a private key that others may read is none; chmod 600 " + path.string() + ", and make a new one if others have accounts here");
    const auto text = plugin_kit::read_file(path, largest_key);
    if (!text) return text.error();
    auto key = plugin_host::PrivateKey::parse_pem(*text);
    return key ? std::move(key) : base::Result<plugin_host::PrivateKey>(key.error().with_context(path.string()));
}

int run_keygen(const CommonOptions& common, const PackageCommand& command) {
    const auto key = plugin_host::PrivateKey::generate();
    if (!key) return fail(key.error().text());
    const auto pem = key->pem();
    if (!pem) return fail(pem.error().text());
    const fs::path& path = command.output;
    const std::string text = key->public_key().text();
    if (auto done = plugin_kit::create_file(path, *pem, 0600); !done) return fail(done.error().text());
    if (auto done = plugin_kit::create_file(path.string() + ".pub", text + "\n", 0644); !done) {
        std::error_code ignored;
        fs::remove(path, ignored); // half a pair is worse than none
        return fail(done.error().text());
    }
    print(common, {{"private_key", path.string()}, {"public_key", text}, {"id", key->public_key().id()}},
          "private key: " + path.string() + " (keep it to yourself)\npublic key:  " + path.string() + ".pub\nhosts that shall trust it: [host] trusted_keys = [\"" + text + "\"]");
    return exit_ok;
}

int sign_plugin(const CommonOptions& common, const fs::path& path, const plugin_host::PrivateKey& key) {
    const auto bytes = plugin_kit::read_file(path, largest_plugin);
    if (!bytes) return fail(bytes.error().text());
    // A file for another machine is signed as well; something that is no ELF file at all is a slip of the hand.
    if (const auto elf = plugin_host::read_elf(bytes_of(*bytes)); !elf || !elf->note)
        return fail(path.string() + ": it is no plugin file" + (elf ? "" : ": " + elf.error().text()) + "; a .so of jackfield_add_plugin() or a .jfp package is wanted");
    const fs::path beside = path.string() + std::string(plugin_host::signature_suffix);
    std::string before;
    std::error_code none;
    if (fs::exists(beside, none)) {
        const auto text = plugin_kit::read_file(beside, largest_key);
        // Signatures of what the file was before are of no use any more.
        if (text && plugin_host::parse_signatures(*text))
            for (const auto& signature : *plugin_host::parse_signatures(*text))
                if (plugin_host::fits(signature, plugin_host::Signed::plugin_file, plugin_host::sha256_hex(bytes_of(*bytes)))) before = *text;
    }
    const auto signatures = plugin_kit::add_signature(before, key, plugin_host::Signed::plugin_file, plugin_host::sha256_hex(bytes_of(*bytes)));
    if (!signatures) return fail(signatures.error().text());
    if (auto done = plugin_kit::replace_file(beside, *signatures); !done) return fail(done.error().text());
    print(common, {{"signature", beside.string()}, {"key", key.public_key().id()}}, beside.string() + ": signed by key " + key.public_key().id());
    return exit_ok;
}

base::Result<Package> open_package(const fs::path& path) {
    const auto bytes = plugin_kit::read_file(path, plugin_kit::largest_package);
    if (!bytes) return bytes.error();
    auto package = plugin_kit::read_package(bytes_of(*bytes));
    return package ? std::move(package) : base::Result<Package>(package.error().with_context(path.string()));
}

base::Result<> save_package(const fs::path& path, const Package& package) {
    const auto bytes = plugin_kit::write_package(package);
    if (!bytes) return bytes.error();
    return plugin_kit::replace_file(path, *bytes);
}

int sign_package_file(const CommonOptions& common, const fs::path& path, const plugin_host::PrivateKey& key) {
    auto package = open_package(path);
    if (!package) return fail(package.error().text());
    if (auto done = plugin_kit::sign_package(*package, key); !done) return fail(done.error().text());
    if (auto done = save_package(path, *package); !done) return fail(done.error().text());
    print(common, {{"package", path.string()}, {"key", key.public_key().id()}}, path.string() + ": signed by key " + key.public_key().id());
    return exit_ok;
}

int run_sign(const CommonOptions& common, const PackageCommand& command) {
    const auto key = read_key(command.key);
    if (!key) return fail(key.error().text());
    for (const fs::path& file : command.files)
        if (const int status = file.extension() == ".jfp" ? sign_package_file(common, file, *key) : sign_plugin(common, file, *key); status != exit_ok) return status;
    return exit_ok;
}

/// The first of `names` beside the working folder; empty when there is none.
fs::path found_here(std::initializer_list<const char*> names) {
    std::error_code none;
    for (const char* name : names)
        if (fs::is_regular_file(name, none)) return name;
    return {};
}

int run_pack(const CommonOptions& common, const PackageCommand& command) {
    plugin_kit::PackOptions options{command.files, command.readme, command.licence};
    if (options.readme.empty()) options.readme = found_here({"README.md"});
    if (options.licence.empty()) options.licence = found_here({"LICENSE", "LICENCE", "COPYING", "LICENSE.txt", "LICENSE.md"});
    if (options.readme.empty()) return fail("a package has a README.md, and there is none in this folder; name one with --readme", exit_usage);
    if (options.licence.empty()) return fail("a package has its licence's text, and there is no LICENSE in this folder; name one with --licence", exit_usage);
    auto package = plugin_kit::make_package(options);
    if (!package) return fail(package.error().text());
    std::string signer = "nobody";
    if (!command.key.empty()) {
        const auto key = read_key(command.key);
        if (!key) return fail(key.error().text());
        if (auto done = plugin_kit::sign_package(*package, *key); !done) return fail(done.error().text());
        signer = key->public_key().id();
    }
    const plugin_kit::Manifest& manifest = package->manifest;
    const fs::path output = command.output.empty() ? fs::path(manifest.kind() + "-" + manifest.name() + "-" + manifest.version + ".jfp") : command.output;
    if (auto done = save_package(output, *package); !done) return fail(done.error().text());
    std::string archs;
    for (const auto& file : manifest.plugins) archs += (archs.empty() ? "" : ", ") + file.arch;
    print(common, {{"package", output.string()}, {"id", manifest.id}, {"version", manifest.version}, {"signed_by", signer}},
          output.string() + ": " + manifest.id + " " + manifest.version + " for " + archs + ", signed by " + signer);
    return exit_ok;
}

/// The configuration says where plugins are and whom to trust; without one, --to says where, and --trust-key whom.
std::optional<plugin_kit::InstallOptions> install_options(const CommonOptions& common, const PackageCommand& command) {
    plugin_kit::InstallOptions out;
    std::error_code none;
    if (command.to.empty() || fs::exists(common.config, none)) {
        const auto config = load_or_explain(common);
        if (!config) return std::nullopt;
        out.trust = trust_policy(*config);
        if (!config->plugins.empty()) out.folder = config->plugins.front();
    }
    if (!command.to.empty()) out.folder = command.to;
    for (const std::string& text : command.trusted_keys) {
        const auto key = plugin_host::PublicKey::parse(text);
        if (!key) {
            fail(key.error().text(), exit_usage);
            return std::nullopt;
        }
        out.trust.mode = plugin_host::TrustPolicy::Mode::by_signature;
        out.trust.keys.push_back(*key);
    }
    out.force = command.force;
    if (!out.folder.empty()) return out;
    fail("[host] plugins names no folder to install to; name one there, or with --to", exit_usage);
    return std::nullopt;
}

int run_install(const CommonOptions& common, const PackageCommand& command) {
    const auto options = install_options(common, command);
    if (!options) return exit_usage;
    for (const fs::path& file : command.files) {
        const auto package = open_package(file);
        if (!package) return fail(package.error().text());
        const auto done = plugin_kit::install(*package, *options);
        if (!done) return fail(done.error().with_context(file.string()).text());
        const std::string by = done->signer.empty() ? "unsigned" : "signed by key " + done->signer;
        const std::string what = done->unchanged ? " is installed already" : done->replaced_version.empty() ? " installed" : " installed, " + done->replaced_version + " replaced";
        print(common, {{"id", done->id}, {"version", done->version}, {"file", done->file.string()}, {"replaced", done->replaced_version}, {"signed_by", done->signer}},
              done->id + " " + done->version + what + ": " + done->file.string() + " (" + by + ")");
    }
    return exit_ok;
}

std::vector<std::pair<std::string, bool>> signers_of(const Package& package) {
    std::vector<std::pair<std::string, bool>> out;
    if (const auto all = plugin_host::parse_signatures(package.manifest_signatures))
        for (const auto& signature : *all)
            out.emplace_back(signature.key.text(), plugin_host::fits(signature, plugin_host::Signed::package, package.manifest_text));
    return out;
}

}  // namespace

int run_package_explain(const CommonOptions& common, const fs::path& path) {
    const auto package = open_package(path);
    if (!package) return fail(package.error().text());
    const plugin_kit::Manifest& manifest = package->manifest;
    if (common.json) {
        base::JsonWriter json;
        json.begin_object().key("manifest").raw(package->manifest_text.substr(0, package->manifest_text.find_last_not_of('\n') + 1));
        json.key("signatures").begin_array();
        for (const auto& [key, fits] : signers_of(*package)) json.begin_object().member("key", key).member("fits", fits).end_object();
        json.end_array().end_object();
        std::cout << json.str() << "\n";
        return exit_ok;
    }
    std::cout << manifest.id << " " << manifest.version << ", " << manifest.vendor << ", " << manifest.licence << "\n" << manifest.summary << "\nplugin ABI " << manifest.abi_major
              << ", needs minor " << manifest.abi_need_minor << "\n";
    for (const auto& file : manifest.plugins) std::cout << "  " << file.path << "  " << file.size << " bytes, SHA-256 " << file.sha256 << "\n";
    for (const auto& file : manifest.documents) std::cout << "  " << file.path << "  " << file.size << " bytes\n";
    for (const auto& [key, fits] : signers_of(*package)) std::cout << "signed by " << key << (fits ? "" : ", which does not fit") << "\n";
    if (signers_of(*package).empty()) std::cout << "not signed\n";
    return exit_ok;
}

void add_package_commands(CLI::App& plugin, CommonOptions& common, int& code) {
    // The commands' options live as long as their callbacks do.
    const auto command = std::make_shared<PackageCommand>();

    auto* keygen = plugin.add_subcommand("keygen", "Make an Ed25519 key pair to sign plugins with: FILE and FILE.pub");
    keygen->add_option("file", command->output, "Where the private key goes; it must not exist yet")->required()->type_name("FILE");
    keygen->callback([&common, &code, command] { code = run_keygen(common, *command); });

    auto* sign = plugin.add_subcommand("sign", "Sign plugin files (FILE.sig beside each) or packages (in them), beside the signatures that they have");
    sign->add_option("files", command->files, "Files: .so or .jfp")->required()->type_name("FILE");
    sign->add_option("--key", command->key, "The private key")->required()->type_name("FILE");
    sign->callback([&common, &code, command] { code = run_sign(common, *command); });

    auto* pack = plugin.add_subcommand("pack", "Make a package (.jfp) of a plugin: one file for each architecture, README and licence");
    pack->add_option("files", command->files, "The plugin's files, one for each architecture")->required()->type_name("FILE");
    pack->add_option("-o,--output", command->output, "The package; else <kind>-<name>-<version>.jfp in this folder")->type_name("FILE");
    pack->add_option("--readme", command->readme, "Instead of README.md in this folder")->type_name("FILE");
    pack->add_option("--licence,--license", command->licence, "Instead of LICENSE in this folder")->type_name("FILE");
    pack->add_option("--key", command->key, "Sign it with this private key")->type_name("FILE");
    pack->callback([&common, &code, command] { code = run_pack(common, *command); });

    auto* install = plugin.add_subcommand("install", "Check a package's signature, hashes, architecture and ABI, and put its plugin in place");
    install->add_option("packages", command->files, "Packages")->required()->type_name("FILE.jfp");
    install->add_option("--to", command->to, "A folder of the search path, instead of the first of [host] plugins")->type_name("DIR");
    install->add_option("--trust-key", command->trusted_keys, "Install only what this public key signed, or one of [host] trusted_keys")->type_name("ed25519:...")->allow_extra_args(false);
    install->add_flag("--force", command->force, "Replace a later version, or another file of the same one");
    install->callback([&common, &code, command] { code = run_install(common, *command); });
}

}  // namespace jackfield::app
