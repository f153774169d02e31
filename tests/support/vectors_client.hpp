#pragma once

// One instance that provides jf.vectors/1, asked through the C interface as a host would, with everything that it answers copied.

#include <jackfield/sdk/records.hpp>
#include <jackfield/vectors.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/test_host.hpp"

namespace jackfield::test {

struct TestVector {
    std::string id;
    std::vector<float> values;
    std::vector<std::pair<std::uint16_t, sdk::Value>> attributes;
};

struct TestMatch {
    std::string id;
    float score = 0;
    std::vector<sdk::Value> values;
};

struct VectorsReply {
    jf_status status = 1;
    std::string error;
    std::uint64_t pos = 0;
    bool exact = false;
    std::vector<TestMatch> matches;
    jf_vector_stats stats{};

    std::vector<std::string> ids() const {
        std::vector<std::string> out;
        for (const TestMatch& match : matches) out.push_back(match.id);
        return out;
    }
};

struct TestTerm {
    std::uint16_t field, verb;
    sdk::Value value;
    std::vector<sdk::Value> more;
};

struct TestSearch {
    std::vector<float> values;
    std::uint32_t limit = 10;
    std::vector<TestTerm> where{};
    std::vector<std::uint16_t> fields{};
    float least_score = -INFINITY;
};

/// Terms in the form of the ABI, borrowing from those they are made of.
class AbiTerms {
  public:
    explicit AbiTerms(const std::vector<TestTerm>& terms) {
        more_.reserve(terms.size());
        for (const TestTerm& term : terms) {
            std::vector<jf_value>& more = more_.emplace_back();
            for (const sdk::Value& value : term.more) more.push_back(value.abi());
            jf_term& out = terms_.emplace_back(sdk::make<jf_term>());
            out.field = term.field;
            out.verb = term.verb;
            out.value = term.value.abi();
            out.more = sdk::array(more);
        }
    }
    jf_array abi() const { return sdk::array(terms_); }

  private:
    std::vector<std::vector<jf_value>> more_;
    std::vector<jf_term> terms_;
};

class VectorsClient {
  public:
    using Options = std::vector<std::pair<std::string, std::string>>;

    VectorsClient(const jf_module_v1& module, const std::string& id, const Options& options) {
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        jf_error error = sdk::make<jf_error>();
        const jf_status status = module.create(host_.table(), sdk::str(id), sdk::str("{}"), sdk::array(pairs), &self_, &functions_, &error);
        if (status != JF_OK) throw std::runtime_error(error.text);
        const VectorsReply started = ask([&](jf_op op, jf_error* problem) { return functions_->start(self_, op, problem); });
        if (started.status != JF_OK) throw std::runtime_error(started.error);
        table_ = static_cast<const jf_vectors_v1*>(functions_->query(self_, sdk::str(JF_VECTORS_V1)));
    }
    ~VectorsClient() { functions_->destroy(self_); }
    VectorsClient(const VectorsClient&) = delete;

    TestHost& host() { return host_; }
    jf_instance* self() { return self_; }
    const jf_instance_v1& functions() { return *functions_; }
    const jf_vectors_v1& table() { return *table_; }

