#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "database.hpp"
#include "support/vector_data.hpp"
#include "support/vectors_client.hpp"

// Random operations on a space and on a map of what must be in it. Exact answers must agree wholly; those of a graph must be right as far as
// they go, and find nearly all.
//
// JACKFIELD_VECTOR_STEPS=1000000 runs it for longer.

namespace jackfield::test {
namespace {

using sdk::Value;

constexpr std::uint16_t colour = 8, size = 9, price = 10;
constexpr std::size_t dim = 12;

struct Held {
    std::vector<float> values;
    Value colour, size, price;
    const Value& at(std::uint16_t field) const { return field == 8 ? colour : field == 9 ? size : price; }
};

bool less(const Value& a, const Value& b) {
    if (a.type() == JF_VALUE_TEXT) return a.text() < b.text();
    return a.real() < b.real();
}

bool matches(const TestTerm& term, const Held& held) {
    const Value& v = held.at(term.field);
    if (term.verb == JF_TERM_IS_NULL) return v.is_null();
    if (v.is_null()) return false;
    switch (term.verb) {
        case JF_TERM_EQ: return v == term.value;
        case JF_TERM_NE: return !(v == term.value);
        case JF_TERM_LT: return less(v, term.value);
        case JF_TERM_LE: return !less(term.value, v);
        case JF_TERM_GT: return less(term.value, v);
        case JF_TERM_GE: return !less(v, term.value);
        case JF_TERM_IN: return std::find(term.more.begin(), term.more.end(), v) != term.more.end();
        case JF_TERM_PREFIX: return v.text().starts_with(term.value.text());
        case JF_TERM_CONTAINS: return v.text().find(term.value.text()) != std::string::npos;
        default: return true;  // NOT_NULL
    }
}

double score(std::uint32_t metric, const std::vector<float>& a, const std::vector<float>& b) {
    double dot = 0, aa = 0, bb = 0, l2 = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i], y = b[i];
        dot += x * y;
        aa += x * x;
        bb += y * y;
        l2 += (x - y) * (x - y);
    }
    if (metric == JF_METRIC_DOT) return dot;
    return metric == JF_METRIC_L2 ? -std::sqrt(l2) : dot / std::sqrt(aa * bb);
}

