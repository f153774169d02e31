#pragma once

#include "base/result.hpp"
#include "observe/metrics.hpp"

#include <memory>
#include <string>
#include <vector>

namespace jackfield::observe {

/// Every metric in the Prometheus text format.
std::string scrape(const Metrics& metrics);

/// Serves `GET /metrics` from threads of its own until it is destroyed.
class MetricsServer {
  public:
    /// `listen` is address:port, port 0 for a free one. `metrics` must outlive the server.
    static base::Result<std::unique_ptr<MetricsServer>> create(const std::string& listen,
                                                               const Metrics& metrics);
    ~MetricsServer();

    int port() const;

  private:
    struct Impl;
    explicit MetricsServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jackfield::observe
