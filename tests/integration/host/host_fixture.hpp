#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "simulators/sip_phone.hpp"
#include "support/host_process.hpp"

namespace jackfield::test {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

inline std::string clinic_script() { return std::string(JACKFIELD_SOURCE_DIR) + "/configs/dialogues/clinic.toml"; }

/// The words of packaging/demo_speech.sh, made once for a build tree.
std::filesystem::path speech_folder();
sim::Pcm speech(const std::string& slug);

/// A tenant whose agent `reception` greets briefly and then is the clinic's reception; `slow` answers after ten seconds.
struct DeskOptions {
    std::string voice = "tts/flite";
    std::string ears = "stt/pocketsphinx";
    std::string greeting = "Hello.";
    int media_timeout_ms = 3000;
    bool call_log = false;
};
std::string desk_tenant(const DeskOptions& options = {});

/// What `jackfield --json calls show` says of the newest call, once it is stored as ended.
class StoredCall {
  public:
    explicit StoredCall(const HostFolder& folder, const std::string& id = "last");

    base::JsonView operator[](std::string_view name) const { return document_ ? document_->root()[name] : base::JsonView(); }
    std::string text(std::string_view name) const { return (*this)[name].text_or(""); }
    std::vector<base::JsonView> turns(std::string_view role) const;
    /// The agent's words, a turn each.
    std::vector<std::string> agent_said() const;

  private:
    std::optional<base::JsonDocument> document_;
};

/// Waits until the host has stored a call's end that it logs behind line `from`.
testing::AssertionResult call_is_stored(HostProcess& host, std::size_t from, milliseconds timeout = 10s);

/// Calls that agent and waits for the answer and for so much silence behind the greeting.
testing::AssertionResult greeted(sim::SipPhone& phone, HostProcess& host, milliseconds silence = 400ms, const std::string& agent = "reception");
/// Hangs up and waits until the host has stored the call, whose end it logs behind line `from`.
testing::AssertionResult hung_up(sim::SipPhone& phone, HostProcess& host, std::size_t from);

/// Calls the reception: it greets, answers a key with the opening hours, and stores the call when the phone hangs up.
void expect_normal_call(HostFolder& folder, HostProcess& host, bool tcp = false);

/// A call at the place where the agent is telling the opening hours, since at least a second and a half; false when it isn't.
testing::AssertionResult call_until_agent_talks(sim::SipPhone& phone, const std::string& uri);

std::int64_t open_ops(const HostFolder& folder);

/// First column of the query's rows, as text. Throws std::runtime_error with SQLite's message.
std::vector<std::string> query(const std::filesystem::path& database, const std::string& sql);

}  // namespace jackfield::test
