#include "vectors_instance.hpp"

#include "instance.hpp"

namespace jackfield::sqlite {
namespace {

Instance& instance_of(jf_instance* self) { return *reinterpret_cast<Instance*>(self); }

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

void complete(const sdk::Host& host, jf_op op, std::uint32_t type, const void* data, std::size_t size, std::uint64_t pos) {
    const jf_event last = sdk::Host::event_of(type, data, size, pos, 0);
    host.table()->complete(host.ctx(), op, JF_OK, &last, nullptr);
}

/// Runs `body` for an accepted op. It answers what completes the op.
template <typename Body>
void serve(Instance& instance, jf_op op, Body body) {
    const Operations::Flag cancelled = instance.operations().begin(op);
    const sdk::Host host = instance.host();
    std::function<void()> answer;
    try {
        answer = body(*cancelled);
    } catch (const StoreFailure& failure) {
        answer = [&host, op, failure] {
            jf_error error = sdk::make<jf_error>();
            failure.write(&error);
            error.retry_after_ms = failure.retry_after_ms();
            host.table()->complete(host.ctx(), op, failure.code(), nullptr, &error);
        };
    } catch (const std::exception& problem) {
        answer = [&host, op, text = std::string(problem.what())] { host.fail(op, sdk::Failure(JF_E_INTERNAL, text)); };
    }
    // Once the op is complete the host may destroy the instance: nothing of it is touched afterwards.
    instance.operations().end(op);
    answer();
}

void ensure(Instance& instance, jf_op op, const jf_vector_space* given) {
    const std::shared_ptr<VectorStore> vectors = instance.vectors();
    const std::uint32_t number = vectors->ensure(read_vector_space(given));
    complete(instance.host(), op, JF_EV_SPACE, nullptr, 0, number);
}

void upsert(Instance& instance, jf_op op, const jf_vector_upsert* given) {
    const std::shared_ptr<VectorStore> vectors = instance.vectors();
    const VectorUpsert request = read_upsert(given, vectors->spaces());
    serve(instance, op, [&, host = instance.host()](const std::atomic<bool>& cancelled) -> std::function<void()> {
        const std::uint64_t changed = vectors->upsert(request, cancelled);
        return [host, op, changed] { complete(host, op, JF_EV_VECTORS_DONE, nullptr, 0, changed); };
    });
}

void remove(Instance& instance, jf_op op, const jf_vector_remove* given) {
    const std::shared_ptr<VectorStore> vectors = instance.vectors();
    const VectorRemove request = read_remove(given, vectors->spaces());
    serve(instance, op, [&, host = instance.host()](const std::atomic<bool>& cancelled) -> std::function<void()> {
        const std::uint64_t changed = vectors->remove(request, cancelled);
        return [host, op, changed] { complete(host, op, JF_EV_VECTORS_DONE, nullptr, 0, changed); };
    });
}

void answer_matches(const sdk::Host& host, jf_op op, VectorStore::Found& found) {
    std::vector<jf_match> matches;
    matches.reserve(found.scores.size());
    for (std::size_t i = 0; i < found.scores.size(); ++i) {
        jf_match& match = matches.emplace_back(sdk::make<jf_match>());
        found.answers[i].settle();
        match.score = found.scores[i];
        match.id = sdk::str(found.answers[i].id);
        match.values = sdk::array(found.answers[i].values);
    }
    jf_matches last = sdk::make<jf_matches>();
    last.exact = found.exact ? 1 : 0;
    last.matches = sdk::array(matches);
    complete(host, op, JF_EV_MATCHES, &last, sizeof last, 0);
}

void search(Instance& instance, jf_op op, const jf_vector_query* given) {
    const std::shared_ptr<VectorStore> vectors = instance.vectors();
    const VectorQuery query = read_vector_query(given, vectors->spaces());
    serve(instance, op, [&, host = instance.host()](const std::atomic<bool>& cancelled) -> std::function<void()> {
        return [host, op, found = vectors->search(query, cancelled)]() mutable { answer_matches(host, op, found); };
    });
}

void stats(Instance& instance, jf_op op, std::uint32_t space, jf_str given) {
    const std::shared_ptr<VectorStore> vectors = instance.vectors();
    const std::string tenant(read_text(given, "tenant"));
    vectors->spaces().at(space)->collection.tenant_of(tenant);
    serve(instance, op, [&, host = instance.host()](const std::atomic<bool>& cancelled) -> std::function<void()> {
        const VectorStore::Counts counts = vectors->stats(space, tenant, cancelled);
        return [host, op, counts] {
            jf_vector_stats last = sdk::make<jf_vector_stats>();
            last.dim = counts.dim;
            last.vectors = counts.vectors;
            last.bytes = counts.bytes;
            last.memory = counts.memory;
            last.indexed = counts.indexed;
            complete(host, op, JF_EV_VECTOR_STATS, &last, sizeof last, 0);
        };
    });
}

}  // namespace

const jf_vectors_v1* vectors_table() {
    static const jf_vectors_v1 table = [] {
        jf_vectors_v1 t = sdk::make<jf_vectors_v1>();
        t.ensure = [](jf_instance* self, jf_op op, const jf_vector_space* space, jf_error* error) {
            return entry(error, [&] { ensure(instance_of(self), op, space); });
        };
        t.upsert = [](jf_instance* self, jf_op op, const jf_vector_upsert* request, jf_error* error) {
            return entry(error, [&] { upsert(instance_of(self), op, request); });
        };
        t.search = [](jf_instance* self, jf_op op, const jf_vector_query* query, jf_error* error) {
            return entry(error, [&] { search(instance_of(self), op, query); });
        };
        t.remove = [](jf_instance* self, jf_op op, const jf_vector_remove* request, jf_error* error) {
            return entry(error, [&] { remove(instance_of(self), op, request); });
        };
        t.stats = [](jf_instance* self, jf_op op, std::uint32_t space, jf_str tenant, jf_error* error) {
            return entry(error, [&] { stats(instance_of(self), op, space, tenant); });
        };
        return t;
    }();
    return &table;
}

VectorOptions read_vector_options(const sdk::Config& config) {
    VectorOptions options;
    const auto number = [&](const char* key, std::size_t otherwise) {
        return static_cast<std::size_t>(config.integer(key, static_cast<std::int64_t>(otherwise)));
    };
    options.exact_below = number("vectors_exact_below", options.exact_below);
    options.exact_bytes = number("vectors_exact_mib", options.exact_bytes >> 20) << 20;
    options.memory = number("vectors_memory_mib", options.memory >> 20) << 20;
    options.set_memory = number("vectors_set_memory_mib", options.set_memory >> 20) << 20;
    options.search_width = number("vectors_search_width", options.search_width);
    options.graph.links = number("vectors_links", options.graph.links);
    options.graph.build_width = number("vectors_build_width", options.graph.build_width);
    options.builders = number("vectors_builders", options.builders);
    return options;
}

}  // namespace jackfield::sqlite
