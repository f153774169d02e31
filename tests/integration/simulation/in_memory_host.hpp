#pragma once

#include <map>
#include <string>

#include "app/host.hpp"
#include "support/no_network.hpp"

namespace jackfield::simulation {

/// A configuration whose files exist in memory ("jackfield.toml", "clinic.toml"), read by the real loader. `values` fill its ${env:NAME};
/// PLUGINS and SOURCE are filled already.
config::Outcome<config::HostConfig> load_config(const std::map<std::string, std::string>& files,
                                                std::map<std::string, std::string> values);

using test::NoNetwork; // simulated plugins open no sockets

/// Seconds of this process.
double cpu_now();

}  // namespace jackfield::simulation
