#include "vector_requests.hpp"

#include <cmath>

#include "requests.hpp"
#include "structs.hpp"

namespace example {
namespace {

constexpr std::uint32_t largest_dim = 4096, most_matches = 10'000;
constexpr std::size_t longest_id = 256;

std::vector<float> read_floats(const Space& space, const jf_array& given) {
    if (given.n != space.dim || !given.ptr || given.stride < sizeof(float))
        invalid("a vector of " + std::to_string(given.n) + " values in space '" + space.declared.name + "', whose vectors have " + std::to_string(space.dim));
    std::vector<float> out;
    bool points = false;
    for (std::uint32_t i = 0; i < given.n; ++i) {
        out.push_back(*JF_AT(float, given, i));
        if (!std::isfinite(out.back())) invalid("a value of a vector is not finite");
        points = points || out.back() != 0;
    }
    if (space.metric == JF_METRIC_COSINE && !points) invalid("a zero vector points nowhere: the cosine has no meaning");
    return out;
}

std::string read_id(jf_str given) {
    std::string id = read_text(given, "id");
    if (id.empty() || id.size() > longest_id) invalid("an id has 1 to 256 bytes");
    return id;
}

}  // namespace

std::string read_tenant(const Space& space, jf_str given) {
    std::string tenant = read_text(given, "tenant");
    if (tenant.empty() != (space.declared.scope == JF_SCOPE_HOST))
        invalid("space '" + space.declared.name + (tenant.empty() ? "' is tenant-scoped, and the tenant is missing" : "' is host-scoped: it has no tenants"));
    return tenant;
}

Space read_space(const jf_vector_space* given) {
    const jf_vector_space space = read_struct(given, "space");
    jf_collection attributes = jackfield::sdk::make<jf_collection>();
    attributes.scope = space.scope;
    attributes.name = space.name;
    attributes.fields = space.attributes;
    Space out{read_declaration(&attributes), space.dim, space.metric};
    if (out.metric > JF_METRIC_L2) unsupported("metric " + std::to_string(out.metric) + " is unknown");
    if (out.dim == 0) invalid("a space has at least one dimension");
    if (out.dim > largest_dim) unsupported("vectors of at most " + std::to_string(largest_dim) + " values");
    return out;
}

UpsertRequest read_upsert(const jf_vector_upsert* given, const Vectors& vectors) {
    const jf_vector_upsert upsert = read_struct(given, "upsert");
    const Space& space = vectors.space(upsert.space);
    UpsertRequest out;
    out.space = upsert.space;
    out.tenant = read_tenant(space, upsert.tenant);
    for (const jf_vector& vector : read_structs<jf_vector>(upsert.vectors, "vectors")) {
        const std::string id = read_id(vector.id);
        out.vectors[id] = {read_floats(space, vector.values), read_attributes(space.declared, id, vector.attributes)};
    }
    return out;
}

SearchRequest read_search(const jf_vector_query* given, const Vectors& vectors) {
    const jf_vector_query query = read_struct(given, "query");
    const Space& space = vectors.space(query.space);
    SearchRequest out;
    out.space = query.space;
    out.tenant = read_tenant(space, query.tenant);
    out.search.values = read_floats(space, query.values);
    out.search.where = read_attribute_terms(space.declared, query.where);
    if (query.limit > most_matches) invalid("at most " + std::to_string(most_matches) + " matches");
    out.search.limit = query.limit == 0 ? 10 : query.limit;
    if (std::isnan(query.least_score)) invalid("least_score is no number");
    out.search.least_score = query.least_score;
    out.fields = read_fields(space.declared, query.fields);
    return out;
}

RemoveRequest read_remove(const jf_vector_remove* given, const Vectors& vectors) {
    const jf_vector_remove remove = read_struct(given, "remove");
    const Space& space = vectors.space(remove.space);
    RemoveRequest out;
    out.space = remove.space;
    out.tenant = read_tenant(space, remove.tenant);
    if (remove.ids.n > 0 && (!remove.ids.ptr || remove.ids.stride < sizeof(jf_str))) invalid("ids is no valid array");
    for (std::uint32_t i = 0; i < remove.ids.n; ++i) out.ids.insert(read_id(*JF_AT(jf_str, remove.ids, i)));
    out.where = read_attribute_terms(space.declared, remove.where);
    return out;
}

}  // namespace example
