#include "support/host_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <stdexcept>

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

fs::path program() { return fs::path(JACKFIELD_BINARY_DIR) / "bin" / "jackfield"; }

std::vector<std::string> command_line(const HostFolder& folder, std::vector<std::string> arguments) {
    std::vector<std::string> command = {program().string(), "-c", folder.config().string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

/// The port that the log names for a transport; 0 when it names none.
std::uint16_t listening_port(ChildProcess& child, const char* transport) {
    const auto line = child.wait_line({"\"sip.listening\"", std::string("\"transport\":\"") + transport}, milliseconds(0));
    if (!line) return 0;
    const auto document = base::JsonDocument::parse(*line);
    if (!document) return 0;
    const std::string address = document->root()["address"].text_or("");
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

}  // namespace

HostFolder::HostFolder() : plugins_(fs::path(JACKFIELD_BINARY_DIR) / "plugins") {
    std::string name = (fs::temp_directory_path() / "jackfield-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no folder for the test in " + fs::temp_directory_path().string());
    path_ = name;
    fs::create_directories(path_ / "tenants");
}

HostFolder::~HostFolder() {
    if (testing::Test::HasFailure()) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void HostFolder::write(const fs::path& file, std::string_view text) {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file, std::ios::trunc) << text;
}

void HostFolder::write_tenant(const std::string& id, std::string_view text) { write("tenants/" + id + ".toml", text); }

void HostFolder::write_host(std::uint16_t udp_port, std::uint16_t tcp_port, std::string_view more) {
    std::string text = "[host]\nplugins = [\"" + plugins_.string() + "\"]\nstorage = \"sqlite:" + database().string() + "\"\nstate_dir = \"" +
                       (path_ / "state").string() + "\"\ntenants = \"tenants\"\nlog_level = \"debug\"\n\n[providers.trunk]\n" +
                       "plugin = \"telephony/sip\"\nlisten = [\"udp:127.0.0.1:" + std::to_string(udp_port) + "\", \"tcp:127.0.0.1:" +
                       std::to_string(tcp_port) + "\"]\n";
    write("jackfield.toml", text + std::string(more));
}

void HostFolder::copy_plugins() {
    fs::copy(plugins_, path_ / "plugins", fs::copy_options::recursive);
    plugins_ = path_ / "plugins";
}

HostFolder::Ran HostFolder::jackfield(std::vector<std::string> arguments, milliseconds timeout) const {
    ChildProcess child(command_line(*this, std::move(arguments)));
    const auto status = child.wait(timeout);
    Ran ran;
    if (status) ran.code = status->code;
    ran.out = child.out();
    ran.err = child.err();
    return ran;
}

std::optional<base::JsonDocument> HostFolder::jackfield_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "--json");
    const Ran ran = jackfield(std::move(arguments));
    if (ran.code != 0) return std::nullopt;
    auto document = base::JsonDocument::parse(ran.out);
    if (!document) return std::nullopt;
    return std::move(*document);
}

std::unique_ptr<ChildProcess> HostFolder::start_jackfield(std::vector<std::string> arguments) const {
    return std::make_unique<ChildProcess>(command_line(*this, std::move(arguments)));
}

HostProcess::HostProcess(HostFolder& folder, std::vector<std::string> arguments)
    : child_([&] {
          arguments.insert(arguments.begin(), "serve");
          std::vector<std::string> command = command_line(folder, std::move(arguments));
          // A test that crashes takes its host with it.
          command.insert(command.begin(), {"setpriv", "--pdeathsig", "KILL"});
          return command;
      }()) {
    if (!child_.wait_line({"\"host.ready\""}, milliseconds(30000))) throw std::runtime_error("the host did not start:\n" + child_.err());
    udp_port_ = listening_port(child_, "udp");
    tcp_port_ = listening_port(child_, "tcp");
}

std::string HostProcess::sip_uri(const std::string& user, bool tcp) const {
    return "sip:" + user + "@127.0.0.1:" + (tcp ? std::to_string(tcp_port_) + ";transport=tcp" : std::to_string(udp_port_));
}

int HostProcess::stop(milliseconds timeout) {
    child_.signal(SIGTERM);
    const auto status = child_.wait(timeout);
    if (!status) kill();
    return status ? status->code : -1;
}

void HostProcess::kill() {
    child_.signal(SIGKILL);
    (void)child_.wait(milliseconds(10000));
}

}  // namespace jackfield::test