class ModelRun {
  public:
    ModelRun(std::string path, std::uint32_t metric, std::uint32_t seed, VectorsClient::Options options)
        : path_(std::move(path)), metric_(metric), options_(std::move(options)), source_(dim, seed, 4) {
        options_.emplace_back("path", path_);
        restart();
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            if (testing::Test::HasFatalFailure()) FAIL() << "at step " << i;
        }
    }
    double recall() const { return wanted_ == 0 ? 1 : static_cast<double>(found_) / static_cast<double>(wanted_); }
    std::size_t by_graph() const { return by_graph_; }
    std::size_t exact() const { return exact_; }

  private:
    std::uint32_t pick(std::uint32_t n) { return source_.random()() % n; }
    std::string tenant() { return pick(3) == 0 ? "b" : "a"; }
    std::string id() { return "id" + std::to_string(pick(400)); }

    void restart() {
        client_.reset();
        client_ = std::make_unique<VectorsClient>(*jf_module_entry_v1(), "storage/sqlite", options_);
        sdk::Collection attributes("unused", JF_SCOPE_TENANT);
        attributes.field("colour", JF_VALUE_TEXT).field("size", JF_VALUE_INT).field("price", JF_VALUE_REAL);
        const VectorsReply made = client_->ensure("test.model", dim, metric_, attributes);
        ASSERT_EQ(made.status, JF_OK) << made.error;
        space_ = static_cast<std::uint32_t>(made.pos);
    }
    void step() {
        const std::uint32_t what = pick(1000);
        if (what < 3) return restart();
        if (what < 400) return upsert();
        if (what < 470) return remove_ids();
        if (what < 476) return remove_where();
        if (what < 478) return remove_all();
        if (what < 490) return count();
        search();
    }
    std::vector<float> values() {
        std::vector<float> out = source_.next();
        if (metric_ == JF_METRIC_COSINE)
            for (float& x : out) x *= 1 + static_cast<float>(pick(5));
        return out;
    }
    Held any() {
        Held held;
        held.values = values();
        if (pick(8)) held.colour = std::string(1 + pick(3), static_cast<char>('a' + pick(4)));
        if (pick(8)) held.size = static_cast<std::int64_t>(pick(10)) - 3;
        if (pick(8)) held.price = static_cast<double>(pick(12)) / 4;
        return held;
    }
    void upsert() {
        const std::string t = tenant();
        std::vector<TestVector> batch;
        std::map<std::string, Held> made;
        for (std::uint32_t n = 1 + pick(6); n > 0; --n) {
            const std::string name = id();
            const Held held = any();
            made[name] = held;
            TestVector& out = batch.emplace_back(TestVector{name, held.values, {}});
            for (const std::uint16_t field : {colour, size, price})
                if (!held.at(field).is_null()) out.attributes.emplace_back(field, held.at(field));
        }
        const VectorsReply reply = client_->upsert(space_, t, batch);
        ASSERT_EQ(reply.status, JF_OK) << reply.error;
        ASSERT_EQ(reply.pos, made.size());
        for (auto& [name, held] : made) model_[t][name] = held;
    }
    void remove_ids() {
        const std::string t = tenant();
        std::vector<std::string> ids;
        std::uint64_t gone = 0;
        for (std::uint32_t n = 1 + pick(4); n > 0; --n) {
            ids.push_back(id());
            gone += model_[t].erase(ids.back());
        }
        const VectorsReply reply = client_->remove(space_, t, ids);
        ASSERT_EQ(reply.status, JF_OK) << reply.error;
        ASSERT_EQ(reply.pos, gone);
    }
    void remove_where() {
        const std::string t = tenant();
        const std::vector<TestTerm> where = terms(1);
        const auto gone = std::erase_if(model_[t], [&](const auto& one) { return all(where, one.second); });
        const VectorsReply reply = client_->remove(space_, t, {}, where);
        ASSERT_EQ(reply.status, JF_OK) << reply.error;
        ASSERT_EQ(reply.pos, gone);
    }
    void remove_all() {
        const std::string t = tenant();
        ASSERT_EQ(client_->remove(space_, t, {}).pos, model_[t].size());
        model_[t].clear();
    }
    void count() {
        const std::string t = tenant();
        ASSERT_EQ(client_->stats(space_, t).stats.vectors, model_[t].size());
    }
    static bool all(const std::vector<TestTerm>& where, const Held& held) {
        return std::all_of(where.begin(), where.end(), [&](const TestTerm& term) { return matches(term, held); });
    }
    std::vector<TestTerm> terms(std::uint32_t least) {
        std::vector<TestTerm> out;
        for (std::uint32_t n = least + pick(2); n > 0; --n) {
            const auto number = static_cast<std::int64_t>(pick(10)) - 3;
            const double real = static_cast<double>(pick(12)) / 4;
            const std::string text(1 + pick(2), static_cast<char>('a' + pick(4)));
            const auto verb = static_cast<std::uint16_t>(pick(6));
            switch (pick(8)) {
                case 0: out.push_back({size, verb, number, {}}); break;
                case 1: out.push_back({price, verb, real, {}}); break;
                case 2: out.push_back({colour, verb, text, {}}); break;
                case 3: out.push_back({colour, JF_TERM_PREFIX, text, {}}); break;
                case 4: out.push_back({colour, JF_TERM_CONTAINS, text, {}}); break;
                case 5: out.push_back({static_cast<std::uint16_t>(8 + pick(3)), JF_TERM_NOT_NULL, {}, {}}); break;
                case 6: out.push_back({static_cast<std::uint16_t>(8 + pick(3)), JF_TERM_IS_NULL, {}, {}}); break;
                default: out.push_back({size, JF_TERM_IN, number, {number, number + 2, number + 3}});
            }
        }
        return out;
    }
    void search() {
        const std::string t = tenant();
        TestSearch query;
        query.values = values();
        query.limit = 1 + pick(12);
        query.where = terms(0);
        query.fields = {size, colour, price};
        if (pick(4) == 0) query.least_score = metric_ == JF_METRIC_L2 ? -0.8f : 0.6f;
        const VectorsReply reply = client_->search(space_, t, query);
        ASSERT_EQ(reply.status, JF_OK) << reply.error;

        std::vector<double> right;
        for (const auto& [name, held] : model_[t])
            if (all(query.where, held)) right.push_back(score(metric_, query.values, held.values));
        std::sort(right.rbegin(), right.rend());
        if (right.size() > query.limit) right.resize(query.limit);
        while (!right.empty() && right.back() < static_cast<double>(query.least_score) - 1e-4) right.pop_back();
        check_matches(t, query, reply);
        if (reply.exact) check_exact(query, reply, right);
        else check_recall(reply, right);
    }
    void check_matches(const std::string& t, const TestSearch& query, const VectorsReply& reply) {
        for (std::size_t i = 0; i < reply.matches.size(); ++i) {
            const TestMatch& match = reply.matches[i];
            const auto held = model_[t].find(match.id);
            ASSERT_NE(held, model_[t].end()) << match.id;
            ASSERT_TRUE(all(query.where, held->second)) << match.id;
            ASSERT_NEAR(match.score, score(metric_, query.values, held->second.values), 2e-4) << match.id;
            ASSERT_EQ(match.values, (std::vector<Value>{held->second.size, held->second.colour, held->second.price}));
            if (i > 0) { ASSERT_LE(match.score, reply.matches[i - 1].score); }
        }
    }
    void check_exact(const TestSearch& query, const VectorsReply& reply, const std::vector<double>& right) {
        ++exact_;
        // What lies on the least score may fall on either side of it.
        const bool cut = query.least_score > -10;
        if (!cut) { ASSERT_EQ(reply.matches.size(), right.size()); }
        for (std::size_t i = 0; i < std::min(reply.matches.size(), right.size()); ++i) ASSERT_NEAR(reply.matches[i].score, right[i], 2e-4);
    }
    void check_recall(const VectorsReply& reply, const std::vector<double>& right) {
        ++by_graph_;
        wanted_ += right.size();
        for (const TestMatch& match : reply.matches) found_ += !right.empty() && static_cast<double>(match.score) >= right.back() - 1e-4 ? 1 : 0;
    }

    std::string path_;
    std::uint32_t metric_;
    VectorsClient::Options options_;
    ClusteredVectors source_;
    std::unique_ptr<VectorsClient> client_;
    std::uint32_t space_ = 0;
    std::map<std::string, std::map<std::string, Held>> model_;
    std::size_t found_ = 0, wanted_ = 0, by_graph_ = 0, exact_ = 0;
};

