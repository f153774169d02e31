#include "plugins/storage/sqlite/vectors_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "plugins/storage/sqlite/failure.hpp"
#include "plugins/storage/sqlite/vectors_scan.hpp"
#include "support/vector_data.hpp"

namespace jackfield::sqlite {
namespace {

Measure measure_of(bool dot, std::size_t dim) { return {dot ? best_distances().dot : best_distances().squared_l2, dim, dot}; }

std::vector<float> scaled(std::vector<float> values, float by) {
    for (float& x : values) x *= by;
    return values;
}

TEST(VectorCodes, MultiplyTheSameInEachSetOfInstructions) {
    std::mt19937 random(5);
    for (const std::size_t n : {1u, 15u, 16u, 31u, 33u, 64u, 100u, 384u, 1536u, 4096u}) {
        std::vector<std::int8_t> a(n + 1), b(n + 1);
        for (std::int8_t& x : a) x = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
        for (std::int8_t& x : b) x = static_cast<std::int8_t>(random() % 2 ? 127 : -127);
        std::int32_t sum = 0;
        for (std::size_t i = 1; i <= n; ++i) sum += a[i] * b[i];

        for (const Distances& distances : runnable_distances()) EXPECT_EQ(distances.code_dot(&a[1], &b[1], n), sum) << distances.name << ' ' << n;
    }
}

TEST(VectorCodes, BoundTheDistanceWhateverTheSizeOfTheVectors) {
    for (const bool dot : {true, false})
        for (const std::size_t dim : {1u, 7u, 384u}) {
            test::ClusteredVectors source(dim, 9);
            const Measure measure = measure_of(dot, dim);
            for (const float size : {1.0f, 1e-20f, 1e-38f, 1e12f, 1e18f, 3e37f}) {
                const std::vector<float> query = scaled(source.next(), size);
                const CodedQuery coded(measure, query.data());
                for (int i = 0; i < 200; ++i) {
                    const std::vector<float> vector = i == 0 ? query : i == 1 ? std::vector<float>(dim) : scaled(source.next(), i % 2 ? size : 1.0f);
                    std::vector<std::int8_t> codes(dim);
                    const CodeFacts facts = encode(vector.data(), dim, codes.data());

                    const CodedQuery::Bounds bounds = coded.bounds(codes.data(), facts);

                    const float distance = measure(query.data(), vector.data());
                    EXPECT_FALSE(distance < bounds.least || distance > bounds.most)
                        << dot << ' ' << dim << ' ' << size << ": " << distance << " not in " << bounds.least << " to " << bounds.most;
                }
            }
        }
}

TEST(VectorCodes, DecideMostOfTheVectorsOfAModel) {
    constexpr std::size_t dim = 384;
    test::ClusteredVectors source(dim, 2);
    const Measure measure = measure_of(true, dim);
    const std::vector<float> query = source.next();
    const CodedQuery coded(measure, query.data());

    double width = 0, distance = 0;
    for (int i = 0; i < 200; ++i) {
        const std::vector<float> vector = source.next();
        std::vector<std::int8_t> codes(dim);
        const CodeFacts facts = encode(vector.data(), dim, codes.data());
        const CodedQuery::Bounds bounds = coded.bounds(codes.data(), facts);
        width += static_cast<double>(bounds.most - bounds.least) / 200;
        distance += static_cast<double>(measure(query.data(), vector.data())) / 200;
    }

    EXPECT_LT(width, distance / 10);
}

class VectorScan : public testing::TestWithParam<bool> {
  protected:
    /// The slots of the nearest as the floats alone say.
    std::vector<Near> plain(const VectorSet::View& view, const std::vector<float>& query, const Bits& bits, std::size_t first, std::size_t most) const {
        Nearest nearest(most);
        for (std::uint32_t slot = static_cast<std::uint32_t>(first); slot < view.slots; ++slot)
            if (bits.test(slot)) nearest.offer({set_.measure()(query.data(), view.values(slot, dim)), slot});
        return nearest.take();
    }
    static constexpr std::size_t dim = 48;
    test::ClusteredVectors source_{dim, 11};
    VectorSet set_{measure_of(GetParam(), dim), {}};
    const std::atomic<bool> never_{false};
};

INSTANTIATE_TEST_SUITE_P(DotAndL2, VectorScan, testing::Bool());

TEST_P(VectorScan, FindsExactlyWhatComparingEverythingFinds) {
    std::vector<float> again;
    for (std::int64_t row = 0; row < 3000; ++row) {
        // Some stand twice, some are zero, some long.
        std::vector<float> values = row % 50 == 1 ? again : source_.next();
        if (row % 100 == 3) values.assign(dim, 0.0f);
        if (row % 100 == 5) values = scaled(values, 30);
        set_.put(row, values.data(), {});
        again = values;
    }
    for (std::int64_t row = 0; row < 3000; row += 7) set_.remove(row);
    const VectorSet::View view = set_.view();

    for (int i = 0; i < 60; ++i) {
        const std::vector<float> query = i % 10 == 9 ? std::vector<float>(dim) : source_.next();
        Bits bits = view.alive;
        if (i % 3 == 1)
            for (std::uint64_t& word : bits.words()) word &= source_.random()();
        const std::size_t first = i % 5 == 4 ? 1000 + static_cast<std::size_t>(i) : 0;
        const std::size_t most = i % 4 == 3 ? 400 : 10;
        Nearest nearest(most);

        scan(set_, view, query.data(), bits, first, nearest, never_);

        const std::vector<Near> found = nearest.take(), right = plain(view, query, bits, first, most);
        ASSERT_EQ(found.size(), right.size());
        for (std::size_t n = 0; n < found.size(); ++n) {
            EXPECT_EQ(found[n].slot, right[n].slot) << i << ' ' << n;
            EXPECT_EQ(found[n].distance, right[n].distance);
        }
    }
}

TEST_P(VectorScan, AddsToWhatWasFoundBefore) {
    for (std::int64_t row = 0; row < 1000; ++row) set_.put(row, source_.next().data(), {});
    const VectorSet::View view = set_.view();
    const std::vector<float> query = source_.next();
    Nearest nearest(10);
    for (std::uint32_t slot = 0; slot < 500; ++slot) nearest.offer({set_.measure()(query.data(), view.values(slot, dim)), slot});

    scan(set_, view, query.data(), view.alive, 500, nearest, never_);

    const std::vector<Near> found = nearest.take(), right = plain(view, query, view.alive, 0, 10);
    ASSERT_EQ(found.size(), right.size());
    for (std::size_t n = 0; n < found.size(); ++n) EXPECT_EQ(found[n].slot, right[n].slot);
}

TEST_P(VectorScan, StopsWhenItIsCancelled) {
    for (std::int64_t row = 0; row < 1000; ++row) set_.put(row, source_.next().data(), {});
    const VectorSet::View view = set_.view();
    const std::vector<float> query = source_.next();
    const std::atomic<bool> cancelled{true};
    Nearest nearest(10);

    EXPECT_THROW(scan(set_, view, query.data(), view.alive, 0, nearest, cancelled), StoreFailure);
}

}  // namespace
}  // namespace jackfield::sqlite
