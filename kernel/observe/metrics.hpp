#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::observe {

/// Names and values come from closed sets (`tenant`, `kind`, `provider`, `outcome`); an id never is
/// a label.
struct Label {
    std::string name;
    std::string value;
    friend auto operator<=>(const Label&, const Label&) = default;
};
using Labels = std::vector<Label>;

/// Says which shard this thread is, 0 for the first. Threads that never say it share one slot; all
/// slots are atomic, so a wrong one costs time and not counts.
void set_metric_shard(unsigned shard);

namespace detail {
struct alignas(64) CounterCell {
    std::atomic<std::uint64_t> count{0};
};
struct alignas(64) GaugeCell {
    std::atomic<double> value{0};
};
struct alignas(64) HistogramCell {
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts;  // one per bucket, and one above the last
    std::atomic<double> sum{0};
};
unsigned metric_slot(unsigned slots);
}  // namespace detail

/// Handles are small values made once by Metrics, outlived by it, and used from any thread. A
/// default one does nothing.
class Counter {
  public:
    Counter() = default;
    void add(std::uint64_t n = 1) const {
        if (cells_)
            cells_[detail::metric_slot(slots_)].count.fetch_add(n, std::memory_order_relaxed);
    }

  private:
    friend class Metrics;
    detail::CounterCell* cells_ = nullptr;
    unsigned slots_ = 0;
};

/// The sum over the shards of what each one set or added.
class Gauge {
  public:
    Gauge() = default;
    void add(double n) const {
        if (cells_)
            cells_[detail::metric_slot(slots_)].value.fetch_add(n, std::memory_order_relaxed);
    }
    void set(double value) const {
        if (cells_)
            cells_[detail::metric_slot(slots_)].value.store(value, std::memory_order_relaxed);
    }

  private:
    friend class Metrics;
    detail::GaugeCell* cells_ = nullptr;
    unsigned slots_ = 0;
};

class Histogram {
  public:
    Histogram() = default;
    /// In the unit of the metric's name, for latencies seconds.
    void observe(double value) const;

  private:
    friend class Metrics;
    detail::HistogramCell* cells_ = nullptr;
    const std::vector<double>* bounds_ = nullptr;
    unsigned slots_ = 0;
};

enum class MetricType { counter, gauge, histogram };

/// What a scrape sees of one combination of labels.
struct MetricSeries {
    Labels labels;
    double value = 0;
    /// Of a histogram: counts up to each bound, the count of all, and their sum.
    std::vector<std::uint64_t> cumulative;
    std::uint64_t count = 0;
    double sum = 0;
};
struct MetricFamily {
    std::string name;
    std::string help;
    MetricType type = MetricType::counter;
    std::vector<double> bounds;
    std::vector<MetricSeries> series;
};

/// Bounds in seconds for what a caller can hear: finest where replies usually fall.
const std::vector<double>& latency_buckets();

/// `jackfield_<room>_<what>_<unit>`, at most 120 characters of a-z, 0-9 and _. Counters end in
/// `_total`.
bool is_metric_name(std::string_view name);

/// All metrics of one host. Making a handle takes a lock and belongs to start and reload; using it
/// takes none. The same name and labels give the same metric. Names and label names are constants
/// of the code; one that breaks the rules is a bug.
class Metrics {
  public:
    /// More combinations of labels under one name than this end in one series whose label values
    /// are all "other".
    static constexpr std::size_t most_series = 1000;

    explicit Metrics(unsigned shards);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram histogram(std::string_view name,
                        std::string_view help,
                        Labels labels = {},
                        const std::vector<double>& bounds = latency_buckets());
    /// A gauge that is read at scrape, from the scraping thread. What `read` looks at must outlive
    /// the metrics.
    void read_gauge(std::string_view name,
                    std::string_view help,
                    Labels labels,
                    std::function<double()> read);

    /// Everything, by name, summed over the shards.
    std::vector<MetricFamily> collect() const;
    /// The sum of a counter or gauge, the count of a histogram; 0 when there is none.
    double value(std::string_view name, const Labels& labels = {}) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace jackfield::observe
