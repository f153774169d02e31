#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sqlite3.h>

#include <limits>
#include <thread>

#include "database.hpp"
#include "support/vector_data.hpp"
#include "support/vectors_client.hpp"

// jf.vectors/1 on storage/sqlite: what is the plugin's own. What the contract says stands in tests/conformance/vectors.

namespace jackfield::test {
namespace {

using sdk::Value;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint16_t language = 8, year = 9, weight = 10, note = 11;

sdk::Collection attributes() {
    sdk::Collection made("unused", JF_SCOPE_TENANT);
    made.field("language", JF_VALUE_TEXT).field("year", JF_VALUE_INT).field("weight", JF_VALUE_REAL).field("note", JF_VALUE_JSON);
    return made;
}

VectorsClient::Options options(const std::string& path, VectorsClient::Options more = {}) {
    more.emplace_back("path", path);
    return more;
}

/// A client over a file, with a graph for everything unless a test says otherwise.
struct Client : VectorsClient {
    explicit Client(const std::string& path, Options more = {{"vectors_exact_below", "0"}})
        : VectorsClient(*jf_module_entry_v1(), "storage/sqlite", options(path, std::move(more))) {}

    /// Searches, which asks the builder to look after the vectors, until so many are in a graph.
    bool wait_indexed(std::uint32_t space, const std::string& tenant, const std::vector<float>& any, std::uint64_t vectors) {
        return host().wait_until([&] { return search(space, tenant, {any}).status == JF_OK && stats(space, tenant).stats.indexed >= vectors; },
                                 std::chrono::seconds(60));
    }
};

std::vector<TestVector> some(ClusteredVectors& source, std::size_t n, const std::string& prefix = "v") {
    std::vector<TestVector> out;
    for (std::size_t i = 0; i < n; ++i)
        out.push_back({prefix + std::to_string(i),
                       source.next(),
                       {{language, i % 2 ? "de" : "en"}, {year, static_cast<std::int64_t>(i % 20)}, {weight, static_cast<double>(i) / 4}}});
    return out;
}

TEST(SqliteVectors, FindsTheSameInTheFileInMemoryAndInTheGraph) {
    TempFolder folder;
    ClusteredVectors source(16, 1, 4);
    const std::vector<TestVector> vectors = some(source, 1500);
    const std::vector<TestTerm> where{{language, JF_TERM_EQ, "de", {}}, {year, JF_TERM_LT, std::int64_t{18}, {}}};
    const TestSearch search{vectors[40].values, 10, where, {language, year, weight}};
    Client client(folder.file("a.db"));
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 16, JF_METRIC_COSINE, attributes()).pos);
    ASSERT_EQ(client.upsert(space, "a", vectors).pos, 1500u);

    const VectorsReply from_file = client.search(space, "a", search);
    ASSERT_TRUE(client.wait_indexed(space, "a", vectors[0].values, 1500));
    const VectorsReply from_graph = client.search(space, "a", search);

    EXPECT_TRUE(from_file.exact);
    EXPECT_FALSE(from_graph.exact);
    EXPECT_EQ(from_graph.ids(), from_file.ids());
    ASSERT_EQ(from_file.matches.size(), 10u);
    for (const VectorsReply* reply : {&from_file, &from_graph})
        for (const TestMatch& match : reply->matches) {
            EXPECT_EQ(match.values[0], Value("de"));
            EXPECT_LT(match.values[1].integer(), 18);
        }
    EXPECT_GT(client.stats(space, "a").stats.memory, 1500u * 16 * 4);
}

TEST(SqliteVectors, FindsWhatIsWrittenAfterTheGraphWasBuiltAndNotWhatIsGone) {
    TempFolder folder;
    ClusteredVectors source(16, 2, 4);
    std::vector<TestVector> vectors = some(source, 1200);
    Client client(folder.file("a.db"));
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 16, JF_METRIC_COSINE, attributes()).pos);
    client.upsert(space, "a", vectors);
    ASSERT_TRUE(client.wait_indexed(space, "a", vectors[0].values, 1200));

    const std::vector<float> place = source.next();
    ASSERT_EQ(client.upsert(space, "a", {{"new", place, {}}, {"v7", place, {}}}).pos, 2u);
    ASSERT_EQ(client.remove(space, "a", {"v3", "nobody"}).pos, 1u);

    EXPECT_THAT(client.search(space, "a", {place, 2}).ids(), UnorderedElementsAre("new", "v7"));
    EXPECT_THAT(client.search(space, "a", {vectors[7].values, 1}).ids(), testing::Not(ElementsAre("v7")));
    EXPECT_THAT(client.search(space, "a", {vectors[3].values, 1}).ids(), testing::Not(ElementsAre("v3")));
    EXPECT_EQ(client.stats(space, "a").stats.vectors, 1200u);
}

