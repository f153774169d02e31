#include "observe/metrics.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace jackfield::observe {
namespace {

// Slot 0 is for threads that are no shard's.
thread_local unsigned this_slot = 0;

struct Series {
    std::unique_ptr<detail::CounterCell[]> counters;
    std::unique_ptr<detail::GaugeCell[]> gauges;
    std::unique_ptr<detail::HistogramCell[]> histograms;
    std::function<double()> read;
};

struct Family {
    std::string help;
    MetricType type = MetricType::counter;
    std::vector<double> bounds;
    std::map<Labels, Series> series;
};

Series make_series(const Family& family, unsigned slots) {
    Series series;
    if (family.type == MetricType::counter)
        series.counters = std::make_unique<detail::CounterCell[]>(slots);
    if (family.type == MetricType::gauge)
        series.gauges = std::make_unique<detail::GaugeCell[]>(slots);
    if (family.type != MetricType::histogram) return series;
    series.histograms = std::make_unique<detail::HistogramCell[]>(slots);
    const std::size_t buckets = family.bounds.size() + 1;
    for (unsigned i = 0; i < slots; ++i)
        series.histograms[i].counts = std::make_unique<std::atomic<std::uint64_t>[]>(buckets);
    return series;
}

bool is_label_name(std::string_view name) {
    return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

MetricSeries sum_up(const Family& family,
                    const Labels& labels,
                    const Series& series,
                    unsigned slots) {
    MetricSeries out;
    out.labels = labels;
    if (series.read) out.value = series.read();
    if (family.type == MetricType::histogram) out.cumulative.resize(family.bounds.size());
    for (unsigned slot = 0; slot < slots; ++slot) {
        if (series.counters)
            out.value +=
                static_cast<double>(series.counters[slot].count.load(std::memory_order_relaxed));
        if (series.gauges) out.value += series.gauges[slot].value.load(std::memory_order_relaxed);
        if (!series.histograms) continue;
        const detail::HistogramCell& cell = series.histograms[slot];
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < family.bounds.size(); ++i) {
            below += cell.counts[i].load(std::memory_order_relaxed);
            out.cumulative[i] += below;
        }
        out.count += below + cell.counts[family.bounds.size()].load(std::memory_order_relaxed);
        out.sum += cell.sum.load(std::memory_order_relaxed);
    }
    return out;
}

}  // namespace

void set_metric_shard(unsigned shard) {
    this_slot = shard + 1;
}

unsigned detail::metric_slot(unsigned slots) {
    return this_slot < slots ? this_slot : 0;
}

void Histogram::observe(double value) const {
    if (!cells_) return;
    detail::HistogramCell& cell = cells_[detail::metric_slot(slots_)];
    const auto bucket =
        std::lower_bound(bounds_->begin(), bounds_->end(), value) - bounds_->begin();
    cell.counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    cell.sum.fetch_add(value, std::memory_order_relaxed);
}

const std::vector<double>& latency_buckets() {
    static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.2,   0.3,    0.4,   0.5,  0.6,   0.8,  1.0,
                                            1.25,  1.5,    2.0,   3.0,  5.0,   10.0};
    return bounds;
}

bool is_metric_name(std::string_view name) {
    return name.starts_with("jackfield_") && name.size() > 10 && name.size() <= 120 &&
           is_label_name(name);
}

struct Metrics::Impl {
    unsigned slots;
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;

    /// With the lock held. Maps keep their nodes in place, so handles stay good.
    std::pair<Family*, Series*> find(std::string_view name,
                                     std::string_view help,
                                     MetricType type,
                                     Labels labels,
                                     const std::vector<double>& bounds) {
        JF_ASSERT(is_metric_name(name), "metric names are constants of the code");
        std::sort(labels.begin(), labels.end());
        for (const Label& label : labels)
            JF_ASSERT(is_label_name(label.name), "label names are constants of the code");
        auto it = families.find(name);
        if (it == families.end())
            it = families.emplace(std::string(name), Family{std::string(help), type, bounds, {}})
                     .first;
        Family& family = it->second;
        JF_ASSERT(family.type == type, "one name is one type of metric");
        auto series = family.series.find(labels);
        if (series == family.series.end()) {
            if (family.series.size() >= most_series)
                for (Label& label : labels) label.value = "other";
            series = family.series.try_emplace(std::move(labels), make_series(family, slots)).first;
        }
        return {&family, &series->second};
    }
};

Metrics::Metrics(unsigned shards) : impl_(std::make_unique<Impl>()) {
    impl_->slots = shards + 1;
}
Metrics::~Metrics() = default;

Counter Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    Counter handle;
    handle.cells_ =
        impl_->find(name, help, MetricType::counter, std::move(labels), {}).second->counters.get();
    handle.slots_ = impl_->slots;
    return handle;
}

Gauge Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    Gauge handle;
    handle.cells_ =
        impl_->find(name, help, MetricType::gauge, std::move(labels), {}).second->gauges.get();
    handle.slots_ = impl_->slots;
    return handle;
}

Histogram Metrics::histogram(std::string_view name,
                             std::string_view help,
                             Labels labels,
                             const std::vector<double>& bounds) {
    JF_ASSERT(std::is_sorted(bounds.begin(), bounds.end()),
              "bucket bounds are constants of the code");
    const std::lock_guard lock(impl_->mutex);
    const auto [family, series] =
        impl_->find(name, help, MetricType::histogram, std::move(labels), bounds);
    Histogram handle;
    handle.cells_ = series->histograms.get();
    handle.bounds_ = &family->bounds;
    handle.slots_ = impl_->slots;
    return handle;
}

void Metrics::read_gauge(std::string_view name,
                         std::string_view help,
                         Labels labels,
                         std::function<double()> read) {
    const std::lock_guard lock(impl_->mutex);
    impl_->find(name, help, MetricType::gauge, std::move(labels), {}).second->read =
        std::move(read);
}

std::vector<MetricFamily> Metrics::collect() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<MetricFamily> out;
    for (const auto& [name, family] : impl_->families) {
        MetricFamily& f =
            out.emplace_back(MetricFamily{name, family.help, family.type, family.bounds, {}});
        for (const auto& [labels, series] : family.series)
            f.series.push_back(sum_up(family, labels, series, impl_->slots));
    }
    return out;
}

double Metrics::value(std::string_view name, const Labels& labels) const {
    Labels sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    const std::lock_guard lock(impl_->mutex);
    const auto family = impl_->families.find(name);
    if (family == impl_->families.end()) return 0;
    const auto series = family->second.series.find(sorted);
    if (series == family->second.series.end()) return 0;
    const MetricSeries sum = sum_up(family->second, sorted, series->second, impl_->slots);
    return family->second.type == MetricType::histogram ? static_cast<double>(sum.count)
                                                        : sum.value;
}

}  // namespace jackfield::observe
