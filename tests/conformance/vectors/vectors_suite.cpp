#include "conformance/kit/bench.hpp"
#include "conformance/suites.hpp"
#include "plugin_host/adapters/vectors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include <jackfield/sdk/records.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace jackfield::conformance {
namespace {

using plugin_host::VectorsPort;
using sdk::Value;
using Floats = std::vector<float>;

constexpr std::uint16_t language = 8, year = 9, weight = 10;
constexpr std::uint32_t dim = 8;

struct Entry {
    std::string id;
    Floats values;
    std::vector<std::pair<std::uint16_t, Value>> attributes{};
};
struct Where {
    std::uint16_t field, verb;
    Value value;
    std::vector<Value> more{};
};
struct Match {
    std::string id;
    float score;
    std::vector<Value> values;
};
struct Search {
    Floats values;
    std::uint32_t limit = 10;
    std::vector<Where> where{};
    std::vector<std::uint16_t> fields{};
    float least_score = -std::numeric_limits<float>::infinity();
};

/// Terms as the ABI has them; they lend from those they are made of.
class Terms {
  public:
    explicit Terms(const std::vector<Where>& where) {
        more_.reserve(where.size());
        for (const Where& one : where) {
            auto& more = more_.emplace_back();
            for (const Value& value : one.more) more.push_back(value.abi());
            jf_term& term = terms_.emplace_back(make<jf_term>());
            term.field = one.field;
            term.verb = one.verb;
            term.value = one.value.abi();
            term.more = sdk::array(more);
        }
    }
    jf_array abi() const { return sdk::array(terms_); }

  private:
    std::vector<std::vector<jf_value>> more_;
    std::vector<jf_term> terms_;
};

/// A space in an instance under test, and requests of it. What a request refuses and what its op completes with are one here.
class Space {
  public:
    Space(Bench& bench, std::string name, std::uint32_t metric = JF_METRIC_COSINE, std::uint32_t scope = JF_SCOPE_TENANT)
        : bench_(bench), name_("verify." + std::move(name)), metric_(metric), scope_(scope) {
        open();
    }
    /// A store may let one instance at a time write.
    ~Space() {
        try {
            if (instance_) bench_.stop(std::move(instance_));
        } catch (...) {
            // The check has failed already, or the module's own checks say so.
        }
    }
    Space(const Space&) = delete;
    void open() {
        instance_ = bench_.start();
        port_ = VectorsPort(*instance_);
        require(static_cast<bool>(port_), "it has no jf.vectors/1");
        handle = ensured(ensure(dim, metric_, attributes()));
    }
    void reopen() {
        bench_.stop(std::move(instance_));
        open();
    }

