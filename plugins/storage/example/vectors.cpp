#include "vectors.hpp"

#include <jackfield/vectors.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace example {

using jackfield::sdk::Failure;

namespace {

std::string pack(const Space& space) {
    Packer out;
    out.number('S').text(space.declared.name).number(space.declared.scope).number(space.dim).number(space.metric).number(space.declared.fields.size());
    for (const Field& field : space.declared.fields) out.text(field.name).number(field.type).number(field.flags);
    return out.bytes();
}

Space unpack(Unpacker& in) {
    Space out;
    out.declared.name = in.text();
    out.declared.scope = static_cast<std::uint32_t>(in.number());
    out.dim = static_cast<std::uint32_t>(in.number());
    out.metric = static_cast<std::uint32_t>(in.number());
    for (std::uint64_t n = in.number(); n > 0; --n) {
        Field& field = out.declared.fields.emplace_back();
        field.name = in.text();
        field.type = static_cast<std::uint16_t>(in.number());
        field.flags = static_cast<std::uint16_t>(in.number());
    }
    return out;
}

float score_of(std::uint32_t metric, const std::vector<float>& a, const std::vector<float>& b) {
    double product = 0, length_a = 0, length_b = 0, apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i], y = b[i];
        product += x * y;
        length_a += x * x;
        length_b += y * y;
        apart += (x - y) * (x - y);
    }
    if (metric == JF_METRIC_DOT) return static_cast<float>(product);
    if (metric == JF_METRIC_L2) return static_cast<float>(-std::sqrt(apart));
    return static_cast<float>(product / std::sqrt(length_a * length_b));
}

const Follow no_references = [](const Record&, std::uint16_t) -> const Record* { return nullptr; };

}  // namespace

Vectors::Vectors(const std::string& path) {
    journal_ = std::make_unique<Journal>(path, [this](std::string_view entry) { replay(entry); });
}

void Vectors::replay(std::string_view entry) {
    Unpacker in(entry);
    if (in.number() == 'S') {
        Space space = unpack(in);
        const auto known = std::find_if(spaces_.begin(), spaces_.end(), [&](const Kept& kept) { return kept.space.declared.name == space.declared.name; });
        if (known != spaces_.end()) known->space = std::move(space);
        else spaces_.push_back({std::move(space), {}});
        return;
    }
    const auto number = static_cast<std::uint32_t>(in.number());
    const std::string tenant = in.text();
    while (!in.at_end()) {
        const std::string id = in.text(), bytes = in.text();
        Vector vector;
        vector.values.resize(bytes.size() / sizeof(float));
        std::memcpy(vector.values.data(), bytes.data(), vector.values.size() * sizeof(float));
        for (std::uint64_t n = in.number(); n > 0; --n) vector.attributes.push_back(in.value());
        put(number, tenant, id, std::move(vector));
    }
}

void Vectors::put(std::uint32_t number, const std::string& tenant, const std::string& id, Vector vector) {
    Tenant& vectors = spaces_.at(number - 1).tenants[tenant];
    if (vector.values.empty()) vectors.erase(id);
    else vectors[id] = std::move(vector);
}

std::uint32_t Vectors::ensure(Space wanted) {
    for (std::size_t i = 0; i < spaces_.size(); ++i) {
        Space& stands = spaces_[i].space;
        if (stands.declared.name != wanted.declared.name) continue;
        std::vector<Field>& has = stands.declared.fields;
        const std::vector<Field>& wants = wanted.declared.fields;
        const std::size_t shared = std::min(has.size(), wants.size());
        if (stands.dim != wanted.dim || stands.metric != wanted.metric || stands.declared.scope != wanted.declared.scope ||
            !std::equal(has.begin(), has.begin() + static_cast<std::ptrdiff_t>(shared), wants.begin()))
            throw Failure(JF_E_CONFLICT, "space '" + wanted.declared.name + "' stands with another dimension, metric, scope or attribute");
        if (wants.size() > has.size()) {
            journal_->append(pack(wanted));
            stands = std::move(wanted);
        }
        return static_cast<std::uint32_t>(i + 1);
    }
    journal_->append(pack(wanted));
    spaces_.push_back({std::move(wanted), {}});
    return static_cast<std::uint32_t>(spaces_.size());
}

const Space& Vectors::space(std::uint32_t number) const {
    if (number == 0 || number > spaces_.size()) throw Failure(JF_E_NOT_FOUND, "no space " + std::to_string(number) + " was ensured");
    return spaces_[number - 1].space;
}

const Vectors::Tenant& Vectors::of(std::uint32_t number, const std::string& tenant) const {
    static const Tenant none;
    space(number);
    const auto& tenants = spaces_[number - 1].tenants;
    const auto found = tenants.find(tenant);
    return found == tenants.end() ? none : found->second;
}

void Vectors::change(std::uint32_t number, const std::string& tenant, const std::map<std::string, Vector>& vectors) {
    if (vectors.empty()) return;
    Packer entry;
    entry.number('V').number(number).text(tenant);
    for (const auto& [id, vector] : vectors) {
        entry.text(id).text({reinterpret_cast<const char*>(vector.values.data()), vector.values.size() * sizeof(float)}).number(vector.attributes.size());
        for (const Value& value : vector.attributes) entry.value(value);
    }
    journal_->append(entry.bytes());
    for (const auto& [id, vector] : vectors) put(number, tenant, id, vector);
}

std::size_t Vectors::upsert(std::uint32_t number, const std::string& tenant, const std::map<std::string, Vector>& vectors) {
    space(number);
    change(number, tenant, vectors);
    return vectors.size();
}

std::size_t Vectors::remove(std::uint32_t number, const std::string& tenant, const std::set<std::string>& ids, const std::vector<Term>& where) {
    std::map<std::string, Vector> gone;
    for (const auto& [id, vector] : of(number, tenant))
        if ((ids.empty() || ids.contains(id)) && matches(where, vector.attributes, no_references)) gone.emplace(id, Vector());
    change(number, tenant, gone);
    return gone.size();
}

std::vector<Nearest> Vectors::search(std::uint32_t number, const std::string& tenant, const VectorSearch& wanted) const {
    const std::uint32_t metric = space(number).metric;
    std::vector<Nearest> found;
    for (const auto& [id, vector] : of(number, tenant)) {
        if (!matches(wanted.where, vector.attributes, no_references)) continue;
        const float score = score_of(metric, wanted.values, vector.values);
        if (score >= wanted.least_score) found.push_back({&vector, score});
    }
    const std::size_t n = std::min<std::size_t>(wanted.limit, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end(), [](const Nearest& a, const Nearest& b) { return a.score > b.score; });
    found.resize(n);
    return found;
}

std::size_t Vectors::count(std::uint32_t number, const std::string& tenant) const { return of(number, tenant).size(); }

}  // namespace example
