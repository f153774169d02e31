#include "plugins/storage/sqlite/vectors_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "support/vector_data.hpp"

#if defined(__SANITIZE_THREAD__)
/// hnswlib locks the vector that it inserts and then its neighbours, in no order. One thread inserts, and a search holds one lock at a time.
extern "C" const char* __tsan_default_suppressions() { return "deadlock:hnswlib\n"; }
#endif

namespace jackfield::sqlite {
namespace {

constexpr std::size_t dim = 24;
const std::atomic<bool> never{false};

struct Vectors {
    explicit Vectors(std::size_t n, std::uint32_t seed = 5) : source(dim, seed, 10) {
        for (std::size_t i = 0; i < n; ++i) all.push_back(source.next());
    }
    Measure measure() const { return {best_distances().dot, dim, true}; }
    std::vector<Near> nearest(const std::vector<float>& query, const Bits& allowed, std::size_t k) const {
        Nearest out(k);
        for (std::size_t i = 0; i < all.size(); ++i)
            if (allowed.test(i)) out.offer({measure()(query.data(), all[i].data()), static_cast<std::uint32_t>(i)});
        return out.take();
    }
    test::ClusteredVectors source;
    std::vector<std::vector<float>> all;
};

double recall(const std::vector<Near>& found, const std::vector<Near>& right) {
    std::size_t hits = 0;
    for (const Near& r : right)
        hits += std::any_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), right.size())),
                            [&](const Near& f) { return f.slot == r.slot; });
    return static_cast<double>(hits) / static_cast<double>(right.size());
}

Bits all_of(std::size_t n) {
    Bits bits(n);
    for (std::size_t i = 0; i < n; ++i) bits.set(i);
    return bits;
}

TEST(VectorGraph, FindsTheNearestWhateverShareOfThemIsAllowed) {
    Vectors vectors(4000);
    Graph graph(vectors.measure(), {16, 100}, 100);  // grows on the way
    for (std::size_t i = 0; i < vectors.all.size(); ++i) graph.add(vectors.all[i].data(), static_cast<std::uint32_t>(i));

    for (const std::size_t one_in : {1, 2, 5, 20}) {
        Bits allowed(vectors.all.size());
        for (std::size_t i = 0; i < vectors.all.size(); ++i)
            if (vectors.source.random()() % one_in == 0) allowed.set(i);
        double sum = 0;
        for (int i = 0; i < 40; ++i) {
            const std::vector<float> query = vectors.source.near(vectors.all[vectors.source.random()() % vectors.all.size()]);
            const auto found = graph.search(query.data(), allowed, {100, SIZE_MAX, never});
            ASSERT_TRUE(found);
            for (const Near& near : *found) EXPECT_TRUE(allowed.test(near.slot));
            EXPECT_TRUE(std::is_sorted(found->begin(), found->end()));
            sum += recall(*found, vectors.nearest(query, allowed, 10));
        }
        EXPECT_GE(sum / 40, 0.97) << "one in " << one_in;
    }
}

TEST(VectorGraph, IsSearchedWhileItGrows) {
    Vectors vectors(3000);
    Graph graph(vectors.measure(), {8, 40}, 64);
    const Bits allowed = all_of(vectors.all.size());
    std::atomic<bool> done{false};
    std::vector<std::thread> searchers;
    for (int t = 0; t < 2; ++t)
        searchers.emplace_back([&, t] {
            for (std::size_t i = 0; !done; ++i) {
                const std::size_t known = graph.covered();
                const std::vector<float>& query = vectors.all[(i * 37 + static_cast<std::size_t>(t)) % vectors.all.size()];
                const auto found = graph.search(query.data(), allowed, {20, SIZE_MAX, never});
                ASSERT_TRUE(found);
                EXPECT_GE(found->size(), std::min<std::size_t>(known, 1));
            }
        });
    for (std::size_t i = 0; i < vectors.all.size(); ++i) graph.add(vectors.all[i].data(), static_cast<std::uint32_t>(i));
    done = true;
    for (std::thread& searcher : searchers) searcher.join();

    EXPECT_EQ(graph.size(), vectors.all.size());
    const auto found = graph.search(vectors.all[1].data(), allowed, {40, SIZE_MAX, never});
    EXPECT_EQ(found->front().slot, 1u);
}

TEST(VectorGraph, GivesUpWhenItHasLookedAtTooManyAndWhenItIsCancelled) {
    Vectors vectors(500);
    Graph graph(vectors.measure(), {8, 40}, 500);
    for (std::size_t i = 0; i < vectors.all.size(); ++i) graph.add(vectors.all[i].data(), static_cast<std::uint32_t>(i));
    Bits one(vectors.all.size());
    one.set(7);

    EXPECT_FALSE(graph.search(vectors.all[0].data(), one, {100, 50, never}));
    const std::atomic<bool> cancelled{true};
    EXPECT_FALSE(graph.search(vectors.all[0].data(), one, {100, SIZE_MAX, cancelled}));
    EXPECT_EQ(graph.search(vectors.all[0].data(), one, {100, SIZE_MAX, never})->size(), 1u);
}

TEST(VectorGraph, AnswersNothingWhileItIsEmpty) {
    Vectors vectors(1);
    const Graph graph(vectors.measure(), {8, 40}, 0);
    EXPECT_TRUE(graph.search(vectors.all[0].data(), all_of(1), {10, SIZE_MAX, never})->empty());
}

TEST(VectorBits, CountsFromAnyPlace) {
    Bits bits(200);
    for (const std::size_t i : {0, 63, 64, 130, 199}) bits.set(i);
    EXPECT_EQ(bits.count(), 5u);
    EXPECT_EQ(bits.count(63), 4u);
    EXPECT_EQ(bits.count(65), 2u);
    EXPECT_EQ(bits.count(200), 0u);
    EXPECT_FALSE(bits.test(200));
}

}  // namespace
}  // namespace jackfield::sqlite
