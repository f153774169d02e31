#include <jackfield/sdk/records.hpp>
#include <jackfield/vectors.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "requests.hpp"
#include "store.hpp"
#include "vector_requests.hpp"

namespace example {

using jackfield::sdk::Failure;
using jackfield::sdk::guarded;
namespace sdk = jackfield::sdk;

/// The members of jf.records/1 may be called on several threads at once: one lock makes them one after the other. Every op but a watch is complete
/// before its function returns, so there is nothing else to cancel.
class Instance {
  public:
    static std::unique_ptr<Instance> create(sdk::Host host, const sdk::Config& config) {
        return std::unique_ptr<Instance>(new Instance(host, config.text("path", "var/records.journal")));
    }

    void start(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            if (!store_) store_ = std::make_unique<Store>(path_);
            if (!vectors_) vectors_ = std::make_unique<Vectors>(path_ + ".vectors");
            serving_ = true;
        }
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t) {
        {
            const std::lock_guard lock(mutex_);
            serving_ = false;
        }
        std::map<jf_op, Watch> ended;
        {
            const std::lock_guard lock(watches_mutex_);
            ended.swap(watches_);
        }
        for (const auto& [watch, of] : ended) host_.complete(watch, JF_E_CANCELLED);
        host_.complete(op);
    }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op) {
        const sdk::Host host = host_;
        {
            const std::lock_guard lock(watches_mutex_);
            if (watches_.erase(op) == 0) return JF_E_INVALID;
        }
        host.complete(op, JF_E_CANCELLED);
        return JF_OK;
    }

    void declare(jf_op op, const jf_collection* collection) {
        std::uint32_t number = 0;
        {
            const std::lock_guard lock(mutex_);
            number = serving().declare(read_declaration(collection));
        }
        done_at(op, JF_EV_DECLARED, number);
    }
    void ask(jf_op op, const jf_query* query) {
        std::unique_lock lock(mutex_);
        const Query request = read_query(query, serving());
        answer(op, lock, [&] { return store_->query(request); });
    }
    void change(jf_op op, const jf_array& writes) {
        std::unique_lock lock(mutex_);
        const std::vector<Write> requests = read_writes(writes, serving());
        answer(op, lock, [&] {
            Answer answer = store_->write(requests);
            if (answer.affected > 0) wake(requests);
            return answer;
        });
    }
    void watch(jf_op op, std::uint32_t collection, jf_str tenant) {
        const std::lock_guard lock(mutex_);
        serving().declaration(collection);
        const std::lock_guard watches_lock(watches_mutex_);
        watches_.emplace(op, Watch{collection, std::string(sdk::view(tenant))});
    }

    // jf.vectors/1: under the same lock, and each op complete before its function returns.
    void ensure(jf_op op, const jf_vector_space* space) {
        std::uint32_t number = 0;
        {
            const std::lock_guard lock(mutex_);
            number = serving_vectors().ensure(read_space(space));
        }
        done_at(op, JF_EV_SPACE, number);
    }
    void upsert(jf_op op, const jf_vector_upsert* upsert) {
        change_vectors(op, [&](Vectors& vectors) {
            const UpsertRequest request = read_upsert(upsert, vectors);
            return vectors.upsert(request.space, request.tenant, request.vectors);
        });
    }
    void remove(jf_op op, const jf_vector_remove* remove) {
        change_vectors(op, [&](Vectors& vectors) {
            const RemoveRequest request = read_remove(remove, vectors);
            return vectors.remove(request.space, request.tenant, request.ids, request.where);
        });
    }
    void search(jf_op op, const jf_vector_query* query) {
        struct Found {
            std::string id;
            std::vector<Value> values;
            float score;
        };
        std::vector<Found> found;
        {
            const std::lock_guard lock(mutex_);
            const SearchRequest request = read_search(query, serving_vectors());
            for (const Nearest& nearest : vectors_->search(request.space, request.tenant, request.search)) {
                const Record& attributes = nearest.vector->attributes;
                Found& made = found.emplace_back(Found{field_of(attributes, JF_FIELD_ID).text(), {}, nearest.score});
                for (const std::uint16_t field : request.fields) made.values.push_back(field_of(attributes, field));
            }
        }
        std::vector<std::vector<jf_value>> values(found.size());
        std::vector<jf_match> matches;
        for (std::size_t i = 0; i < found.size(); ++i) {
            for (const Value& value : found[i].values) values[i].push_back(value.abi());
            jf_match& match = matches.emplace_back(sdk::make<jf_match>());
            match.score = found[i].score;
            match.id = sdk::str(found[i].id);
            match.values = sdk::array(values[i]);
        }
        jf_matches last = sdk::make<jf_matches>();
        last.exact = 1;
        last.matches = sdk::array(matches);
        host_.complete_with(op, JF_OK, JF_EV_MATCHES, last);
    }
    void stats(jf_op op, std::uint32_t space, jf_str tenant) {
        jf_vector_stats last = sdk::make<jf_vector_stats>();
        {
            const std::lock_guard lock(mutex_);
            const Space& of = serving_vectors().space(space);
            last.dim = of.dim;
            last.vectors = vectors_->count(space, read_tenant(of, tenant));
            last.bytes = last.memory = last.vectors * of.dim * sizeof(float);
        }
        host_.complete_with(op, JF_OK, JF_EV_VECTOR_STATS, last);
    }

  private:
    Instance(sdk::Host host, std::string path) : host_(host), path_(std::move(path)) {}

    Store& serving() {
        if (!serving_) throw Failure(JF_E_STATE, "the store has not started or is stopping");
        return *store_;
    }
    struct Watch {
        std::uint32_t collection;
        std::string tenant; ///< empty: any
    };
    /// A queue that is full holds a WAKE already.
    void wake(const std::vector<Write>& writes) {
        const jf_event event = sdk::Host::event_of(JF_EV_WAKE, nullptr, 0, 0, 0);
        const std::lock_guard lock(watches_mutex_);
        for (const auto& [op, of] : watches_)
            for (const Write& write : writes)
                if (write.collection == of.collection && (of.tenant.empty() || of.tenant == write.tenant)) {
                    host_.table()->emit(host_.ctx(), op, &event, 1);
                    break;
                }
    }
    Vectors& serving_vectors() {
        serving();
        return *vectors_;
    }
    template <typename Body>
    void change_vectors(jf_op op, Body body) {
        std::size_t changed = 0;
        {
            const std::lock_guard lock(mutex_);
            changed = body(serving_vectors());
        }
        done_at(op, JF_EV_VECTORS_DONE, changed);
    }
    void done_at(jf_op op, std::uint32_t type, std::uint64_t pos) {
        const jf_event last = sdk::Host::event_of(type, nullptr, 0, pos, 0);
        host_.table()->complete(host_.ctx(), op, JF_OK, &last, nullptr);
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
    std::unique_ptr<Vectors> vectors_;
    bool serving_ = false;
    std::mutex watches_mutex_; // never held while a write is made: cancel() comes on a call's thread
    std::map<jf_op, Watch> watches_;
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
        t.watch = [](jf_instance* self, jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) {
            return guarded(error, [&] { instance_of(self).watch(op, collection, tenant); });
        };
        return t;  // no migrate: null
    }();
    return &table;
}

