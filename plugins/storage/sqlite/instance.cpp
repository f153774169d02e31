#include "instance.hpp"

#include <set>
#include <thread>

#include "vectors_instance.hpp"

namespace jackfield::sqlite {
namespace {

/// That an answer waits for a host that is slow to take it. A query keeps its connection and its place in the log meanwhile, which others need: what
/// takes longer is asked for in pages.
constexpr std::chrono::nanoseconds longest_emit = std::chrono::seconds(10);

Instance& instance_of(jf_instance* self) { return *reinterpret_cast<Instance*>(self); }

/// As sdk::guarded(), keeping the time after which to come back.
template <typename Body>
jf_status entry(jf_error* error, Body body) noexcept {
    return sdk::guarded(error, [&]() -> jf_status {
        try {
            body();
            return JF_OK;
        } catch (const StoreFailure& failure) {
            failure.write(error);
            if (error) error->retry_after_ms = failure.retry_after_ms();
            return failure.code();
        }
    });
}

const jf_records_v1* records_table() {
    static const jf_records_v1 table = [] {
        jf_records_v1 t = sdk::make<jf_records_v1>();
        t.declare = [](jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) {
            return entry(error, [&] { instance_of(self).declare(op, collection); });
        };
        t.query = [](jf_instance* self, jf_op op, const jf_query* query, jf_error* error) {
            return entry(error, [&] { instance_of(self).run_query(op, query); });
        };
        t.write = [](jf_instance* self, jf_op op, const jf_write* write, jf_error* error) {
            return entry(error, [&] {
                if (!write) invalid("write is missing");
                instance_of(self).run_writes(op, {write, 1, std::max<std::uint32_t>(write->struct_size, sizeof *write)});
            });
        };
        t.batch = [](jf_instance* self, jf_op op, jf_array writes, jf_error* error) {
            return entry(error, [&] { instance_of(self).run_writes(op, writes); });
        };
        t.watch = [](jf_instance* self, jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) {
            return entry(error, [&] { instance_of(self).watch(op, collection, tenant); });
        };
        t.migrate = [](jf_instance* self, jf_op op, const jf_migrate* request, jf_error* error) {
            return entry(error, [&] { instance_of(self).migrate(op, request); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

std::unique_ptr<Instance> Instance::create(sdk::Host host, const sdk::Config& config) {
    return std::make_unique<Instance>(host, read_options(config), read_vector_options(config));
}

void Instance::start(jf_op op) {
    const std::lock_guard lock(mutex_);
    if (!store_) {
        options_.warn = [this](const char* event, const std::string& text) { host_.log(JF_LOG_WARN, event, {{"text", text}}); };
        options_.on_change = [this](std::uint32_t collection, std::string_view tenant) {
            // A full queue at the host holds wakes already: one more says nothing.
            watchers_.wake(collection, tenant, [this](jf_op watching) { host_.emit(watching, JF_EV_WAKE); });
        };
        store_ = Store::open(options_);
        vectors_ = std::make_shared<VectorStore>(host_, store_, vector_options_, options_.utc_us);
        host_.log(JF_LOG_INFO, "sqlite.open", {{"path", options_.path}});
    }
    vectors_->resume();
    vectors_->warm_up();
    accepting_ = true;
    host_.complete(op);
}

void Instance::quiesce(jf_op op, std::uint32_t budget_ms) {
    std::shared_ptr<Store> store;
    {
        const std::lock_guard lock(mutex_);
        accepting_ = false;
        store = store_;
    }
    for (const Watchers::Watch& watch : watchers_.take_all()) host_.complete(watch.op, JF_E_CANCELLED);
    if (vectors_) vectors_->stop(std::chrono::milliseconds(budget_ms) / 2);
    const bool idle = operations_.wait_idle(std::chrono::milliseconds(budget_ms));
    // A convenience for who copies the file next; what was answered is durable in the log already.
    if (idle && store) sdk::guarded(nullptr, [&] { store->checkpoint(); });
    host_.complete(op);
}

const void* Instance::query(std::string_view interface_id) {
    if (interface_id == JF_VECTORS_V1) return vectors_table();
    return interface_id == JF_RECORDS_V1 ? records_table() : nullptr;
}

jf_status Instance::cancel(jf_op op) {
    if (operations_.cancel(op)) return JF_OK;
    if (!watchers_.remove(op)) return JF_E_INVALID;
    host_.complete(op, JF_E_CANCELLED);
    return JF_OK;
}

std::shared_ptr<Store> Instance::store() {
    const std::lock_guard lock(mutex_);
    if (!accepting_) throw StoreFailure(JF_E_STATE, "the storage has not started or is stopping");
    return store_;
}

std::shared_ptr<VectorStore> Instance::vectors() {
    const std::lock_guard lock(mutex_);
    if (!accepting_) throw StoreFailure(JF_E_STATE, "the storage has not started or is stopping");
    return vectors_;
}

/// Runs `body` for an accepted op and completes the op with its answer or failure.
template <typename Body>
void Instance::serve(jf_op op, Body body) {
    const Operations::Flag cancelled = operations_.begin(op);
    std::optional<StoreFailure> failure;
    Answer answer;
    try {
        answer = body(*cancelled);
    } catch (const StoreFailure& problem) {
        failure = problem;
    } catch (const std::exception& problem) {
        failure = StoreFailure(JF_E_INTERNAL, problem.what());
    }
    // Once the op is complete the host may destroy the instance: nothing of it is touched afterwards.
    const sdk::Host host = host_;
    operations_.end(op);
    if (failure) {
        jf_error error = sdk::make<jf_error>();
        failure->write(&error);
        error.retry_after_ms = failure->retry_after_ms();
        host.table()->complete(host.ctx(), op, failure->code(), nullptr, &error);
        return;
    }
    jf_records_done done = sdk::make<jf_records_done>();
    done.affected = answer.affected;
    done.revision = answer.revision;
    done.cursor = sdk::bytes(answer.cursor);
    host.complete_with(op, JF_OK, JF_EV_RECORDS_DONE, done);
}

void Instance::declare(jf_op op, const jf_collection* given) {
    const std::shared_ptr<Store> opened = store();
    const std::uint32_t number = opened->declare(read_collection(given));
    jf_event last = sdk::Host::event_of(JF_EV_DECLARED, nullptr, 0, number, 0);
    host_.table()->complete(host_.ctx(), op, JF_OK, &last, nullptr);
}

void Instance::run_query(jf_op op, const jf_query* given) {
    const std::shared_ptr<Store> opened = store();
    const QueryRequest request = read_query(given, opened->catalogue());
    serve(op, [&](const std::atomic<bool>& cancelled) {
        Answer answer;
        std::chrono::nanoseconds patience = longest_emit;
        answer.cursor = opened->query(request, [&](RowBuffer& rows) { emit_rows(op, rows, cancelled, patience); }, cancelled);
        return answer;
    });
}

void Instance::run_writes(jf_op op, const jf_array& given) {
    const std::shared_ptr<Store> opened = store();
    check_array(given, sizeof(std::uint32_t), 100000, "writes");
    std::vector<WriteRequest> requests;
    requests.reserve(given.n);
    for (std::uint32_t i = 0; i < given.n; ++i) {
        const jf_write* write = JF_AT(jf_write, given, i);
        if (write->struct_size > given.stride) invalid("writes: an element is longer than the stride");
        requests.push_back(read_write(write, opened->catalogue()));
    }
    serve(op, [&](const std::atomic<bool>& cancelled) {
        WriteResult result = opened->write(requests, cancelled);
        // What is committed is answered as such, even when the caller cancels meanwhile.
        static const std::atomic<bool> never{false};
        std::chrono::nanoseconds patience = longest_emit;
        for (RowBuffer& rows : result.rows) emit_rows(op, rows, never, patience);
        return Answer{result.affected, result.revision, {}};
    });
}

void Instance::watch(jf_op op, std::uint32_t collection, jf_str tenant) {
    const std::shared_ptr<Store> opened = store();
    const Catalogue::Entry entry = opened->catalogue().at(collection);
    const std::string_view whose = read_text(tenant, "tenant");
    watchers_.add({op, collection, std::string(entry->scope == JF_SCOPE_HOST ? std::string_view() : whose)});
}

void Instance::migrate(jf_op op, const jf_migrate* given) {
    const std::shared_ptr<Store> opened = store();
    const MigrateRequest request = read_migrate(given);
    serve(op, [&](const std::atomic<bool>&) {
        Answer answer;
        answer.affected = opened->migrate(request, [&](const Step& step) {
            jf_migration_step out = sdk::make<jf_migration_step>();
            out.kind = step.kind;
            out.flags = step.flags;
            out.collection = sdk::str(step.collection);
            out.text = sdk::str(step.text);
            out.from_version = step.from;
            out.to_version = step.to;
            out.rows = step.rows;
            out.lost = step.lost;
            out.estimate_ms = step.estimate_ms;
            host_.emit(op, JF_EV_MIGRATION, out);
        });
        return answer;
    });
}

void Instance::emit_rows(jf_op op, RowBuffer& buffer, const std::atomic<bool>& cancelled, std::chrono::nanoseconds& patience) {
    const jf_rows rows = buffer.rows();
    const auto began = std::chrono::steady_clock::now();
    auto pause = std::chrono::microseconds(100);
    while (true) {
        if (cancelled) throw StoreFailure(JF_E_CANCELLED, "cancelled");
        const jf_status status = host_.emit(op, JF_EV_ROWS, rows);
        const auto waited = std::chrono::steady_clock::now() - began;
        if (status == JF_OK) {
            patience -= waited;
            return;
        }
        if (status != JF_E_AGAIN) throw StoreFailure(JF_E_CANCELLED, "cancelled");
        if (waited > patience) throw StoreFailure(JF_E_TIMEOUT, "the host kept the rows waiting for 10 seconds; ask for fewer at a time", 0, 1000);
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(10000));
    }
}

}  // namespace jackfield::sqlite
