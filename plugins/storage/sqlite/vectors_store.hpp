#pragma once

#include <string>
#include <vector>

#include "vectors_builder.hpp"

namespace jackfield::sqlite {

/// jf.vectors/1 over the rows and what is in memory of them. Every function may be called from several threads at once and blocks its own.
class VectorStore {
  public:
    struct Found {
        bool exact = false;
        std::vector<float> scores;          ///< greatest first
        std::vector<VectorAnswer> answers;  ///< beside the scores
    };
    struct Counts {
        std::uint32_t dim = 0;
        std::uint64_t vectors = 0, bytes = 0, memory = 0, indexed = 0;
    };

    VectorStore(sdk::Host host, std::shared_ptr<Store> store, const VectorOptions& options, std::function<std::int64_t()> utc_us);

    const VectorSpaces& spaces() const { return spaces_; }
    std::uint32_t ensure(VectorSpace wanted);
    /// How many were changed. Durable, and found by searches, when it returns.
    std::uint64_t upsert(const VectorUpsert& upsert, const std::atomic<bool>& cancelled);
    std::uint64_t remove(const VectorRemove& remove, const std::atomic<bool>& cancelled);
    Found search(const VectorQuery& query, const std::atomic<bool>& cancelled);
    Counts stats(std::uint32_t space, std::string_view tenant, const std::atomic<bool>& cancelled);

    /// Begins to rebuild what a search should not have to wait for.
    void warm_up();
    bool stop(std::chrono::milliseconds budget) { return builder_.stop(budget); }
    void resume() { builder_.resume(); }

  private:
    struct Ranked {
        bool exact = true;
        std::vector<std::pair<float, std::int64_t>> rows;  // distance and row, nearest first
    };
    using Write = std::function<VectorsWritten(Connection&)>;
    VectorsWritten write(CachedVectors& entry, const std::atomic<bool>& cancelled, const Write& run,
                         const std::function<void(const VectorsWritten&, VectorChange&)>& describe);
    std::shared_ptr<VectorSet> set_for(const VectorQuery& query, Connection& reader);
    Ranked rank_in_memory(const VectorSet& set, const VectorQuery& query, Connection& reader, const std::atomic<bool>& cancelled) const;
    Ranked rank_rows(const VectorQuery& query, Connection& reader) const;
    void keep_within_budget(const VectorCache::Entry& entry);

    sdk::Host host_;
    std::shared_ptr<Store> store_;
    const VectorOptions options_;
    std::function<std::int64_t()> utc_us_;
    VectorSpaces spaces_;
    VectorCache cache_;
    VectorBuilder builder_;
};

}  // namespace jackfield::sqlite