    static sdk::Collection attributes() {
        sdk::Collection made("verify.unused", JF_SCOPE_TENANT);
        made.field("language", JF_VALUE_TEXT).field("year", JF_VALUE_INT).field("weight", JF_VALUE_REAL);
        return made;
    }
    const OpRecord& ensure(std::uint32_t dimensions, std::uint32_t metric, const sdk::Collection& with) {
        jf_vector_space space = make<jf_vector_space>();
        space.scope = scope_;
        space.dim = dimensions;
        space.metric = metric;
        space.name = str(name_);
        space.attributes = with.abi()->fields;
        return run("ensure", [&](jf_op op, jf_error* error) { return port_.ensure(op, space, error); });
    }
    std::uint32_t ensured(const OpRecord& record) {
        if (status_ != JF_OK) fail(fmt::format("ensure answered {}: {}", status_name(status_), error_));
        require(record.last && record.last->type() == JF_EV_SPACE && record.last->event.pos != 0, "ensure completes with SPACE and a handle that is not 0");
        return static_cast<std::uint32_t>(record.last->event.pos);
    }
    jf_status upsert(const std::vector<Entry>& entries, const std::string& tenant = "one") {
        std::vector<std::vector<jf_edit>> edits(entries.size());
        std::vector<jf_vector> vectors;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            for (const auto& [field, value] : entries[i].attributes) {
                jf_edit& edit = edits[i].emplace_back(make<jf_edit>());
                edit.field = field;
                edit.value = value.abi();
            }
            jf_vector& out = vectors.emplace_back(make<jf_vector>());
            out.id = str(entries[i].id);
            out.values = sdk::array(entries[i].values);
            out.attributes = sdk::array(edits[i]);
        }
        jf_vector_upsert request = make<jf_vector_upsert>();
        request.space = handle;
        request.tenant = str(tenant);
        request.vectors = sdk::array(vectors);
        const OpRecord& record = run("upsert", [&](jf_op op, jf_error* error) { return port_.upsert(op, request, error); });
        if (status_ == JF_OK) changed = done(record);
        return status_;
    }
    jf_status remove(const std::vector<std::string>& ids, const std::vector<Where>& where = {}, const std::string& tenant = "one") {
        const Terms terms(where);
        std::vector<jf_str> names;
        for (const std::string& id : ids) names.push_back(str(id));
        jf_vector_remove request = make<jf_vector_remove>();
        request.space = handle;
        request.tenant = str(tenant);
        request.ids = sdk::array(names);
        request.where = terms.abi();
        const OpRecord& record = run("remove", [&](jf_op op, jf_error* error) { return port_.remove(op, request, error); });
        if (status_ == JF_OK) changed = done(record);
        return status_;
    }
    jf_status try_search(const Search& search, const std::string& tenant = "one") {
        const Terms terms(search.where);
        jf_vector_query request = make<jf_vector_query>();
        request.space = handle;
        request.limit = search.limit;
        request.least_score = search.least_score;
        request.tenant = str(tenant);
        request.values = sdk::array(search.values);
        request.where = terms.abi();
        request.fields = sdk::array(search.fields);
        const OpRecord& record = run("search", [&](jf_op op, jf_error* error) { return port_.search(op, request, error); });
        matches.clear();
        if (status_ == JF_OK) read_matches(record, search);
        return status_;
    }
    const std::vector<Match>& search(const Search& search, const std::string& tenant = "one") {
        if (try_search(search, tenant) != JF_OK) fail(fmt::format("search answered {}: {}", status_name(status_), error_));
        return matches;
    }
    std::vector<std::string> found(const Search& wanted, const std::string& tenant = "one") {
        std::vector<std::string> ids;
        for (const Match& match : search(wanted, tenant)) ids.push_back(match.id);
        return ids;
    }
    jf_vector_stats stats(const std::string& tenant = "one") {
        const OpRecord& record = run("stats", [&](jf_op op, jf_error* error) { return port_.stats(op, handle, str(tenant), error); });
        const auto* last = status_ == JF_OK && record.last ? record.last->as<jf_vector_stats>() : nullptr;
        require(last != nullptr, "stats completes with VECTOR_STATS");
        return *last;
    }
    void must(jf_status status, std::string_view what) {
        if (status != JF_OK) fail(fmt::format("{} answered {}: {}", what, status_name(status), error_));
    }

    Bench& bench() { return bench_; }
    Bench::Instance& instance() { return *instance_; }
    const VectorsPort& port() const { return port_; }
    const std::string& error() const { return error_; }
    jf_status status() const { return status_; }
    std::uint32_t handle = 0;
    std::uint64_t changed = 0;
    std::vector<Match> matches;

