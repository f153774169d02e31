#pragma once

#include <map>
#include <string>

#include "app/host.hpp"

namespace jackfield::simulation {

/// A configuration whose files exist in memory ("jackfield.toml", "clinic.toml"), read by the real loader. `values` fill its ${env:NAME};
/// PLUGINS and SOURCE are filled already.
config::Outcome<config::HostConfig> load_config(const std::map<std::string, std::string>& files,
                                                std::map<std::string, std::string> values);

/// Simulated plugins open no sockets.
class NoNetwork final : public net::Network {
  public:
    base::Result<std::unique_ptr<net::UdpSocket>> open_udp(runtime::Shard&, const net::UdpOptions&, net::OnDatagram) override {
        return base::Error(base::ErrorCode::unsupported, "there is no network in this simulation");
    }
};

/// Seconds of this process.
double cpu_now();

}  // namespace jackfield::simulation
