#include "rows.hpp"

namespace jackfield::sqlite {

jf_value column_value(const Statement& row, int column, std::uint16_t type) {
    jf_value value{};
    if (row.is_null(column)) return value;
    value.type = type;
    switch (type) {
        case JF_VALUE_REAL: value.f = row.real(column); break;
        case JF_VALUE_TEXT:
        case JF_VALUE_BYTES:
        case JF_VALUE_JSON: value.s = sdk::str(row.text(column)); break;
        default: value.i = row.integer(column);
    }
    return value;
}

void RowBuffer::add(const Statement& row) {
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const jf_value value = column_value(row, static_cast<int>(i), types_[i]);
        offsets_.push_back(text_.size());
        text_ += sdk::view(value.s);
        values_.push_back(value);
    }
}

void RowBuffer::clear() {
    values_.clear();
    offsets_.clear();
    text_.clear();
}

jf_rows RowBuffer::rows() {
    for (std::size_t i = 0; i < values_.size(); ++i)
        values_[i].s.ptr = values_[i].s.len > 0 ? text_.data() + offsets_[i] : nullptr;
    jf_rows out = sdk::make<jf_rows>();
    out.columns = static_cast<std::uint32_t>(types_.size());
    out.values = sdk::array(values_);
    return out;
}

}  // namespace jackfield::sqlite