TEST(SqliteVectors, BuildsAGraphAnewWhenMuchOfItIsDead) {
    TempFolder folder;
    ClusteredVectors source(8, 3, 4);
    const std::vector<TestVector> vectors = some(source, 3000);
    Client client(folder.file("a.db"));
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 8, JF_METRIC_L2, attributes()).pos);
    client.upsert(space, "a", vectors);
    ASSERT_TRUE(client.wait_indexed(space, "a", vectors[0].values, 3000));
    const std::uint64_t before = client.stats(space, "a").stats.memory;

    ASSERT_EQ(client.remove(space, "a", {}, {{language, JF_TERM_EQ, "de", {}}}).pos, 1500u);
    const auto shrunk = [&] {
        client.search(space, "a", {vectors[0].values});
        return client.stats(space, "a").stats.memory < before - 1500 * 8 * 4;
    };

    EXPECT_TRUE(client.host().wait_until(shrunk, std::chrono::seconds(60)));
    EXPECT_EQ(client.stats(space, "a").stats.vectors, 1500u);
    EXPECT_EQ(client.search(space, "a", {vectors[0].values, 1}).ids(), std::vector<std::string>{"v0"});
}

TEST(SqliteVectors, RebuildsItsGraphFromTheRowsAfterARestart) {
    TempFolder folder;
    ClusteredVectors source(16, 4, 4);
    const std::vector<TestVector> vectors = some(source, 1200);
    std::uint32_t space = 0;
    {
        Client client(folder.file("a.db"));
        space = static_cast<std::uint32_t>(client.ensure("test.docs", 16, JF_METRIC_DOT, attributes()).pos);
        client.upsert(space, "a", vectors);
    }
    Client client(folder.file("a.db"));
    // No search asks for it: the start does.
    EXPECT_TRUE(client.host().wait_until([&] { return client.stats(space, "a").stats.indexed == 1200; }, std::chrono::seconds(60)));

    EXPECT_EQ(client.ensure("test.docs", 16, JF_METRIC_DOT, attributes()).pos, space);
    EXPECT_EQ(client.search(space, "a", {vectors[9].values, 1}).ids(), std::vector<std::string>{"v9"});
}

TEST(SqliteVectors, BringsOthersIntoMemoryBeforeAGraphIsDone) {
    TempFolder folder;
    ClusteredVectors source(64, 14, 4);
    std::uint32_t space = 0;
    {
        Client client(folder.file("a.db"));
        space = static_cast<std::uint32_t>(client.ensure("test.docs", 64, JF_METRIC_COSINE, attributes()).pos);
        client.upsert(space, "large", some(source, 8000));
        client.upsert(space, "small", some(source, 50));
    }
    // One worker, which begins with the largest. Nothing tells the host when the other is in memory: it is asked again and again.
    Client client(folder.file("a.db"));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (client.stats(space, "small").stats.memory == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();

    EXPECT_GT(client.stats(space, "small").stats.memory, 0u);
    EXPECT_EQ(client.stats(space, "large").stats.indexed, 0u);
    EXPECT_TRUE(client.host().wait_until([&] { return client.stats(space, "large").stats.indexed == 8000; }, std::chrono::seconds(60)));
    EXPECT_TRUE(client.host().wait_until([&] { return client.stats(space, "small").stats.indexed == 50; }, std::chrono::seconds(60)));
}

TEST(SqliteVectors, ComparesOneByOneWhenTheFilterLeavesFew) {
    TempFolder folder;
    ClusteredVectors source(16, 5, 4);
    const std::vector<TestVector> vectors = some(source, 1200);
    Client client(folder.file("a.db"), {{"vectors_exact_below", "100"}});
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 16, JF_METRIC_COSINE, attributes()).pos);
    client.upsert(space, "a", vectors);
    ASSERT_TRUE(client.wait_indexed(space, "a", vectors[0].values, 1200));

    EXPECT_FALSE(client.search(space, "a", {vectors[0].values}).exact);
    EXPECT_FALSE(client.search(space, "a", {vectors[0].values, 10, {{language, JF_TERM_EQ, "de", {}}}}).exact);
    EXPECT_TRUE(client.search(space, "a", {vectors[0].values, 10, {{year, JF_TERM_EQ, std::int64_t{7}, {}}}}).exact);
}

