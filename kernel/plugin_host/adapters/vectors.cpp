#include "plugin_host/adapters/vectors.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <cmath>
#include <limits>

namespace jackfield::plugin_host {
namespace {

constexpr std::uint32_t default_limit = 10; // vectors.h publishes it

bool are_floats(jf_array values) {
    if (values.n == 0 || values.stride != sizeof(float)) return false;
    for (std::uint32_t i = 0; i < values.n; ++i)
        if (!std::isfinite(*JF_AT(float, values, i))) return false;
    return true;
}

/// Of an op that answers with its completion only.
class LastCheck : public OutputCheck {
  public:
    explicit LastCheck(std::uint32_t type) : type_(type) {}
    Verdict look(const jf_event&) override { return Verdict::drop; }
    bool complete(const jf_event* last) override { return last && last->type == type_ && sound(*last); }

  protected:
    virtual bool sound(const jf_event&) { return true; }

  private:
    std::uint32_t type_;
};

class SpaceCheck final : public LastCheck {
  public:
    SpaceCheck() : LastCheck(JF_EV_SPACE) {}
    bool sound(const jf_event& last) override { return last.pos != 0 && last.pos <= std::numeric_limits<std::uint32_t>::max(); }
};

class StatsCheck final : public LastCheck {
  public:
    StatsCheck() : LastCheck(JF_EV_VECTOR_STATS) {}
    bool sound(const jf_event& last) override { return sdk::data_of<jf_vector_stats>(last) != nullptr; }
};

class MatchesCheck final : public LastCheck {
  public:
    MatchesCheck(std::uint32_t limit, std::uint32_t fields, float least)
        : LastCheck(JF_EV_MATCHES), limit_(limit == 0 ? default_limit : limit), fields_(fields), least_(least) {}

    bool sound(const jf_event& last) override {
        const auto* found = sdk::data_of<jf_matches>(last);
        if (!found || found->matches.n > limit_) return false;
        float before = std::numeric_limits<float>::infinity();
        for (std::uint32_t i = 0; i < found->matches.n; ++i) {
            const jf_match& match = *JF_AT(jf_match, found->matches, i);
            if (match.id.len == 0 || !std::isfinite(match.score) || match.score > before || match.score < least_) return false;
            if (match.values.n != fields_) return false;
            before = match.score;
        }
        return true;
    }

  private:
    std::uint32_t limit_;
    std::uint32_t fields_;
    float least_;
};

}  // namespace

const char* fault_of(const jf_vector_upsert& upsert) {
    if (upsert.vectors.n == 0) return "there is no vector to store";
    for (std::uint32_t i = 0; i < upsert.vectors.n; ++i) {
        const jf_vector& vector = *JF_AT(jf_vector, upsert.vectors, i);
        if (!JF_HAS(&vector, jf_vector, values)) return "the array of vectors is malformed";
        if (vector.id.len == 0 || vector.id.len > 256) return "a vector's id has 1 to 256 bytes";
        if (!are_floats(vector.values)) return "a vector is an array of finite floats";
    }
    return nullptr;
}

const char* fault_of(const jf_vector_query& query) {
    if (!are_floats(query.values)) return "a vector is an array of finite floats";
    if (std::isnan(query.least_score)) return "the least score is no number";
    if (query.limit > 10'000) return "a search answers at most 10000 matches";
    return nullptr;
}

std::unique_ptr<OutputCheck> check_space() { return std::make_unique<SpaceCheck>(); }
std::unique_ptr<OutputCheck> check_changed_vectors() { return std::make_unique<LastCheck>(JF_EV_VECTORS_DONE); }
std::unique_ptr<OutputCheck> check_matches(const jf_vector_query& query) {
    return std::make_unique<MatchesCheck>(query.limit, query.fields.n, query.least_score);
}
std::unique_ptr<OutputCheck> check_vector_stats() { return std::make_unique<StatsCheck>(); }

}  // namespace jackfield::plugin_host
