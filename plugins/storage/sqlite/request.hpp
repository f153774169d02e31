#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <jackfield/records.h>

#include "failure.hpp"
#include "schema.hpp"

// What a caller asks, read from the C structs and checked against the declared collection. Text stays borrowed: these live within one call.

namespace jackfield::sqlite {

struct Term {
    std::uint16_t field = 0;
    std::uint16_t verb = 0;
    jf_value value{};
    std::vector<jf_value> any;  // of IN
    std::string words;          // of TEXT: FTS5's expression, empty when it matches nothing
    struct Via {
        std::uint16_t reference = 0;  // 0: the collection's own field
        Catalogue::Entry target;
        std::string_view tenant;  // of the target
    } via;
};

struct Edit {
    std::uint16_t field = 0;
    std::uint16_t verb = 0;
    jf_value value{};
};

struct QueryRequest {
    Catalogue::Entry collection;
    std::string_view tenant;
    std::vector<Term> where;
    std::vector<jf_order> order;
    std::vector<std::uint16_t> group;
    /// Every field of the collection, then of the included ones, when it is empty.
    struct Column {
        std::uint16_t field;
        int include;  // position in `include`, -1: the collection's own
    };
    std::vector<Column> columns;
    bool ranked = false;  // RANK stands in order or columns
    struct Include {
        std::uint16_t field;
        Catalogue::Entry target;
    };
    std::vector<Include> include;
    std::vector<jf_aggregate> aggregates;
    std::vector<std::int64_t> edges;
    std::string_view raw_tenant;  // for included tenant-scoped collections of a host-scoped one
    std::string_view cursor;
    std::uint32_t limit = 0;
};

struct WriteRequest {
    Catalogue::Entry collection;
    std::uint32_t verb = 0;
    std::string_view tenant, id;
    std::uint64_t expect_rev = 0;
    std::uint32_t flags = 0;
    std::vector<Edit> values, edits;
    std::vector<Term> where, fair_busy;
    std::uint16_t fair_by = 0;
    std::uint32_t fair_most = 0;
    std::vector<jf_order> order;
    const Index* unique = nullptr;  // of `collection`
    std::uint32_t limit = 0;
};

/// Each throws StoreFailure, INVALID most times, naming the field at fault.
QueryRequest read_query(const jf_query* query, const Catalogue& catalogue);
WriteRequest read_write(const jf_write* write, const Catalogue& catalogue);
/// Without number; names and types checked.
Collection read_collection(const jf_collection* collection);

/// The struct as this plugin knows it: what is shorter is zero-filled, what is longer must have a zero tail.
template <typename T>
T read_struct(const T* given, const char* what) {
    if (!given) invalid(std::string(what) + " is missing");
    const std::size_t size = given->struct_size;
    if (size < sizeof given->struct_size) invalid(std::string(what) + " has no struct_size");
    T out{};
    std::memcpy(&out, given, size < sizeof out ? size : sizeof out);
    const auto* tail = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof out; i < size; ++i)
        if (tail[i] != 0) throw StoreFailure(JF_E_TOO_NEW, std::string(what) + " carries fields that this plugin does not know");
    out.struct_size = sizeof out;
    return out;
}

void check_array(const jf_array& array, std::size_t least_stride, std::uint32_t most, const char* what);

/// Array elements that begin with their struct_size.
template <typename T>
std::vector<T> read_structs(const jf_array& array, std::uint32_t most, const char* what) {
    check_array(array, sizeof(std::uint32_t), most, what);
    std::vector<T> out;
    out.reserve(array.n);
    for (std::uint32_t i = 0; i < array.n; ++i) {
        const T* element = JF_AT(T, array, i);
        if (element->struct_size > array.stride) invalid(std::string(what) + ": an element is longer than the stride");
        out.push_back(read_struct(element, what));
    }
    return out;
}

template <typename T>
std::vector<T> read_plain(const jf_array& array, std::uint32_t most, const char* what) {
    check_array(array, sizeof(T), most, what);
    std::vector<T> out;
    out.reserve(array.n);
    for (std::uint32_t i = 0; i < array.n; ++i) out.push_back(*JF_AT(T, array, i));
    return out;
}

/// UTF-8 without zero bytes; INVALID names `what`.
std::string_view read_text(jf_str text, std::string_view what);

}  // namespace jackfield::sqlite