TEST(SqliteVectors, KeepsWithinItsMemoryAndSearchesTheFileWhereItHasNone) {
    TempFolder folder;
    ClusteredVectors source(256, 6, 4);
    const std::vector<TestVector> vectors = some(source, 1500);
    Client client(folder.file("a.db"), {{"vectors_memory_mib", "4"}, {"vectors_set_memory_mib", "3"}});
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 256, JF_METRIC_COSINE, attributes()).pos);
    for (const char* tenant : {"a", "b", "c"}) client.upsert(space, tenant, vectors);
    const auto memory = [&] {
        std::uint64_t sum = 0;
        for (const char* tenant : {"a", "b", "c", "large"}) sum += client.stats(space, tenant).stats.memory;
        return sum;
    };

    client.host().advance(std::chrono::seconds(100));
    for (int round = 0; round < 3; ++round)
        for (const char* tenant : {"a", "b", "c"}) {
            client.host().advance(std::chrono::seconds(20));
            EXPECT_TRUE(client.host().wait_until(
                [&] {
                    EXPECT_EQ(client.search(space, tenant, {vectors[5].values, 1}).ids(), std::vector<std::string>{"v5"});
                    return client.stats(space, tenant).stats.memory > 0;
                },
                std::chrono::seconds(60)))
                << tenant;
            EXPECT_LE(memory(), 4u << 20);
        }

    client.upsert(space, "large", some(source, 4000));
    EXPECT_EQ(client.search(space, "large", {vectors[5].values, 3}).matches.size(), 3u);
    EXPECT_EQ(client.stats(space, "large").stats.memory, 0u);
}

TEST(SqliteVectors, SeesWhatAnotherProcessWrote) {
    TempFolder folder;
    ClusteredVectors source(16, 7, 4);
    const std::vector<TestVector> vectors = some(source, 600);
    Client one(folder.file("a.db")), other(folder.file("a.db"));
    const auto space = static_cast<std::uint32_t>(one.ensure("test.docs", 16, JF_METRIC_COSINE, attributes()).pos);
    one.upsert(space, "a", vectors);
    ASSERT_TRUE(one.wait_indexed(space, "a", vectors[0].values, 600));

    ASSERT_EQ(other.ensure("test.docs", 16, JF_METRIC_COSINE, attributes()).pos, space);
    const std::vector<float> place = source.next();
    other.upsert(space, "a", {{"theirs", place, {}}});

    EXPECT_EQ(one.search(space, "a", {place, 1}).ids(), std::vector<std::string>{"theirs"});
    one.upsert(space, "a", {{"ours", place, {}}});
    EXPECT_THAT(one.search(space, "a", {place, 2}).ids(), UnorderedElementsAre("ours", "theirs"));
    EXPECT_THAT(other.search(space, "a", {place, 2}).ids(), UnorderedElementsAre("ours", "theirs"));
}

TEST(SqliteVectors, AddsAttributesToASpaceThatHoldsVectors) {
    TempFolder folder;
    ClusteredVectors source(8, 8, 4);
    Client client(folder.file("a.db"), {});
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 8, JF_METRIC_COSINE, attributes()).pos);
    client.upsert(space, "a", some(source, 100));
    client.search(space, "a", {source.next()});

    sdk::Collection more = attributes();
    more.field("author", JF_VALUE_TEXT, JF_FIELD_NOT_NULL);
    ASSERT_EQ(client.ensure("test.docs", 8, JF_METRIC_COSINE, more).pos, space);
    const std::vector<float> place = source.next();
    EXPECT_EQ(client.upsert(space, "a", {{"w", place, {}}}).status, JF_E_INVALID);
    ASSERT_EQ(client.upsert(space, "a", {{"w", place, {{12, "ada"}}}}).status, JF_OK);

    EXPECT_THAT(client.search(space, "a", {place, 10, {{12, JF_TERM_EQ, "ada", {}}}}).ids(), ElementsAre("w"));
    EXPECT_EQ(client.search(space, "a", {place, 10, {{12, JF_TERM_IS_NULL, {}, {}}}}).matches.size(), 10u);
    EXPECT_EQ(client.ensure("test.docs", 8, JF_METRIC_COSINE, attributes()).pos, space);  // the older declaration still fits
}