int steps(int otherwise) {
    const char* wanted = std::getenv("JACKFIELD_VECTOR_STEPS");
    return wanted ? std::atoi(wanted) : otherwise;
}

class SqliteVectorsModel : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(EachMetric, SqliteVectorsModel, testing::Values(JF_METRIC_COSINE, JF_METRIC_DOT, JF_METRIC_L2));

TEST_P(SqliteVectorsModel, AgreesWithAMapWhenEverySearchMayUseTheGraph) {
    TempFolder folder;
    ModelRun run(folder.file("a.db"), GetParam(), 20 + GetParam(), {{"vectors_exact_below", "0"}, {"vectors_search_width", "40"}});
    run.run(steps(1500));
    EXPECT_GT(run.by_graph(), 100u);
    EXPECT_GE(run.recall(), 0.95);
}

TEST_P(SqliteVectorsModel, AgreesWithAMapInMemory) {
    TempFolder folder;
    ModelRun run(folder.file("a.db"), GetParam(), 30 + GetParam(), {});
    run.run(steps(800));
    EXPECT_GT(run.exact(), 100u);
    EXPECT_EQ(run.by_graph(), 0u);
}

TEST_P(SqliteVectorsModel, AgreesWithAMapInTheFile) {
    TempFolder folder;
    ModelRun run(folder.file("a.db"), GetParam(), 40 + GetParam(), {{"vectors_memory_mib", "0"}});
    run.run(steps(400));
    EXPECT_GT(run.exact(), 100u);
}

}  // namespace
}  // namespace jackfield::test
