#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include <jackfield/vectors.h>

#include "connection.hpp"
#include "schema.hpp"
#include "vectors_graph.hpp"

namespace jackfield::sqlite {

constexpr std::uint32_t most_dimensions = 4096;

/// A declared space. Its attributes are a collection's fields, so that filters are read, checked and put into SQL as those of records are. Immutable
/// once it stands among the VectorSpaces.
struct VectorSpace {
    std::uint32_t dim = 0;
    std::uint32_t metric = JF_METRIC_COSINE;
    std::string name;
    Collection collection;  ///< named "<name>#vectors", which no collection can be; its table has a row for each vector

    std::uint32_t number() const { return collection.number; }
    std::string rows() const { return collection.table(); }
    /// The values stand apart from the attributes: a look for attributes would otherwise read them all.
    std::string values() const { return quoted(name + "#values"); }
    Measure measure() const;
    std::vector<std::uint16_t> attribute_types() const;
    /// The contract's score: the greater the nearer.
    float score(float distance) const;
};

class VectorSpaces {
  public:
    using Entry = std::shared_ptr<const VectorSpace>;  // shared: an operation keeps the one that it began with

    /// NOT_FOUND when there is none of that number.
    Entry at(std::uint32_t number) const;
    Entry find(const std::string& name) const;
    void put(VectorSpace space);
    /// Their attributes as collections.
    const Catalogue& catalogue() const { return catalogue_; }

  private:
    mutable std::shared_mutex mutex_;
    std::map<std::uint32_t, Entry> by_number_;
    Catalogue catalogue_;
};

/// What the file has; nothing when no space was ever made in it.
void load_vector_spaces(Connection& connection, VectorSpaces& spaces);
/// Without number; checked.
VectorSpace read_vector_space(const jf_vector_space* given);
/// Makes the space or adds the attributes that it lacks; its number. CONFLICT when it stands otherwise.
std::uint32_t ensure_vector_space(Connection& writer, VectorSpaces& spaces, VectorSpace wanted);

/// A transaction that is rolled back unless it is committed.
class VectorTransaction {
  public:
    VectorTransaction(Connection& connection, const char* begin) : connection_(connection) { connection_.execute(begin); }
    ~VectorTransaction() { connection_.rollback(); }
    VectorTransaction(const VectorTransaction&) = delete;
    void commit() { connection_.execute("COMMIT"); }

  private:
    Connection& connection_;
};

}  // namespace jackfield::sqlite
