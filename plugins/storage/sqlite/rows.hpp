#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "connection.hpp"

namespace jackfield::sqlite {

/// Rows copied out of a statement, in the form of the ABI.
class RowBuffer {
  public:
    /// As many rows, or bytes of text, as one event carries.
    static constexpr std::size_t most_rows = 256;
    static constexpr std::size_t most_bytes = 1 << 20;

    explicit RowBuffer(std::vector<std::uint16_t> types) : types_(std::move(types)) {}

    /// The statement's first columns, as many as there are types.
    void add(const Statement& row);
    bool empty() const { return values_.empty(); }
    std::size_t bytes() const { return values_.size() * sizeof(jf_value) + text_.size(); }
    bool full() const { return values_.size() >= most_rows * types_.size() || text_.size() >= most_bytes; }
    void clear();
    /// Borrows from this buffer until it is changed.
    jf_rows rows();

  private:
    std::vector<std::uint16_t> types_;
    std::vector<jf_value> values_;      // a text's ptr is filled in by rows()
    std::vector<std::size_t> offsets_;  // of each value in text_
    std::string text_;
};

/// Takes rows on their way to the caller.
using RowSink = std::function<void(RowBuffer&)>;

/// One column as a value of `type`, borrowing from the statement.
jf_value column_value(const Statement& row, int column, std::uint16_t type);

}  // namespace jackfield::sqlite