TEST(SqliteVectors, FiltersByWhatItDoesNotKeepInMemory) {
    TempFolder folder;
    ClusteredVectors source(8, 9, 4);
    Client client(folder.file("a.db"));
    sdk::Collection with_text("unused", JF_SCOPE_TENANT);
    with_text.field("text", JF_VALUE_TEXT).field("raw", JF_VALUE_BYTES);
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 8, JF_METRIC_COSINE, with_text).pos);
    std::vector<TestVector> vectors;
    for (int i = 0; i < 400; ++i)
        vectors.push_back({"v" + std::to_string(i), source.next(), {{8, std::string(300, 'x') + std::to_string(i % 40)}, {9, sdk::Bytes{std::to_string(i)}}}});
    client.upsert(space, "a", vectors);
    ASSERT_TRUE(client.wait_indexed(space, "a", vectors[0].values, 400));

    EXPECT_EQ(client.search(space, "a", {vectors[0].values, 50, {{8, JF_TERM_EQ, std::string(300, 'x') + "7", {}}}}).matches.size(), 10u);
    EXPECT_THAT(client.search(space, "a", {vectors[0].values, 50, {{9, JF_TERM_EQ, sdk::Bytes{"33"}, {}}}}).ids(), ElementsAre("v33"));
    EXPECT_THAT(client.search(space, "a", {vectors[0].values, 50, {{JF_FIELD_ID, JF_TERM_EQ, "v12", {}}}}).ids(), ElementsAre("v12"));
}

TEST(SqliteVectors, StopsASearchThatIsCancelled) {
    TempFolder folder;
    ClusteredVectors source(64, 10, 4);
    Client client(folder.file("a.db"), {{"vectors_set_memory_mib", "0"}});
    const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 64, JF_METRIC_COSINE, attributes()).pos);
    client.upsert(space, "a", some(source, 5000));
    const std::vector<float> query = source.next();

    jf_vector_query search = sdk::make<jf_vector_query>();
    search.space = space;
    search.tenant = sdk::str("a");
    search.values = sdk::array(query);
    search.least_score = -INFINITY;
    std::vector<jf_status> ended;
    std::thread canceller;
    std::atomic<bool> enough{false};
    for (int i = 0; i < 200 && !enough; ++i) {
        std::atomic<jf_op> running{JF_NO_OP};
        std::thread other([&] {
            while (running == JF_NO_OP) std::this_thread::yield();
            for (int n = 0; n < 50; ++n) client.functions().cancel(client.self(), running);
        });
        ended.push_back(client.ask([&](jf_op op, jf_error* error) {
                                  running = op;
                                  return client.table().search(client.self(), op, &search, error);
                              }).status);
        other.join();
        enough = ended.back() == JF_E_CANCELLED;
    }
    EXPECT_TRUE(enough) << "none of " << ended.size() << " searches was cancelled";
    EXPECT_EQ(client.host().double_completions(), 0);
    EXPECT_EQ(client.search(space, "a", {query, 1}).status, JF_OK);
}

TEST(SqliteVectors, AreLeftBehindByNothingInTheFile) {
    TempFolder folder;
    ClusteredVectors source(8, 11, 4);
    {
        Client client(folder.file("a.db"));
        const auto space = static_cast<std::uint32_t>(client.ensure("test.docs", 8, JF_METRIC_COSINE, attributes()).pos);
        client.upsert(space, "a", some(source, 50));
        client.upsert(space, "b", some(source, 5));
        EXPECT_EQ(client.remove(space, "a", {}).pos, 50u);
    }
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(folder.file("a.db").c_str(), &file), SQLITE_OK);
    for (const char* table : {"\"test.docs#vectors\"", "\"test.docs#values\""}) {
        sqlite3_stmt* count = nullptr;
        ASSERT_EQ(sqlite3_prepare_v2(file, (std::string("SELECT count(*) FROM ") + table).c_str(), -1, &count, nullptr), SQLITE_OK);
        sqlite3_step(count);
        EXPECT_EQ(sqlite3_column_int(count, 0), 5) << table;
        sqlite3_finalize(count);
    }
    sqlite3_close(file);
}

}  // namespace
}  // namespace jackfield::test
