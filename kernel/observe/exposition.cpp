#include "observe/exposition.hpp"

#include <limits>
#include <sstream>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace jackfield::observe {
namespace {

prometheus::MetricType type_of(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return prometheus::MetricType::Counter;
        case MetricType::gauge:
            return prometheus::MetricType::Gauge;
        case MetricType::histogram:
            return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric convert(const MetricFamily& family, const MetricSeries& series) {
    prometheus::ClientMetric out;
    for (const Label& label : series.labels) out.label.push_back({label.name, label.value});
    out.counter.value = series.value;
    out.gauge.value = series.value;
    if (family.type != MetricType::histogram) return out;
    out.histogram.sample_count = series.count;
    out.histogram.sample_sum = series.sum;
    for (std::size_t i = 0; i < family.bounds.size(); ++i)
        out.histogram.bucket.push_back({series.cumulative[i], family.bounds[i]});
    out.histogram.bucket.push_back({series.count, std::numeric_limits<double>::infinity()});
    return out;
}

class Collector final : public prometheus::Collectable {
  public:
    explicit Collector(const Metrics& metrics) : metrics_(metrics) {}

    std::vector<prometheus::MetricFamily> Collect() const override {
        std::vector<prometheus::MetricFamily> out;
        for (const MetricFamily& family : metrics_.collect()) {
            prometheus::MetricFamily& f = out.emplace_back(
                prometheus::MetricFamily{family.name, family.help, type_of(family.type), {}});
            for (const MetricSeries& series : family.series)
                f.metric.push_back(convert(family, series));
        }
        return out;
    }

  private:
    const Metrics& metrics_;
};

}  // namespace

std::string scrape(const Metrics& metrics) {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, Collector(metrics).Collect());
    return out.str();
}

struct MetricsServer::Impl {
    // The exposer holds it weakly and outlives it by nothing.
    std::shared_ptr<Collector> collector;
    std::unique_ptr<prometheus::Exposer> exposer;
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

base::Result<std::unique_ptr<MetricsServer>> MetricsServer::create(const std::string& listen,
                                                                   const Metrics& metrics) {
    auto impl = std::make_unique<Impl>();
    impl->collector = std::make_shared<Collector>(metrics);
    try {
        impl->exposer = std::make_unique<prometheus::Exposer>(listen, 1);
        impl->exposer->RegisterCollectable(impl->collector);
    } catch (const std::exception& error) {
        return base::Error(base::ErrorCode::invalid,
                           "metrics cannot be served on " + listen + ": " + error.what() +
                               " (is the address free and this machine's?)");
    }
    return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
}

int MetricsServer::port() const {
    const std::vector<int> ports = impl_->exposer->GetListeningPorts();
    return ports.empty() ? 0 : ports[0];
}

}  // namespace jackfield::observe
