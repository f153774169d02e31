#pragma once

// What the crash helper writes and the test looks for: vectors in threes, written and removed together.

#include <functional>
#include <random>

#include "support/vectors_client.hpp"

namespace jackfield::test::vector_crash {

constexpr std::size_t dim = 32;
constexpr std::uint16_t name_field = 8;

inline std::uint32_t ensure(VectorsClient& client) {
    sdk::Collection attributes("unused", JF_SCOPE_TENANT);
    attributes.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);
    return static_cast<std::uint32_t>(client.ensure("test.crash", dim, JF_METRIC_COSINE, attributes).pos);
}

/// The values follow from the id, so that what is found can be checked.
inline std::vector<float> values_of(const std::string& id) {
    std::mt19937 random(static_cast<std::uint32_t>(std::hash<std::string>{}(id)));
    std::vector<float> values(dim);
    for (float& x : values) x = static_cast<float>(random() % 2001) / 1000 - 1;
    return values;
}

inline std::vector<TestVector> three(const std::string& name) {
    std::vector<TestVector> out;
    for (int k = 0; k < 3; ++k) {
        const std::string id = name + "." + std::to_string(k);
        out.push_back({id, values_of(id), {{name_field, name}}});
    }
    return out;
}

}  // namespace jackfield::test::vector_crash
