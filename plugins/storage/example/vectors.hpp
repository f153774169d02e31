#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "match.hpp"

namespace example {

/// Vectors of one length and one metric. Their attributes are fields as a collection has them.
struct Space {
    Declaration declared;
    std::uint32_t dim = 0, metric = 0;
};
struct Vector {
    std::vector<float> values;
    Record attributes;  ///< as a collection's record: the id, then from the sixth column on the attributes
};
struct VectorSearch {
    std::vector<float> values;
    std::vector<Term> where;
    std::uint32_t limit = 10;
    float least_score = 0;
};
struct Nearest {
    const Vector* vector;
    float score;
};

/// Spaces in maps, in memory and in a journal. Every vector that the terms let through is compared: exact, and slow from some ten thousand on. One thread
/// at a time. Throws Failure; then nothing has changed.
class Vectors {
  public:
    explicit Vectors(const std::string& path);

    std::uint32_t ensure(Space wanted);
    const Space& space(std::uint32_t number) const;
    /// Each answers how many vectors have changed.
    std::size_t upsert(std::uint32_t number, const std::string& tenant, const std::map<std::string, Vector>& vectors);
    std::size_t remove(std::uint32_t number, const std::string& tenant, const std::set<std::string>& ids, const std::vector<Term>& where);
    /// Nearest first. Good until the next change.
    std::vector<Nearest> search(std::uint32_t number, const std::string& tenant, const VectorSearch& wanted) const;
    std::size_t count(std::uint32_t number, const std::string& tenant) const;

  private:
    using Tenant = std::map<std::string, Vector>;
    struct Kept {
        Space space;
        std::map<std::string, Tenant> tenants;
    };
    const Tenant& of(std::uint32_t number, const std::string& tenant) const;
    /// A vector without values: none any more.
    void change(std::uint32_t number, const std::string& tenant, const std::map<std::string, Vector>& vectors);
    void put(std::uint32_t number, const std::string& tenant, const std::string& id, Vector vector);
    void replay(std::string_view entry);

    std::vector<Kept> spaces_;  // by number - 1
    std::unique_ptr<Journal> journal_;
};

}  // namespace example
