#include "vectors_set.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t longest_kept_text = 256;
constexpr std::size_t largest_dictionary = 16u << 20;
constexpr std::size_t bytes_per_row_entry = 48;  // of the table from rows to slots

bool is_text(std::uint16_t type) { return type == JF_VALUE_TEXT; }

std::int64_t cell_of(const jf_value& value) { return value.type == JF_VALUE_REAL ? std::bit_cast<std::int64_t>(value.f) : value.i; }

template <typename T>
bool compare(std::uint16_t verb, const T& a, const T& b) {
    switch (verb) {
        case JF_TERM_EQ: return a == b;
        case JF_TERM_NE: return a != b;
        case JF_TERM_LT: return a < b;
        case JF_TERM_LE: return a <= b;
        case JF_TERM_GT: return a > b;
        default: return a >= b;
    }
}

bool text_matches(const Term& term, std::string_view text) {
    const std::string_view value = sdk::view(term.value.s);
    switch (term.verb) {
        case JF_TERM_PREFIX: return text.starts_with(value);
        case JF_TERM_CONTAINS: return text.find(value) != std::string_view::npos;
        case JF_TERM_IN:
            return std::any_of(term.any.begin(), term.any.end(), [&](const jf_value& v) { return sdk::view(v.s) == text; });
        default: return compare(term.verb, text, value);
    }
}

}  // namespace

std::int64_t VectorColumn::place_of(std::string_view text) {
    const std::unique_lock lock(mutex_);
    if (const auto found = places_.find(text); found != places_.end()) return found->second;
    if (text.size() > longest_kept_text || text_bytes_ + text.size() > largest_dictionary) {
        kept_ = false;
        return 0;
    }
    text_bytes_ += text.size() + sizeof(std::string) + bytes_per_row_entry;
    const auto place = static_cast<std::int64_t>(texts_.size());
    places_.emplace(texts_.emplace_back(text), place);
    return place;
}

void VectorColumn::put(VectorChunk::Cells& cells, std::size_t place, const jf_value& value) {
    cells.values[place] = 0;
    if (value.type == JF_VALUE_NULL) {
        cells.nulls.fetch_or(std::uint64_t{1} << place, std::memory_order_relaxed);
        return;
    }
    if (type_ == JF_VALUE_BYTES || type_ == JF_VALUE_JSON) return;
    if (!is_text(type_)) cells.values[place] = cell_of(value);
    else if (kept_) cells.values[place] = place_of(sdk::view(value.s));
}

bool VectorColumn::answers(const Term& term) const {
    if (term.verb == JF_TERM_IS_NULL || term.verb == JF_TERM_NOT_NULL) return true;
    return type_ != JF_VALUE_BYTES && type_ != JF_VALUE_JSON && kept_;
}

std::size_t VectorColumn::bytes() const {
    const std::shared_lock lock(mutex_);
    return text_bytes_;
}

VectorColumn::Match::Match(const VectorColumn& column, const Term& term) : term_(term), type_(column.type_) {
    if (!is_text(type_) || term.verb == JF_TERM_IS_NULL || term.verb == JF_TERM_NOT_NULL) return;
    const std::shared_lock lock(column.mutex_);
    texts_.reserve(column.texts_.size());
    for (const std::string& text : column.texts_) texts_.push_back(text_matches(term, text));
}

bool VectorColumn::Match::matches(std::int64_t cell) const {
    // A text that came after this was made belongs to a slot that the view does not have.
    if (is_text(type_)) return static_cast<std::size_t>(cell) < texts_.size() && texts_[static_cast<std::size_t>(cell)];
    const bool real = type_ == JF_VALUE_REAL;
    const auto holds = [&](std::uint16_t verb, const jf_value& value) {
        return real ? compare(verb, std::bit_cast<double>(cell), value.f) : compare(verb, cell, value.i);
    };
    if (term_.verb != JF_TERM_IN) return holds(term_.verb, term_.value);
    return std::any_of(term_.any.begin(), term_.any.end(), [&](const jf_value& v) { return holds(JF_TERM_EQ, v); });
}

std::uint64_t VectorColumn::Match::operator()(const VectorChunk::Cells& cells, std::uint64_t word) const {
    const std::uint64_t nulls = cells.nulls.load(std::memory_order_relaxed);
    if (term_.verb == JF_TERM_IS_NULL) return word & nulls;
    word &= ~nulls;
    if (term_.verb == JF_TERM_NOT_NULL) return word;
    for (std::uint64_t left = word; left != 0; left &= left - 1) {
        const int place = std::countr_zero(left);
        if (!matches(cells.values[static_cast<std::size_t>(place)])) word &= ~(std::uint64_t{1} << place);
    }
    return word;
}

VectorSet::VectorSet(const Measure& measure, std::vector<std::uint16_t> column_types)
    : measure_(measure), chunks_(std::make_shared<std::vector<std::shared_ptr<VectorChunk>>>()) {
    for (const std::uint16_t type : column_types) columns_.emplace_back(type);
}

