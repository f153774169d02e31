#pragma once

// Vectors as an embedding model makes them: not spread evenly but in clusters of clusters, with a few dimensions that say much.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace jackfield::test {

class ClusteredVectors {
  public:
    ClusteredVectors(std::size_t dim, std::uint32_t seed, std::size_t topics = 40) : dim_(dim), random_(seed) {
        scale_.resize(dim);
        for (std::size_t i = 0; i < dim; ++i) scale_[i] = 1.0f / std::sqrt(1.0f + static_cast<float>(i) / 16);
        for (std::size_t t = 0; t < topics; ++t) topics_.push_back(around(std::vector<float>(dim), 1.0f));
        // Documents of one topic lie about a few points of it.
        for (std::size_t s = 0; s < topics * 8; ++s) subjects_.push_back(around(topics_[s % topics], 0.6f));
    }

    std::vector<float> next() {
        const std::size_t subject = random_() % subjects_.size();
        topic_ = subject % topics_.size();
        return normal(around(subjects_[subject], 0.35f));
    }
    /// Of the last vector.
    std::size_t topic() const { return topic_; }
    /// As a question about something that is there: near a document, not on it.
    std::vector<float> near(const std::vector<float>& document) { return normal(around(document, 0.2f / std::sqrt(static_cast<float>(dim_)) * 3)); }
    std::mt19937& random() { return random_; }

  private:
    std::vector<float> around(const std::vector<float>& centre, float spread) {
        std::vector<float> out(dim_);
        for (std::size_t i = 0; i < dim_; ++i) out[i] = centre[i] + spread * scale_[i] * gauss_(random_);
        return out;
    }
    static std::vector<float> normal(std::vector<float> v) {
        double square = 0;
        for (const float x : v) square += static_cast<double>(x) * static_cast<double>(x);
        const auto by = static_cast<float>(1 / std::sqrt(square));
        for (float& x : v) x *= by;
        return v;
    }

    std::size_t dim_, topic_ = 0;
    std::mt19937 random_;
    std::normal_distribution<float> gauss_;
    std::vector<float> scale_;
    std::vector<std::vector<float>> topics_, subjects_;
};

}  // namespace jackfield::test
