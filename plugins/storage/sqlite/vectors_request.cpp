#include "vectors_request.hpp"

#include <cmath>
#include <cstring>
#include <unordered_map>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t longest_id = 256;
constexpr std::uint32_t most_fields = 1000;

std::string_view read_id(jf_str given) {
    const std::string_view id = read_text(given, "a vector's id");
    if (id.empty()) invalid("a vector's id is empty");
    if (id.size() > longest_id) invalid("a vector's id is longer than 256 bytes");
    return id;
}

/// As the space keeps them: in a cosine space of length 1, so that the dot product is the cosine.
std::vector<float> read_values(const jf_array& given, const VectorSpace& space, const std::string& whose) {
    const std::string where = "vector space '" + space.name + "': " + whose;
    if (given.n != space.dim)
        invalid(where + " has " + std::to_string(given.n) + " dimensions, the space " + std::to_string(space.dim));
    if (!given.ptr || given.stride != sizeof(float)) invalid(where + " has values that are no array of floats");
    std::vector<float> values(given.n);
    std::memcpy(values.data(), given.ptr, values.size() * sizeof(float));
    double square = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) invalid(where + " is not finite at dimension " + std::to_string(i));
        square += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    // What can't be compared without overflow is as useless as an infinity.
    if (square > 1e36) invalid(where + " is longer than 1e18");
    if (space.metric != JF_METRIC_COSINE) return values;
    if (square < 1e-36) invalid(where + " is zero, which has no direction and so no cosine");
    const double length = std::sqrt(square);
    for (float& value : values) value = static_cast<float>(static_cast<double>(value) / length);
    return values;
}

/// Terms are read as those of a query of records are.
std::vector<Term> read_terms(const jf_array& where, jf_str tenant, const VectorSpace& space, const VectorSpaces& spaces) {
    jf_query query = sdk::make<jf_query>();
    query.collection = space.number();
    query.tenant = tenant;
    query.where = where;
    return read_query(&query, spaces.catalogue()).where;
}

std::string_view tenant_of(const VectorSpace& space, jf_str given) {
    const std::string_view tenant = read_text(given, "tenant");
    if (space.collection.scope == JF_SCOPE_TENANT && tenant.empty()) invalid("tenant is missing: vector space '" + space.name + "' is tenant-scoped");
    return space.collection.scope == JF_SCOPE_TENANT ? tenant : std::string_view();
}

VectorRow read_row(const jf_vector& given, const VectorSpace& space, jf_str tenant, const VectorSpaces& spaces) {
    VectorRow row;
    row.id = read_id(given.id);
    row.values = read_values(given.values, space, "the vector '" + std::string(row.id.substr(0, 80)) + "'");
    row.attributes.resize(space.collection.fields.size());
    // Attributes are read as the values of an inserted record are: type, content, what may not be null.
    jf_write write = sdk::make<jf_write>();
    write.verb = JF_WRITE_INSERT;
    write.collection = space.number();
    write.tenant = tenant;
    write.id = given.id;
    write.values = given.attributes;
    for (const Edit& edit : read_write(&write, spaces.catalogue()).values)
        row.attributes[edit.field - std::size_t{JF_FIELD_FIRST}] = edit.value;
    return row;
}

}  // namespace

VectorUpsert read_upsert(const jf_vector_upsert* given, const VectorSpaces& spaces) {
    const jf_vector_upsert upsert = read_struct(given, "upsert");
    VectorUpsert out;
    out.space = spaces.at(upsert.space);
    out.tenant = tenant_of(*out.space, upsert.tenant);
    std::unordered_map<std::string_view, std::size_t> places;
    for (const jf_vector& vector : read_structs<jf_vector>(upsert.vectors, most_vectors, "vectors")) {
        VectorRow row = read_row(vector, *out.space, upsert.tenant, spaces);
        const auto [place, is_new] = places.try_emplace(row.id, out.rows.size());
        if (is_new) out.rows.push_back(std::move(row));
        else out.rows[place->second] = std::move(row);  // the later one stands
    }
    return out;
}

VectorQuery read_vector_query(const jf_vector_query* given, const VectorSpaces& spaces) {
    const jf_vector_query query = read_struct(given, "query");
    VectorQuery out;
    out.space = spaces.at(query.space);
    out.tenant = tenant_of(*out.space, query.tenant);
    out.values = read_values(query.values, *out.space, "the query");
    out.where = read_terms(query.where, query.tenant, *out.space, spaces);
    out.fields = read_plain<std::uint16_t>(query.fields, most_fields, "fields");
    for (const std::uint16_t field : out.fields) out.space->collection.at(field);
    out.limit = query.limit == 0 ? 10 : query.limit;
    if (out.limit > most_matches) invalid("a search answers at most " + std::to_string(most_matches) + " matches");
    if (std::isnan(query.least_score)) invalid("least_score is no number");
    out.least_score = query.least_score;
    return out;
}

VectorRemove read_remove(const jf_vector_remove* given, const VectorSpaces& spaces) {
    const jf_vector_remove remove = read_struct(given, "remove");
    VectorRemove out;
    out.space = spaces.at(remove.space);
    out.tenant = tenant_of(*out.space, remove.tenant);
    for (const jf_str id : read_plain<jf_str>(remove.ids, most_vectors, "ids")) out.ids.push_back(read_id(id));
    out.where = read_terms(remove.where, remove.tenant, *out.space, spaces);
    return out;
}

}  // namespace jackfield::sqlite
