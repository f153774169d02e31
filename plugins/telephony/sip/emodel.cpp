#include "emodel.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

constexpr double rating_without_impairments = 93.2;
constexpr double loss_robustness = 25.1;  // Bpl, ITU-T G.113 appendix I

/// Id of G.107 7.4 as a curve in two straight pieces, which is within 1.5 of it up to 400 ms.
double delay_impairment(double delay_ms) {
    constexpr double noticed_ms = 177.3;
    return 0.024 * delay_ms + 0.11 * std::max(0.0, delay_ms - noticed_ms);
}

double loss_impairment(double loss) {
    const double percent = 100 * loss;
    return 95 * percent / (percent + loss_robustness);
}

}  // namespace

float mean_opinion_score(double delay_ms, double loss) {
    const double rating =
        std::clamp(rating_without_impairments - delay_impairment(std::max(0.0, delay_ms)) -
                       loss_impairment(std::clamp(loss, 0.0, 1.0)),
                   0.0,
                   100.0);
    // G.107 annex B.
    const double score = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
    return static_cast<float>(std::clamp(score, 1.0, 4.5));
}

}  // namespace jackfield::sip
