#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "request.hpp"
#include "vectors_codes.hpp"
#include "vectors_graph.hpp"

namespace jackfield::sqlite {

/// The slots of a set that stand together: as many as a word has bits.
constexpr std::size_t slots_per_chunk = 64;

struct VectorChunk {
    struct Cells {
        std::array<std::int64_t, slots_per_chunk> values;  ///< a number, the bits of a double, or a text's place in the dictionary
        std::atomic<std::uint64_t> nulls{0};
    };
    VectorChunk(std::size_t dim, std::size_t column_count)
        : values(new float[dim * slots_per_chunk]), codes(new std::int8_t[dim * slots_per_chunk]), columns(std::make_unique<Cells[]>(column_count)) {}

    std::unique_ptr<float[]> values;
    std::unique_ptr<std::int8_t[]> codes;
    std::array<CodeFacts, slots_per_chunk> facts;
    std::array<std::int64_t, slots_per_chunk> rows;
    std::uint64_t alive = 0;  ///< guarded by the set's mutex
    std::unique_ptr<Cells[]> columns;
};

/// One attribute of all vectors of a set, so that a filter needs no look into the database.
class VectorColumn {
  public:
    explicit VectorColumn(std::uint16_t type) : type_(type) {}
    void put(VectorChunk::Cells& cells, std::size_t place, const jf_value& value);
    /// Whether terms can be answered from memory. Bytes, JSON and long texts are not kept.
    bool answers(const Term& term) const;
    /// Clears the bits of `word` whose cells the term does not match.
    class Match {
      public:
        Match(const VectorColumn& column, const Term& term);
        std::uint64_t operator()(const VectorChunk::Cells& cells, std::uint64_t word) const;

      private:
        bool matches(std::int64_t cell) const;
        const Term& term_;
        std::uint16_t type_;
        std::vector<bool> texts_;  // by place in the dictionary
    };
    std::size_t bytes() const;

  private:
    std::int64_t place_of(std::string_view text);
    const std::uint16_t type_;
    std::atomic<bool> kept_{true};
    mutable std::shared_mutex mutex_;  // of the dictionary
    std::deque<std::string> texts_;
    std::unordered_map<std::string_view, std::int64_t> places_;
    std::size_t text_bytes_ = 0;
};

/// A tenant's vectors of one space in memory: values, attributes, and a graph once there is one. Slots are only ever appended: a vector that is
/// replaced gets a new slot and its old one dies, so that searches need no lock against writers.
class VectorSet {
  public:
    VectorSet(const Measure& measure, std::vector<std::uint16_t> column_types);

    /// Puts the vector of a row, replacing an older one. `attributes` by column.
    void put(std::int64_t row, const float* values, std::span<const jf_value> attributes);
    void remove(std::int64_t row);

    /// What stands at the moment; unaffected by what comes later.
    struct View {
        std::shared_ptr<const std::vector<std::shared_ptr<VectorChunk>>> chunks;
        std::size_t slots = 0;
        Bits alive;
        std::shared_ptr<Graph> graph;  ///< may be null
        std::size_t indexed = 0;       ///< slots below are in the graph

        const float* values(std::uint32_t slot, std::size_t dim) const {
            return (*chunks)[slot / slots_per_chunk]->values.get() + slot % slots_per_chunk * dim;
        }
        std::int64_t row(std::uint32_t slot) const { return (*chunks)[slot / slots_per_chunk]->rows[slot % slots_per_chunk]; }
    };
    View view() const;
    const Measure& measure() const { return measure_; }

    /// Clears the bits that the terms don't match. False: a term can't be answered from memory.
    bool filter(const View& view, const std::vector<Term>& where, Bits& bits) const;
    /// Clears the bits of vectors whose row is not among these, which ascend.
    static void keep_rows(const View& view, std::span<const std::int64_t> rows, Bits& bits);

    void attach(std::shared_ptr<Graph> graph);
    bool has_graph() const;
    /// Slots that no graph covers.
    std::size_t uncovered() const;
    std::size_t rows() const;
    /// Slots whose vector was replaced or removed.
    std::size_t dead() const;
    std::size_t bytes() const;
    /// What a vector of a set takes beside its texts and the graph.
    static std::size_t bytes_of_a_vector(std::size_t dim, std::size_t columns);

  private:
    const Measure measure_;
    mutable std::mutex mutex_;
    std::shared_ptr<const std::vector<std::shared_ptr<VectorChunk>>> chunks_;
    std::size_t slots_ = 0;
    std::unordered_map<std::int64_t, std::uint32_t> slot_of_row_;
    std::shared_ptr<Graph> graph_;
    std::deque<VectorColumn> columns_;
};

}  // namespace jackfield::sqlite