const jf_vectors_v1* vectors_table() {
    static const jf_vectors_v1 table = [] {
        jf_vectors_v1 t = sdk::make<jf_vectors_v1>();
        t.ensure = [](jf_instance* self, jf_op op, const jf_vector_space* space, jf_error* error) {
            return guarded(error, [&] { instance_of(self).ensure(op, space); });
        };
        t.upsert = [](jf_instance* self, jf_op op, const jf_vector_upsert* upsert, jf_error* error) {
            return guarded(error, [&] { instance_of(self).upsert(op, upsert); });
        };
        t.search = [](jf_instance* self, jf_op op, const jf_vector_query* query, jf_error* error) {
            return guarded(error, [&] { instance_of(self).search(op, query); });
        };
        t.remove = [](jf_instance* self, jf_op op, const jf_vector_remove* remove, jf_error* error) {
            return guarded(error, [&] { instance_of(self).remove(op, remove); });
        };
        t.stats = [](jf_instance* self, jf_op op, std::uint32_t space, jf_str tenant, jf_error* error) {
            return guarded(error, [&] { instance_of(self).stats(op, space, tenant); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

const void* Instance::query(std::string_view interface_id) {
    if (interface_id == JF_RECORDS_V1) return records_table();
    return interface_id == JF_VECTORS_V1 ? vectors_table() : nullptr;
}

}  // namespace example

JACKFIELD_MODULE(example::Instance)
