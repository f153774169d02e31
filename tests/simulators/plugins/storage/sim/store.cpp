#include "store.hpp"

namespace jackfield::storage_sim {
namespace {

Store& store_of(jf_instance* self) { return *reinterpret_cast<Store*>(self); }

const jf_records_v1* records_table() {
    static const jf_records_v1 table = [] {
        jf_records_v1 t = sdk::make<jf_records_v1>();
        t.declare = [](jf_instance* self, jf_op op, const jf_collection* collection, jf_error* error) {
            Store& store = store_of(self);
            return store.inner_table().declare(store.inner(), op, collection, error);
        };
        t.query = [](jf_instance* self, jf_op op, const jf_query* query, jf_error* error) {
            Store& store = store_of(self);
            return store.inner_table().query(store.inner(), op, query, error);
        };
        t.write = [](jf_instance* self, jf_op op, const jf_write* write, jf_error* error) {
            Store& store = store_of(self);
            return store.write(op, error, [&] { return store.inner_table().write(store.inner(), op, write, error); });
        };
        t.batch = [](jf_instance* self, jf_op op, jf_array writes, jf_error* error) {
            Store& store = store_of(self);
            return store.write(op, error, [&] { return store.inner_table().batch(store.inner(), op, writes, error); });
        };
        t.watch = [](jf_instance* self, jf_op op, std::uint32_t collection, jf_str tenant, jf_error* error) {
            Store& store = store_of(self);
            return store.inner_table().watch(store.inner(), op, collection, tenant, error);
        };
        t.migrate = [](jf_instance* self, jf_op op, const jf_migrate* request, jf_error* error) {
            Store& store = store_of(self);
            return store.inner_table().migrate(store.inner(), op, request, error);
        };
        return t;
    }();
    return &table;
}

}  // namespace

std::unique_ptr<Store> Store::create(sdk::Host host, const sdk::Config& config) {
    sqlite::Options options = sqlite::read_options(config);
    options.path = config.text("path", ":memory:");
    return std::make_unique<Store>(host, std::make_unique<sqlite::Instance>(host, std::move(options)), sim::Faults(config.list("faults")));
}

Store::Store(sdk::Host host, std::unique_ptr<sqlite::Instance> inner, sim::Faults faults)
    : host_(host),
      inner_(std::move(inner)),
      inner_table_(static_cast<const jf_records_v1*>(inner_->query(JF_RECORDS_V1))),
      faults_(std::move(faults)) {}

const void* Store::query(std::string_view interface_id) { return interface_id == JF_RECORDS_V1 ? records_table() : nullptr; }

jf_status Store::cancel(jf_op op) {
    {
        const std::lock_guard lock(mutex_);
        if (standing_.erase(op) == 0) return inner_->cancel(op);
    }
    return host_.complete(op, JF_E_CANCELLED);
}

jf_status Store::write(jf_op op, jf_error* error, const std::function<jf_status()>& really) {
    const sim::Fault* fault = nullptr;
    {
        const std::lock_guard lock(mutex_);
        fault = faults_.find(++writes_, {"refuse", "fail", "lost", "stall", "again"});
        if (fault && fault->kind == "stall") standing_.insert(op);
    }
    const std::string_view kind = fault ? std::string_view(fault->kind) : std::string_view();
    if (kind == "refuse") {
        sdk::Failure(JF_E_PEER_LOST, "the database is not reachable").write(error);
        return JF_E_PEER_LOST;
    }
    if (kind == "fail") return host_.fail(op, sdk::Failure(JF_E_INTERNAL, "the disk is full"));
    if (kind == "stall") return JF_OK;
    if (kind == "lost") host_.fail(op, sdk::Failure(JF_E_TIMEOUT, "the connection broke behind the commit"));
    const jf_status status = really();
    if (kind == "again") host_.complete(op);
    return kind == "lost" ? JF_OK : status;
}

}  // namespace jackfield::storage_sim
