#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

namespace jackfield::sqlite {

/// JSON arrays of numbers, added up element by element: what histograms are stored as. Whole numbers stay whole until their sum leaves 64 bits.
class NumberArray {
  public:
    /// Nothing when the text is no JSON array of finite numbers.
    static std::optional<NumberArray> parse(std::string_view json);
    void add(const NumberArray& other);
    /// False when a sum is no finite number any more.
    bool finite() const;
    std::string json() const;
    std::size_t size() const { return elements_.size(); }

  private:
    struct Element {
        bool whole = true;
        std::int64_t i = 0;
        double f = 0;
    };
    static Element sum(const Element& a, const Element& b);
    std::vector<Element> elements_;
};

/// Registers jf_add_each(array, array) and the aggregate jf_sum_each(array).
int register_array_functions(sqlite3* connection);

}  // namespace jackfield::sqlite
