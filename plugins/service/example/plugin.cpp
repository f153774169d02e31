// service/example: counts the calls of its tenant. Copy the folder, do something with what on_event() brings.

#include <jackfield/sdk/json.hpp>
#include <jackfield/sdk/service.hpp>

#include <deque>
#include <mutex>
#include <set>
#include <string>

namespace jackfield::service_example {

class Counter {
  public:
    static std::unique_ptr<Counter> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Counter>(host, config.integer("short_seconds", 10));
    }
    Counter(sdk::Host host, std::int64_t short_seconds) : host_(host), short_us_(short_seconds * 1'000'000) {}

    void start(jf_op op) {
        metrics_ = host_.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS);
        if (!metrics_) throw sdk::Failure(JF_E_UNSUPPORTED, "this host counts nothing");
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view interface_id) {
        return interface_id == JF_SERVICE_V1 ? sdk::service_table<Counter>() : nullptr;
    }
    /// Every op is over before it can be given up.
    jf_status cancel(jf_op) { return JF_E_INVALID; }

    /// Events come at least once: the id tells that one has come before. They are about calls of this instance's tenant, and of no other's.
    void on_event(jf_op op, const jf_service_event& event) {
        const sdk::JsonObject call(sdk::view(event.json));
        if (sdk::view(event.name) == "call.ended" && is_new(std::string(sdk::view(event.id)))) {
            const double began = call.number("answered_us").value_or(0), ended = call.number("ended_us").value_or(0);
            count("calls");
            if (began == 0) count("calls_unanswered");
            else if (ended - began < static_cast<double>(short_us_)) count("calls_short");
        }
        // OK also for what is of no use here: the same bytes would come again.
        host_.complete(op);
    }

    /// About every tick_ms of plugin.json.
    void on_tick(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            metrics_->gauge(host_.ctx(), sdk::str("calls_remembered"), static_cast<double>(seen_.size()));
        }
        host_.complete(op);
    }

  private:
    static constexpr std::size_t most_remembered = 10'000;

    bool is_new(const std::string& id) {
        const std::lock_guard lock(mutex_);
        if (!seen_.insert(id).second) return false;
        order_.push_back(id);
        if (order_.size() > most_remembered) {
            seen_.erase(order_.front());
            order_.pop_front();
        }
        return true;
    }
    void count(std::string_view what) const { metrics_->count(host_.ctx(), sdk::str(what), 1); }

    const sdk::Host host_;
    const std::int64_t short_us_;
    const jf_host_metrics_v1* metrics_ = nullptr;
    std::mutex mutex_; // events come side by side
    std::set<std::string> seen_;
    std::deque<std::string> order_;
};

}  // namespace jackfield::service_example

JACKFIELD_MODULE(jackfield::service_example::Counter)
