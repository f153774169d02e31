#pragma once

#include <string>

#include "app/offline_store.hpp"

namespace jackfield::app {

/// What the command line's CALL names, everywhere: an id, or "last".

/// Of the stored calls: "last" is the newest of all tenants' that is a call of its own, and not the leg that one was transferred to. A live call is
/// stored from its beginning.
base::Result<store::CallRow> stored_call(OfflineStore& store, const config::HostConfig& config, const std::string& wanted);

/// For what can only be done to a live call: "last" is the newest of those that the running host has. An id is answered as it is.
base::Result<std::string> live_call(const config::HostConfig& config, const std::string& wanted);

}  // namespace jackfield::app
