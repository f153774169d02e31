// A service that does what a report does: it asks the host where local days begin, and the store how many records fall into each. When it has started it
// writes four records around the night in which New York's clocks go forward; its first tick says in the log how many fell on which day.

#include <jackfield/sdk/records.hpp>
#include <jackfield/sdk/service.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace jackfield::test_almanac {

constexpr std::uint16_t at = JF_FIELD_FIRST;
constexpr std::int64_t second = 1'000'000, hour = 3600 * second;
/// 2026-03-08 05:00 UTC: midnight in New York, before the day of 23 hours.
constexpr std::int64_t midnight = 1772946000 * second;

class Almanac {
  public:
    static std::unique_ptr<Almanac> create(sdk::Host host, const sdk::Config& config) { return std::make_unique<Almanac>(host, config.text("zone", "")); }
    Almanac(sdk::Host host, std::string zone) : host_(host), zone_(std::move(zone)) {}

    void start(jf_op op) {
        const auto* store = host_.facility<jf_host_records_v1>(JF_FACILITY_RECORDS);
        jf_error error = sdk::make<jf_error>();
        records_ = sdk::make<jf_provider_ref>();
        if (!store || store->find(host_.ctx(), &records_, &error) != JF_OK) throw sdk::Failure(JF_E_UNSUPPORTED, "no record store");
        const sdk::Collection calls = sdk::Collection("test_almanac.calls", JF_SCOPE_TENANT).field("at", JF_VALUE_TIME);
        ask(op, [&](jf_op child, jf_error* problem) { return table().declare(records_.instance, child, calls.abi(), problem); },
            [this, op](const sdk::RecordsReply& declared) { write_calls(op, declared); });
    }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view id) { return id == JF_SERVICE_V1 ? sdk::service_table<Almanac>() : nullptr; }
    jf_status cancel(jf_op) { return JF_E_INVALID; }
    void on_event(jf_op op, const jf_service_event&) { host_.complete(op); }

    void on_tick(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            if (std::exchange(told_, true)) return static_cast<void>(host_.complete(op));
        }
        std::vector<std::int64_t> edges = days();
        const sdk::Query by_day = sdk::Query(collection_).bucket_by(at, edges).count();
        ask(op, [&](jf_op child, jf_error* error) { return table().query(records_.instance, child, by_day.abi(), error); },
            [this, op, edges](const sdk::RecordsReply& reply) { tell(op, edges, reply); });
    }

  private:
    using Answer = std::function<void(const sdk::RecordsReply&)>;
    /// Owns itself until its on_done.
    struct Asked final : sdk::OpUser {
        void on_event(jf_op, const jf_event& event) override { reply.on_event(event); }
        void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
            const std::unique_ptr<Asked> self(this);
            reply.on_done(status, last, error);
            then(reply);
        }
        Answer then;
        sdk::RecordsReply reply;
    };
    template <typename Start>
    void ask(jf_op parent, Start start, Answer then) {
        auto asked = std::make_unique<Asked>();
        asked->then = std::move(then);
        const jf_op op = host_.open(parent, *asked);
        jf_error error = sdk::make<jf_error>();
        const jf_status status = start(op, &error);
        if (status == JF_OK) return static_cast<void>(asked.release());
        host_.cancel(op);
        throw sdk::Failure(status, error.text);
    }
    const jf_records_v1& table() const { return *static_cast<const jf_records_v1*>(records_.table); }

    void write_calls(jf_op op, const sdk::RecordsReply& declared) {
        if (declared.status != JF_OK) return static_cast<void>(host_.complete(op, declared.status));
        collection_ = declared.collection;
        sdk::Batch calls;
        // Half an hour before and after the midnights on either side of that day.
        for (const std::int64_t time : {midnight - hour / 2, midnight + hour / 2, midnight + 23 * hour - hour / 2, midnight + 23 * hour + hour / 2})
            calls.add(sdk::Write::upsert(collection_, {}, std::to_string(time)).set(at, sdk::Time{time}));
        ask(op, [&](jf_op child, jf_error* error) { return table().batch(records_.instance, child, calls.abi(), error); },
            [this, op](const sdk::RecordsReply& written) { host_.complete(op, written.status); });
    }
    std::vector<std::int64_t> days() const {
        const auto* calendar = host_.facility<jf_host_calendar_v1>(JF_FACILITY_CALENDAR);
        if (!calendar) throw sdk::Failure(JF_E_UNSUPPORTED, "no calendar");
        std::uint32_t n = 0;
        const auto ask_edges = [&](std::vector<std::int64_t>& out) {
            return calendar->edges(host_.ctx(), sdk::str(zone_), JF_CALENDAR_DAY, midnight - 12 * hour, midnight + 36 * hour, out.data(),
                                   static_cast<std::uint32_t>(out.size()), &n);
        };
        std::vector<std::int64_t> out;
        if (const jf_status status = ask_edges(out); status != JF_OK) throw sdk::Failure(status, "no edges");
        out.resize(n);
        ask_edges(out);
        return out;
    }
    void tell(jf_op op, const std::vector<std::int64_t>& edges, const sdk::RecordsReply& reply) {
        std::string hours, counts;
        for (std::size_t i = 1; i < edges.size(); ++i) hours += (i > 1 ? " " : "") + std::to_string((edges[i] - edges[i - 1]) / hour);
        for (const sdk::Row& row : reply.rows) counts += (counts.empty() ? "" : " ") + std::to_string(row[0].integer()) + ":" + std::to_string(row[1].integer());
        const jf_pair fields[] = {{sdk::str("hours"), sdk::str(hours)}, {sdk::str("counts"), sdk::str(counts)}};
        host_.table()->log(host_.ctx(), JF_LOG_INFO, op, sdk::str("test_almanac.days"), sdk::array(fields, 2));
        host_.complete(op, reply.status);
    }

    const sdk::Host host_;
    const std::string zone_;
    jf_provider_ref records_{};
    std::uint32_t collection_ = 0;
    std::mutex mutex_;
    bool told_ = false;
};

}  // namespace jackfield::test_almanac

JACKFIELD_MODULE(jackfield::test_almanac::Almanac)
