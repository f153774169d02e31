#pragma once

#include "config/option_table.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace jackfield::config {

/// How a call gets to somebody else: the carrier is asked to (refer), or the host calls that party
/// and joins both, at once when it answers (bridge) or after it has been told who waits (attended).
/// Left open, the carrier is asked where it can do it, and else the host joins them.
enum class TransferMode { automatic, refer, bridge, attended };

/// One entry of `[agents.x.transfer]`: `name = "+12125550100"`, or a table of what transfer_options.cpp
/// lists.
struct TransferConfig {
    std::string to;
    TransferMode mode = TransferMode::automatic;
    Position mode_at; ///< no file: nobody wrote it
    /// The telephony provider that dials, `host:trunk`; empty: the one the call came by.
    std::string provider;
    std::string from;
    /// What the person hears before being joined: {caller}, {called} and {summary} are filled in.
    std::string announce;
    /// The key with which the person takes the call; empty: staying on the line is enough.
    std::string accept_key;
    /// How long the person has for it after the announcement.
    std::chrono::milliseconds accept_within{10000};
    std::chrono::milliseconds ring_timeout{30000};
    /// How long the two may talk.
    std::chrono::milliseconds longest{3'600'000};
    std::filesystem::path hold_music;
    /// The caller is put on hold, in the carrier's terms, until the transfer is decided.
    bool hold_caller = false;
    /// Once they are joined the carrier is asked to connect the two without this host.
    bool release = false;
    Position at;
};

enum class ConsentBy { nothing, keypress, words };

/// `[agents.x.consent]`: what is said before anything else, and whether the caller has to agree.
struct ConsentConfig {
    /// Empty: there is no such announcement.
    std::string text;
    bool locked = true;
    ConsentBy require = ConsentBy::nothing;
    std::string accept_key;
    std::vector<std::string> accept_words;
    std::chrono::milliseconds wait{8000};
    /// Who refuses, or says nothing, goes on unrecorded; otherwise the call ends.
    bool refusal_ends_call = false;
    std::string refused_text;
};

OptionTable transfer_option_table();
OptionTable consent_option_table();

/// Read what check() returned, and report options that contradict each other. `folder` is where a
/// relative path begins.
TransferConfig read_transfer_options(const Value& checked,
                                     const std::filesystem::path& folder,
                                     Problems& problems);
ConsentConfig read_consent_options(const Value& checked, Problems& problems);

}  // namespace jackfield::config
