#include "vectors_codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jackfield::sqlite {
namespace {

constexpr float largest_code = 127;
/// Below, one over the scale would not fit a float. All codes are 0 then and the error says the rest.
constexpr float least_encoded = 1e-30f;
constexpr double float_rounding = 6e-8;
/// Facts are rounded to floats: never to a smaller error or length than it is.
constexpr double upwards = 1 + 2 * float_rounding;

float rounded_up(double value) { return static_cast<float>(value * upwards); }

}  // namespace

CodeFacts encode(const float* values, std::size_t dim, std::int8_t* codes) {
    float largest = 0;
    for (std::size_t i = 0; i < dim; ++i) largest = std::max(largest, std::fabs(values[i]));
    const bool encoded = largest >= least_encoded;
    const float scale = encoded ? largest / largest_code : 0;
    const float per_step = encoded ? largest_code / largest : 0;
    double error = 0, length = 0;
    for (std::size_t i = 0; i < dim; ++i) {
        const float steps = values[i] * per_step;
        codes[i] = static_cast<std::int8_t>(steps + (steps < 0 ? -0.5f : 0.5f));
        const double left = static_cast<double>(values[i]) - static_cast<double>(scale) * codes[i];
        error += left * left;
        length += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    return {scale, rounded_up(std::sqrt(error)), rounded_up(std::sqrt(length))};
}

CodedQuery::CodedQuery(const Measure& measure, const float* query)
    : measure_(measure), dot_(best_distances().code_dot), codes_(measure.dim), facts_(encode(query, measure.dim, codes_.data())),
      rounding_(float_rounding * (static_cast<double>(measure.dim) + 16)) {}

CodedQuery::Bounds CodedQuery::bounds(const std::int8_t* codes, const CodeFacts& facts) const {
    // With q = q' + e and v = v' + f, where q' and v' are what the codes say: <q,v> = <q',v'> + <q',f> + <e,v>.
    const double length = facts.length, error = facts.error, own_length = facts_.length, own_error = facts_.error;
    const double dot = static_cast<double>(facts_.scale) * facts.scale * dot_(codes_.data(), codes, measure_.dim);
    double unsure = (own_length + own_error) * error + own_error * length;
    double distance = 1 - dot;
    if (measure_.dot) {
        unsure += rounding_ * (own_length * length + 1);
    } else {
        // The lengths are rounded up by less than the last term allows for.
        distance = own_length * own_length + length * length - 2 * dot;
        unsure = 2 * unsure + rounding_ * (own_length + length) * (own_length + length);
    }
    unsure += static_cast<double>(measure_.dim) * std::numeric_limits<float>::min();  // what is lost below the least normal float
    const auto least = static_cast<float>(distance - unsure), most = static_cast<float>(distance + unsure);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    return {std::isfinite(least) ? least : -infinity, std::isfinite(most) ? most : infinity};
}

}  // namespace jackfield::sqlite