  private:
    template <typename Start>
    const OpRecord& run(const char* what, Start start) {
        OpRecord& record = bench_.open(*instance_);
        error_.clear();
        status_ = bench_.begin_blocking(record, *instance_, what, [&] {
            jf_error error = make<jf_error>();
            const jf_status status = start(record.op, &error);
            if (status != JF_OK) error_ = said(error);
            return status;
        });
        if (status_ != JF_OK) return record;
        bench_.expect_done(record, what, milliseconds(30'000));
        status_ = record.status;
        error_ = record.error;
        return record;
    }
    static std::uint64_t done(const OpRecord& record) {
        require(record.last && record.last->type() == JF_EV_VECTORS_DONE, "it completed without VECTORS_DONE");
        return record.last->event.pos;
    }
    void read_matches(const OpRecord& record, const Search& search) {
        const auto* all = record.last && record.last->type() == JF_EV_MATCHES ? record.last->as<jf_matches>() : nullptr;
        require(all != nullptr, "search completes with MATCHES");
        require(all->matches.n <= std::max(search.limit, 10u), fmt::format("{} matches came for a limit of {}", all->matches.n, search.limit));
        for (std::uint32_t i = 0; i < all->matches.n; ++i) {
            const jf_match& match = *JF_AT(jf_match, all->matches, i);
            require(std::isfinite(match.score), "a score is not finite");
            require(i == 0 || match.score <= matches.back().score, "matches don't come nearest first");
            require(match.values.n == search.fields.size(), fmt::format("{} values came for {} fields", match.values.n, search.fields.size()));
            Match& out = matches.emplace_back(Match{std::string(view(match.id)), match.score, {}});
            for (std::uint32_t v = 0; v < match.values.n; ++v) out.values.emplace_back(*JF_AT(jf_value, match.values, v));
        }
    }

    Bench& bench_;
    std::string name_;
    std::uint32_t metric_, scope_;
    std::shared_ptr<Bench::Instance> instance_;
    VectorsPort port_;
    jf_status status_ = JF_OK;
    std::string error_;
};

/// The unit vector of an axis, a little towards another.
Floats axis(std::size_t along, float towards_next = 0) {
    Floats out(dim);
    out[along % dim] = 1;
    out[(along + 1) % dim] = towards_next;
    return out;
}

std::string listed(const std::vector<std::string>& ids) { return fmt::format("[{}]", fmt::join(ids, " ")); }

void expect(const std::vector<std::string>& got, const std::vector<std::string>& wanted, std::string_view what) {
    require(got == wanted, fmt::format("{} found {}; wanted: {}", what, listed(got), listed(wanted)));
}
void expect_any_order(std::vector<std::string> got, std::vector<std::string> wanted, std::string_view what) {
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    expect(got, wanted, what);
}

bool has_metric(Bench& bench, std::string_view name) {
    const auto declared = bench.target().capability("vectors", "metrics");
    for (std::size_t i = 0; i < declared.size(); ++i)
        if (declared.at(i).text_or("") == name) return true;
    return false;
}

void ensures(Bench& bench) {
    Space space(bench, "ensures");
    require(space.ensured(space.ensure(dim, JF_METRIC_COSINE, Space::attributes())) == space.handle, "the same space got another handle the second time");
    sdk::Collection more = Space::attributes();
    more.field("author", JF_VALUE_TEXT);
    require(space.ensured(space.ensure(dim, JF_METRIC_COSINE, more)) == space.handle, "the space got another handle with an attribute more");
    require(space.ensured(space.ensure(dim, JF_METRIC_COSINE, Space::attributes())) == space.handle, "the older declaration does not fit any more");
    space.must(space.upsert({{"a", axis(0), {{11, "ada"}}}}), "upsert with the new attribute");
    expect(space.found({axis(0), 10, {{11, JF_TERM_EQ, "ada"}}}), {"a"}, "a search by the new attribute");
}

void conflicts(Bench& bench) {
    Space space(bench, "conflicts");
    const auto conflict = [&](const char* what, std::uint32_t dimensions, std::uint32_t metric, const sdk::Collection& attributes) {
        space.ensure(dimensions, metric, attributes);
        require_status(fmt::format("ensure with {}", what), space.status(), {JF_E_CONFLICT});
    };
    conflict("another dimension", dim + 1, JF_METRIC_COSINE, Space::attributes());
    sdk::Collection other("verify.unused", JF_SCOPE_TENANT);
    other.field("language", JF_VALUE_INT);
    conflict("another type of an attribute", dim, JF_METRIC_COSINE, other);
    if (has_metric(bench, "l2")) conflict("another metric", dim, JF_METRIC_L2, Space::attributes());
}

void finds_nearest(Bench& bench) {
    const std::pair<const char*, std::uint32_t> metrics[] = {{"cosine", JF_METRIC_COSINE}, {"dot", JF_METRIC_DOT}, {"l2", JF_METRIC_L2}};
    for (const auto& [name, metric] : metrics) {
        if (!has_metric(bench, name)) continue;
        Space space(bench, std::string("nearest_") + name, metric);
        Floats twice = axis(0, 0.5f);
        for (float& x : twice) x *= 2;
        space.must(space.upsert({{"on", axis(0)}, {"near", axis(0, 0.5f)}, {"far", axis(3)}, {"long", twice}}), "upsert");
        const std::vector<Match>& matches = space.search({axis(0), 4});
        require(matches.size() == 4, fmt::format("{} of 4 vectors were found", matches.size()));
        const std::string first = metric == JF_METRIC_DOT ? "long" : "on";
        require(matches[0].id == first, fmt::format("{}: '{}' is the nearest; wanted: '{}'", name, matches[0].id, first));
        const double c = 1 / std::sqrt(1.25);
        const double on = metric == JF_METRIC_L2 ? 0 : 1, near = metric == JF_METRIC_COSINE ? c : metric == JF_METRIC_DOT ? 1 : -0.5;
        for (const Match& match : matches) {
            if (match.id == "on") require(std::abs(match.score - on) < 1e-3, fmt::format("{}: an equal vector scores {}; wanted: {}", name, match.score, on));
            if (match.id == "near") require(std::abs(match.score - near) < 1e-3, fmt::format("{}: a near vector scores {}; wanted: {}", name, match.score, near));
        }
    }
}

void limits(Bench& bench) {
    Space space(bench, "limits");
    std::vector<Entry> entries;
    for (int i = 0; i < 30; ++i) entries.push_back({"v" + std::to_string(i), axis(0, static_cast<float>(i) / 10)});
    space.must(space.upsert(entries), "upsert");
    expect(space.found({axis(0), 3}), {"v0", "v1", "v2"}, "a search for 3");
    require(space.found({axis(0), 0}).size() == 10, "a limit of 0 means 10");
    const float score = space.matches.at(4).score;
    require(space.found({axis(0), 30, {}, {}, score - 1e-5f}).size() == 5, "least_score lets others through than those that score as much");
    require(space.found({axis(0), 30}).size() == 30, "not all were found for a limit of as many as there are");
    require_status("search for more than 10000", space.try_search({axis(0), 10'001}), {JF_E_INVALID, JF_E_QUOTA});
}

void replaces(Bench& bench) {
    Space space(bench, "replaces");
    space.must(space.upsert({{"a", axis(0), {{language, "de"}, {year, 1999}}}, {"b", axis(1)}}), "upsert");
    require(space.changed == 2, fmt::format("an upsert of 2 says that it changed {}", space.changed));
    space.must(space.upsert({{"a", axis(5), {{year, 2001}}}}), "upsert of the same id");
    const std::vector<Match>& matches = space.search({axis(5), 2, {}, {language, year}});
    require(matches.size() == 2 && matches[0].id == "a", "the vector is not where it was put last");
    require(matches[0].values[0].is_null() && matches[0].values[1].integer() == 2001, "attributes that the later upsert left out are not null");
    space.must(space.upsert({{"c", axis(2)}, {"c", axis(6)}}), "upsert of an id twice");
    require(space.found({axis(6), 1}) == std::vector<std::string>{"c"} && space.stats().vectors == 3, "of an id given twice the later one stands, once");
}

void removes(Bench& bench) {
    Space space(bench, "removes");
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < 6; ++i) entries.push_back({"v" + std::to_string(i), axis(i), {{year, static_cast<std::int64_t>(i)}}});
    const auto left = [&] { return space.found({axis(0), 10}); };
    space.must(space.upsert(entries), "upsert");
    space.must(space.remove({"v0", "nobody"}), "remove by id");
    require(space.changed == 1, fmt::format("remove of one that is there and one that isn't says {}", space.changed));
    space.must(space.remove({}, {{year, JF_TERM_GE, 4}}), "remove by a term");
    expect_any_order(left(), {"v1", "v2", "v3"}, "what is left");
    space.must(space.remove({"v1", "v2"}, {{year, JF_TERM_EQ, 2}}), "remove by ids and a term");
    expect_any_order(left(), {"v1", "v3"}, "what is left");
    space.must(space.remove({}), "remove of all");
    require(space.changed == 2 && left().empty() && space.stats().vectors == 0, "not all are gone");
}

void filters(Bench& bench) {
    if (!bench.target().capability("vectors", "filter").boolean_or(false)) not_applicable("its capabilities don't say that it filters");
    Space space(bench, "filters");
    space.must(space.upsert({{"a", axis(0), {{language, "de"}, {year, 1990}, {weight, 0.5}}},
                             {"b", axis(1), {{language, "den"}, {year, 2000}, {weight, 1.5}}},
                             {"c", axis(2), {{language, "en"}, {year, 2010}}},
                             {"d", axis(3), {{year, 2020}, {weight, 2.5}}}}),
               "upsert");
    struct Case {
        std::vector<Where> where;
        std::vector<std::string> wanted;
    };
    const std::vector<Case> cases = {
        {{{language, JF_TERM_EQ, "de"}}, {"a"}},
        {{{language, JF_TERM_NE, "de"}}, {"b", "c"}},
        {{{language, JF_TERM_PREFIX, "de"}}, {"a", "b"}},
        {{{language, JF_TERM_CONTAINS, "en"}}, {"b", "c"}},
        {{{language, JF_TERM_IS_NULL, {}}}, {"d"}},
        {{{language, JF_TERM_NOT_NULL, {}}}, {"a", "b", "c"}},
        {{{language, JF_TERM_IN, "en", {"en", "de", "fr"}}}, {"a", "c"}},
        {{{year, JF_TERM_LT, 2000}}, {"a"}},
        {{{year, JF_TERM_LE, 2000}}, {"a", "b"}},
        {{{year, JF_TERM_GT, 2000}}, {"c", "d"}},
        {{{year, JF_TERM_IN, 1990, {1990, 2020}}}, {"a", "d"}},
        {{{weight, JF_TERM_GE, 1.5}}, {"b", "d"}},
        {{{weight, JF_TERM_LT, 10.0}, {year, JF_TERM_GT, 1995}}, {"b", "d"}},
        {{{JF_FIELD_ID, JF_TERM_EQ, "c"}}, {"c"}},
        {{{year, JF_TERM_EQ, 1}}, {}},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) expect_any_order(space.found({axis(0), 10, cases[i].where}), cases[i].wanted, fmt::format("filter {}", i));
    require_status("a filter by an attribute that was not declared", space.try_search({axis(0), 10, {{99, JF_TERM_EQ, "x"}}}), {JF_E_INVALID});
    require_status("a filter by a value of another type", space.try_search({axis(0), 10, {{year, JF_TERM_EQ, "x"}}}), {JF_E_INVALID});
}

void tenants(Bench& bench) {
    Space space(bench, "tenants");
    space.must(space.upsert({{"a", axis(0)}, {"b", axis(1)}}, "one"), "upsert");
    space.must(space.upsert({{"a", axis(4)}}, "two"), "upsert of the same id for another tenant");
    expect(space.found({axis(0), 10}, "two"), {"a"}, "the other tenant's search");
    require(space.search({axis(4), 10}, "one")[0].score < 0.5f, "a tenant's vector was replaced by another tenant's");
    space.must(space.remove({}, {}, "two"), "remove of all");
    require(space.found({axis(0), 10}, "one").size() == 2 && space.found({axis(0), 10}, "nobody").empty(), "a tenant's vectors went with another's, or are seen by others");
    require_status("upsert without a tenant", space.upsert({{"x", axis(0)}}, ""), {JF_E_INVALID});
    require_status("search without a tenant", space.try_search({axis(0)}, ""), {JF_E_INVALID});
    require_status("remove without a tenant", space.remove({"a"}, {}, ""), {JF_E_INVALID});
}

void refuses(Bench& bench) {
    Space space(bench, "refuses");
    Floats nan = axis(0), infinite = axis(0);
    nan[3] = std::numeric_limits<float>::quiet_NaN();
    infinite[3] = std::numeric_limits<float>::infinity();
    const auto refused = [&](const char* what, Entry entry) {
        require_status(what, space.upsert({{"good", axis(0)}, std::move(entry)}), {JF_E_INVALID});
        require(!space.error().empty(), fmt::format("{} was refused without a word", what));
        require(space.found({axis(0), 10}).empty(), fmt::format("of a request with {} a part was written", what));
    };
    refused("a vector of another dimension", {"x", Floats(dim + 1, 1.0f)});
    refused("a vector without values", {"x", {}});
    refused("a value that is not a number", {"x", nan});
    refused("an infinite value", {"x", infinite});
    refused("a zero vector where the cosine counts", {"x", Floats(dim)});
    refused("an empty id", {"", axis(0)});
    refused("an id of 300 bytes", {std::string(300, 'x'), axis(0)});
    refused("an id that is no UTF-8", {"\xff\xfe", axis(0)});
    refused("an attribute that was not declared", {"x", axis(0), {{99, "x"}}});
    refused("an attribute of another type", {"x", axis(0), {{year, "x"}}});
    require_status("a search by another dimension", space.try_search({Floats(dim - 1, 1.0f)}), {JF_E_INVALID});
    require_status("a search by what is not a number", space.try_search({nan}), {JF_E_INVALID});
    require_status("a search for an attribute that was not declared", space.try_search({axis(0), 10, {}, {99}}), {JF_E_INVALID});
    const std::uint32_t handle = space.handle;
    space.handle = 0x7fff'fff0;
    require_status("a search in no space", space.try_search({axis(0)}), {JF_E_NOT_FOUND, JF_E_INVALID});
    require_status("an upsert into no space", space.upsert({{"x", axis(0)}}), {JF_E_NOT_FOUND, JF_E_INVALID});
    space.handle = handle;
    space.must(space.upsert({{"good", axis(0)}}), "a good upsert afterwards");
}

void survives_a_restart(Bench& bench) {
    Space space(bench, "restart");
    space.must(space.upsert({{"a", axis(0), {{language, "de"}}}, {"b", axis(1)}, {"c", axis(2)}}), "upsert");
    space.must(space.remove({"b"}), "remove");
    space.reopen();
    expect(space.found({axis(0), 10, {{language, JF_TERM_EQ, "de"}}}), {"a"}, "a search after the restart");
    expect_any_order(space.found({axis(0), 10}), {"a", "c"}, "a search after the restart");
}

void counts(Bench& bench) {
    Space space(bench, "counts");
    require(space.stats().vectors == 0, "an empty space counts vectors");
    space.must(space.upsert({{"a", axis(0)}, {"b", axis(1)}}), "upsert");
    const jf_vector_stats stats = space.stats();
    require(stats.vectors == 2 && stats.dim == dim, fmt::format("stats say {} vectors of {}", stats.vectors, stats.dim));
    require(space.stats("two").vectors == 0, "another tenant's vectors are counted");
}

void many(Bench& bench) {
    Space space(bench, "many");
    std::mt19937 random(4);
    std::vector<Entry> entries;
    for (int i = 0; i < 2000; ++i) {
        Floats values(dim);
        for (float& x : values) x = static_cast<float>(random() % 2001) / 1000 - 1.001f;
        entries.push_back({"v" + std::to_string(i), values, {{year, i % 100}}});
    }
    space.must(space.upsert(entries), "upsert of 2000");
    const auto cosine = [](const Floats& a, const Floats& b) {
        double ab = 0, aa = 0, bb = 0;
        for (std::size_t i = 0; i < dim; ++i) {
            ab += static_cast<double>(a[i]) * b[i];
            aa += static_cast<double>(a[i]) * a[i];
            bb += static_cast<double>(b[i]) * b[i];
        }
        return ab / std::sqrt(aa * bb);
    };
    for (const std::int64_t most : {100, 50, 5, 1}) {
        std::size_t right = 0, wanted = 0;
        for (int q = 0; q < 20; ++q) {
            const Floats& query = entries[random() % entries.size()].values;
            std::vector<double> scores;
            for (const Entry& entry : entries)
                if (entry.attributes[0].second.integer() < most) scores.push_back(cosine(query, entry.values));
            std::sort(scores.rbegin(), scores.rend());
            for (const Match& match : space.search({query, 10, {{year, JF_TERM_LT, most}}})) right += match.score >= scores[9] - 1e-4 ? 1 : 0;
            wanted += 10;
        }
        require(right * 100 >= wanted * 95, fmt::format("with a filter that lets {} % through, {} of {} nearest were found; wanted: 95 %", most, right, wanted));
    }
}

void cancels(Bench& bench) {
    Space space(bench, "cancels");
    space.must(space.upsert({{"a", axis(0)}}), "upsert");
    const Floats query = axis(0);
    jf_vector_query request = make<jf_vector_query>();
    request.space = space.handle;
    request.tenant = str("one");
    request.values = sdk::array(query);
    OpRecord& record = bench.open(space.instance());
    const jf_status status = bench.begin_blocking(record, space.instance(), "search", [&] {
        jf_error error = make<jf_error>();
        return space.port().search(record.op, request, &error);
    });
    require_status("search", status, {JF_OK});
    bench.cancel(record);
    bench.cancel(record);
    bench.expect_done(record, "the search", milliseconds(1500));
    require_status("the search", record.status, {JF_OK, JF_E_CANCELLED});
    require_status("cancel after the completion", bench.plugin_cancel(space.instance(), record.op), {JF_E_INVALID});
    require(space.found({axis(0), 1}) == std::vector<std::string>{"a"}, "nothing is found any more after a cancel");
}

void mid_op(Bench& bench) {
    auto* const space = new Space(bench, "mid_op");
    std::vector<Entry> entries;
    for (int i = 0; i < 500; ++i) entries.push_back({"v" + std::to_string(i), axis(static_cast<std::size_t>(i), 0.1f)});
    space->must(space->upsert(entries), "upsert");
}

constexpr Check checks[] = {
    {"vectors.ensures", "A space is made once, and takes attributes more", "Look the space up by its name before you make it; append attributes.", ensures, 60},
    {"vectors.conflicts", "A space that stands otherwise is not changed", "CONFLICT, from ensure or as its op's completion.", conflicts, 60},
    {"vectors.finds_nearest", "The nearest come first, with the metric's scores", "cosine 1..-1, dot as it is, l2 as its negative.", finds_nearest, 60},
    {"vectors.limits", "limit and least_score bound what comes", "0 means 10; matches below least_score are left out.", limits, 60},
    {"vectors.replaces", "A vector of the same id is replaced as a whole", "Attributes that are not given become null; of an id given twice the later one stands.", replaces, 60},
    {"vectors.removes", "Vectors are removed by ids, by terms, by both, and all", "VECTORS_DONE says how many were there.", removes, 60},
    {"vectors.filters", "Filters let through what records' terms match", "A null matches IS_NULL only.", filters, 60},
    {"vectors.tenants", "A tenant sees and changes its own vectors only", "Put the tenant into the key and into every look-up.", tenants, 60},
    {"vectors.refuses", "What is no vector of the space is refused, with a sentence, and nothing of its request is written", "Check all of a request before you write any of it.", refuses, 60},
    {"vectors.survives_a_restart", "What was acknowledged is there after a restart", "Complete when it is durable.", survives_a_restart, 60},
    {"vectors.counts", "stats counts a tenant's vectors", "Complete with VECTOR_STATS.", counts, 60},
    {"vectors.many", "Of 2000 vectors nearly all of the nearest ten are found, whatever a filter leaves", "Compare one by one where a filter leaves few.", many, 120},
    {"vectors.cancels", "A cancelled search ends once", "Complete with CANCELLED, or with what was found.", cancels, 60},
};

}  // namespace

std::span<const Check> vectors_checks() { return checks; }
void vectors_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