void VectorSet::put(std::int64_t row, const float* values, std::span<const jf_value> attributes) {
    const std::lock_guard lock(mutex_);
    const std::size_t place = slots_ % slots_per_chunk;
    if (place == 0) {
        auto grown = std::make_shared<std::vector<std::shared_ptr<VectorChunk>>>();
        grown->reserve(chunks_->size() + 1);
        *grown = *chunks_;
        grown->push_back(std::make_shared<VectorChunk>(measure_.dim, columns_.size()));
        chunks_ = std::move(grown);
    }
    VectorChunk& chunk = *chunks_->back();
    std::memcpy(chunk.values.get() + place * measure_.dim, values, measure_.dim * sizeof(float));
    chunk.facts[place] = encode(values, measure_.dim, chunk.codes.get() + place * measure_.dim);
    chunk.rows[place] = row;
    const jf_value null{};
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].put(chunk.columns[i], place, i < attributes.size() ? attributes[i] : null);

    const auto [entry, is_new] = slot_of_row_.try_emplace(row, static_cast<std::uint32_t>(slots_));
    if (!is_new) {
        const std::uint32_t old = std::exchange(entry->second, static_cast<std::uint32_t>(slots_));
        (*chunks_)[old / slots_per_chunk]->alive &= ~(std::uint64_t{1} << (old % slots_per_chunk));
    }
    chunk.alive |= std::uint64_t{1} << place;
    ++slots_;
}

void VectorSet::remove(std::int64_t row) {
    const std::lock_guard lock(mutex_);
    const auto found = slot_of_row_.find(row);
    if (found == slot_of_row_.end()) return;
    const std::uint32_t slot = found->second;
    (*chunks_)[slot / slots_per_chunk]->alive &= ~(std::uint64_t{1} << (slot % slots_per_chunk));
    slot_of_row_.erase(found);
}

VectorSet::View VectorSet::view() const {
    const std::lock_guard lock(mutex_);
    View view{chunks_, slots_, Bits(slots_), graph_, graph_ ? std::min(graph_->covered(), slots_) : 0};
    // Under the lock: between the death of a replaced vector's slot and the birth of its new one it would be nowhere.
    for (std::size_t i = 0; i < view.alive.words().size(); ++i) view.alive.words()[i] = (*chunks_)[i]->alive;
    return view;
}

bool VectorSet::filter(const View& view, const std::vector<Term>& where, Bits& bits) const {
    for (const Term& term : where) {
        const std::size_t column = term.field - JF_FIELD_FIRST;
        if (term.field < JF_FIELD_FIRST || column >= columns_.size() || !columns_[column].answers(term)) return false;
    }
    for (const Term& term : where) {
        const std::size_t column = term.field - JF_FIELD_FIRST;
        const VectorColumn::Match match(columns_[column], term);
        for (std::size_t i = 0; i < bits.words().size(); ++i)
            if (bits.words()[i] != 0) bits.words()[i] = match((*view.chunks)[i]->columns[column], bits.words()[i]);
        // Given up while the term was looked at: its cells mean nothing any more.
        if (!columns_[column].answers(term)) return false;
    }
    return true;
}

void VectorSet::keep_rows(const View& view, std::span<const std::int64_t> rows, Bits& bits) {
    for (std::size_t i = 0; i < bits.words().size(); ++i)
        for (std::uint64_t left = bits.words()[i]; left != 0; left &= left - 1) {
            const auto place = static_cast<std::size_t>(std::countr_zero(left));
            if (!std::binary_search(rows.begin(), rows.end(), (*view.chunks)[i]->rows[place])) bits.words()[i] &= ~(std::uint64_t{1} << place);
        }
}

void VectorSet::attach(std::shared_ptr<Graph> graph) {
    const std::lock_guard lock(mutex_);
    graph_ = std::move(graph);
}

bool VectorSet::has_graph() const {
    const std::lock_guard lock(mutex_);
    return graph_ != nullptr;
}

std::size_t VectorSet::uncovered() const {
    const std::lock_guard lock(mutex_);
    return slots_ - (graph_ ? std::min(graph_->covered(), slots_) : 0);
}

std::size_t VectorSet::rows() const {
    const std::lock_guard lock(mutex_);
    return slot_of_row_.size();
}

std::size_t VectorSet::dead() const {
    const std::lock_guard lock(mutex_);
    return slots_ - slot_of_row_.size();
}

std::size_t VectorSet::bytes_of_a_vector(std::size_t dim, std::size_t columns) {
    const std::size_t of_chunk = sizeof(VectorChunk) + columns * sizeof(VectorChunk::Cells) + 64;
    return dim * (sizeof(float) + sizeof(std::int8_t)) + of_chunk / slots_per_chunk + 1 + bytes_per_row_entry;
}

std::size_t VectorSet::bytes() const {
    const std::lock_guard lock(mutex_);
    const std::size_t per_chunk = slots_per_chunk * measure_.dim * (sizeof(float) + sizeof(std::int8_t)) + sizeof(VectorChunk) +
                                  columns_.size() * sizeof(VectorChunk::Cells) + 64;
    std::size_t total = chunks_->size() * per_chunk + slot_of_row_.size() * bytes_per_row_entry;
    for (const VectorColumn& column : columns_) total += column.bytes();
    return total + (graph_ ? graph_->bytes() : 0);
}

}  // namespace jackfield::sqlite
