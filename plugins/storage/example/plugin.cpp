#include <jackfield/sdk/records.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "requests.hpp"
#include "store.hpp"

namespace example {

using jackfield::sdk::Failure;
using jackfield::sdk::guarded;
namespace sdk = jackfield::sdk;

/// The members of jf.records/1 may be called on several threads at once: one lock makes them one after the other. Every op is complete before its
/// function returns, so there is nothing to cancel.
class Instance {
  public:
    static std::unique_ptr<Instance> create(sdk::Host host, const sdk::Config& config) {
        return std::unique_ptr<Instance>(new Instance(host, config.text("path", "var/records.journal")));
    }

    void start(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            if (!store_) store_ = std::make_unique<Store>(path_);
            serving_ = true;
        }
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t) {
        {
            const std::lock_guard lock(mutex_);
            serving_ = false;
        }
        host_.complete(op);
    }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op) { return JF_E_INVALID; }

    void declare(jf_op op, const jf_collection* collection) {
        std::uint32_t number = 0;
        {
            const std::lock_guard lock(mutex_);
            number = serving().declare(read_declaration(collection));
        }
        const jf_event last = sdk::Host::event_of(JF_EV_DECLARED, nullptr, 0, number, 0);
        host_.table()->complete(host_.ctx(), op, JF_OK, &last, nullptr);
    }
    void ask(jf_op op, const jf_query* query) {
        std::unique_lock lock(mutex_);
        const Query request = read_query(query, serving());
        answer(op, lock, [&] { return store_->query(request); });
    }
    void change(jf_op op, const jf_array& writes) {
        std::unique_lock lock(mutex_);
        const std::vector<Write> requests = read_writes(writes, serving());
        answer(op, lock, [&] { return store_->write(requests); });
    }

  private:
    Instance(sdk::Host host, std::string path) : host_(host), path_(std::move(path)) {}

    Store& serving() {
        if (!serving_) throw Failure(JF_E_STATE, "the store has not started or is stopping");
        return *store_;
    }
    /// The request was right and the op is accepted: from here on what goes wrong is its completion.
    template <typename Body>
    void answer(jf_op op, std::unique_lock<std::mutex>& lock, Body body) {
        std::optional<Failure> failure;
        Answer answer;
        try {
            answer = body();
        } catch (const Failure& problem) {
            failure = problem;
        }
        // With the op the host may end the instance: nothing of it is touched any more.
        const sdk::Host host = host_;
        lock.unlock();
        if (!failure && !emit_rows(host, op, answer.rows)) failure = Failure(JF_E_CANCELLED, "cancelled");
        if (failure) return static_cast<void>(host.fail(op, *failure));
        jf_records_done done = sdk::make<jf_records_done>();
        done.affected = answer.affected;
        done.revision = answer.revision;
        done.cursor = sdk::bytes(answer.cursor);
        host.complete_with(op, JF_OK, JF_EV_RECORDS_DONE, done);
    }
    /// A few rows an event. AGAIN: the host's queue is full, and this thread may wait for it.
    static bool emit_rows(const sdk::Host& host, jf_op op, const std::vector<Row>& rows) {
        constexpr std::size_t at_once = 64;
        for (std::size_t first = 0; first < rows.size(); first += at_once) {
            std::vector<jf_value> values;
            for (std::size_t i = first; i < std::min(rows.size(), first + at_once); ++i)
                for (std::size_t column = 0; column < rows[i].size(); ++column) values.push_back(rows[i][column].abi());
            jf_rows event = sdk::make<jf_rows>();
            event.columns = static_cast<std::uint32_t>(rows[first].size());
            event.values = sdk::array(values);
            jf_status status;
            while ((status = host.emit(op, JF_EV_ROWS, event)) == JF_E_AGAIN) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (status != JF_OK) return false;
        }
        return true;
    }

    sdk::Host host_;
    std::string path_;
    std::mutex mutex_;
    std::unique_ptr<Store> store_;
    bool serving_ = false;
};

namespace {

Instance& instance_of(jf_instance* self) { return *reinterpret_cast<Instance*>(self); }

const jf_records_v1* records_table() {
    static const jf_records_v1 table = [] {
        jf_records_v1 t = sdk::make<jf_records_v1>();
        t.declare = [](jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) {
            return guarded(error, [&] { instance_of(self).declare(op, collection); });
        };
        t.query = [](jf_instance* self, jf_op op, const jf_query* query, jf_error* error) {
            return guarded(error, [&] { instance_of(self).ask(op, query); });
        };
        t.write = [](jf_instance* self, jf_op op, const jf_write* write, jf_error* error) {
            return guarded(error, [&] {
                if (!write) throw Failure(JF_E_INVALID, "write is missing");
                instance_of(self).change(op, {write, 1, std::max<std::uint32_t>(write->struct_size, sizeof *write)});
            });
        };
        t.batch = [](jf_instance* self, jf_op op, jf_array writes, jf_error* error) {
            return guarded(error, [&] { instance_of(self).change(op, writes); });
        };
        return t;  // no watch, no migrate: null
    }();
    return &table;
}

}  // namespace

const void* Instance::query(std::string_view interface_id) { return interface_id == JF_RECORDS_V1 ? records_table() : nullptr; }

}  // namespace example

JACKFIELD_MODULE(example::Instance)