    VectorsReply ensure(const std::string& name, std::uint32_t dim, std::uint32_t metric, const sdk::Collection& attributes,
                        std::uint32_t scope = JF_SCOPE_TENANT) {
        jf_vector_space space = sdk::make<jf_vector_space>();
        space.scope = scope;
        space.dim = dim;
        space.metric = metric;
        space.name = sdk::str(name);
        space.attributes = attributes.abi()->fields;
        return ask([&](jf_op op, jf_error* error) { return table_->ensure(self_, op, &space, error); });
    }
    VectorsReply upsert(std::uint32_t space, const std::string& tenant, const std::vector<TestVector>& vectors) {
        std::vector<std::vector<jf_edit>> edits;
        edits.reserve(vectors.size());
        std::vector<jf_vector> abi;
        for (const TestVector& vector : vectors) {
            std::vector<jf_edit>& set = edits.emplace_back();
            for (const auto& [field, value] : vector.attributes) {
                jf_edit& edit = set.emplace_back(sdk::make<jf_edit>());
                edit.field = field;
                edit.verb = JF_EDIT_SET;
                edit.value = value.abi();
            }
            jf_vector& out = abi.emplace_back(sdk::make<jf_vector>());
            out.id = sdk::str(vector.id);
            out.values = sdk::array(vector.values);
            out.attributes = sdk::array(set);
        }
        jf_vector_upsert request = sdk::make<jf_vector_upsert>();
        request.space = space;
        request.tenant = sdk::str(tenant);
        request.vectors = sdk::array(abi);
        return ask([&](jf_op op, jf_error* error) { return table_->upsert(self_, op, &request, error); });
    }
    VectorsReply search(std::uint32_t space, const std::string& tenant, const TestSearch& search) {
        const AbiTerms where(search.where);
        jf_vector_query query = sdk::make<jf_vector_query>();
        query.space = space;
        query.limit = search.limit;
        query.least_score = search.least_score;
        query.tenant = sdk::str(tenant);
        query.values = sdk::array(search.values);
        query.where = where.abi();
        query.fields = sdk::array(search.fields);
        return ask([&](jf_op op, jf_error* error) { return table_->search(self_, op, &query, error); });
    }
    VectorsReply remove(std::uint32_t space, const std::string& tenant, const std::vector<std::string>& ids,
                        const std::vector<TestTerm>& terms = {}) {
        const AbiTerms where(terms);
        std::vector<jf_str> names;
        for (const std::string& id : ids) names.push_back(sdk::str(id));
        jf_vector_remove request = sdk::make<jf_vector_remove>();
        request.space = space;
        request.tenant = sdk::str(tenant);
        request.ids = sdk::array(names);
        request.where = where.abi();
        return ask([&](jf_op op, jf_error* error) { return table_->remove(self_, op, &request, error); });
    }
    VectorsReply stats(std::uint32_t space, const std::string& tenant) {
        return ask([&](jf_op op, jf_error* error) { return table_->stats(self_, op, space, sdk::str(tenant), error); });
    }

    /// Runs `start` for a new op and answers what came of it, a refusal too. From any thread.
    template <typename Start>
    VectorsReply ask(Start start) {
        VectorsReply reply;
        jf_error error = sdk::make<jf_error>();
        const jf_op op = host_.start_op({}, [&](jf_op, jf_status status, const jf_event* last, const jf_error* problem) {
            reply.status = status;
            if (problem) reply.error = problem->text;
            if (last) read(*last, reply);
        });
        const jf_status status = start(op, &error);
        if (status != JF_OK) {
            if (reply.status != 1) throw std::logic_error("refused and completed");
            host_.table()->complete(host_.table()->ctx, op, status, nullptr, nullptr);
            reply.status = status;
            reply.error = error.text;
        } else if (!host_.wait_done(op, std::chrono::minutes(5))) {
            throw std::logic_error("never completed");
        }
        return reply;
    }

  private:
    static void read(const jf_event& last, VectorsReply& reply) {
        reply.pos = last.pos;
        if (const auto* stats = last.type == JF_EV_VECTOR_STATS ? sdk::data_of<jf_vector_stats>(last) : nullptr) reply.stats = *stats;
        const auto* matches = last.type == JF_EV_MATCHES ? sdk::data_of<jf_matches>(last) : nullptr;
        if (!matches) return;
        reply.exact = matches->exact == 1;
        for (std::uint32_t i = 0; i < matches->matches.n; ++i) {
            const jf_match& match = *JF_AT(jf_match, matches->matches, i);
            TestMatch& out = reply.matches.emplace_back();
            out.id = sdk::view(match.id);
            out.score = match.score;
            for (std::uint32_t v = 0; v < match.values.n; ++v) out.values.emplace_back(*JF_AT(jf_value, match.values, v));
        }
    }

    TestHost host_;
    jf_instance* self_ = nullptr;
    const jf_instance_v1* functions_ = nullptr;
    const jf_vectors_v1* table_ = nullptr;
};

}  // namespace jackfield::test
