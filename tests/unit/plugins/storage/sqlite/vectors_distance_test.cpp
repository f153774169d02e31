#include "plugins/storage/sqlite/vectors_distance.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace jackfield::sqlite {
namespace {

TEST(VectorDistance, IsTheSameInEachSetOfInstructionsThatThisProcessorHas) {
    std::mt19937 random(3);
    std::normal_distribution<float> gauss;
    std::vector<std::size_t> lengths{384, 768, 1536, 3072, 4096};
    for (std::size_t n = 1; n <= 80; ++n) lengths.push_back(n);

    for (const Distances& distances : runnable_distances())
        for (const std::size_t n : lengths) {
            // One float before the vectors, so that they stand as badly as they can.
            std::vector<float> a(n + 1), b(n + 1);
            for (float& x : a) x = gauss(random);
            for (float& x : b) x = gauss(random);
            double dot = 0, l2 = 0, size = 0;
            for (std::size_t i = 1; i <= n; ++i) {
                const double x = a[i], y = b[i];
                dot += x * y;
                l2 += (x - y) * (x - y);
                size += x * x + y * y;
            }

            EXPECT_NEAR(distances.dot(&a[1], &b[1], n), dot, 1e-5 * size) << distances.name << ' ' << n;
            EXPECT_NEAR(distances.squared_l2(&a[1], &b[1], n), l2, 1e-5 * size) << distances.name << ' ' << n;
        }
}

TEST(VectorDistance, HasAPlainLoopAndOneThatEveryProcessorRuns) {
    ASSERT_GE(runnable_distances().size(), 2u);
    EXPECT_EQ(runnable_distances()[0].name, "scalar");
    EXPECT_EQ(runnable_distances()[1].name, "baseline");
    EXPECT_EQ(best_distances().name, runnable_distances().back().name);
}

}  // namespace
}  // namespace jackfield::sqlite
