// What callers of the record stores write freely: words to search for, JSON, arrays of numbers to add up, and cursors of storage/example. Words must
// never become syntax of FTS5; an array that is accepted must come out of itself again; what is made of JSON is JSON.

#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "plugins/storage/example/journal.hpp"
#include "plugins/storage/example/json_text.hpp"
#include "plugins/storage/example/words.hpp"
#include "plugins/storage/sqlite/number_arrays.hpp"
#include "plugins/storage/sqlite/search.hpp"

namespace {

sqlite3_stmt* make_search() {
    sqlite3* handle = nullptr;
    sqlite3_open(":memory:", &handle);
    sqlite3_exec(handle,
                 "CREATE VIRTUAL TABLE f USING fts5(_tenant, \"said\", tokenize='unicode61 remove_diacritics 2');"
                 "INSERT INTO f VALUES ('acme', 'the quick brown fox'), ('other', 'AND OR NOT near')",
                 nullptr, nullptr, nullptr);
    sqlite3_stmt* search = nullptr;
    if (sqlite3_prepare_v2(handle, "SELECT count(*) FROM f WHERE f MATCH ?", -1, &search, nullptr) != SQLITE_OK) std::abort();
    return search;
}

void search_for(const std::string& expression) {
    static sqlite3_stmt* const search = make_search();
    if (expression.empty()) return;
    sqlite3_bind_text(search, 1, expression.data(), static_cast<int>(expression.size()), SQLITE_TRANSIENT);
    if (sqlite3_step(search) != SQLITE_ROW) std::abort();
    sqlite3_reset(search);
}

void read_as_the_example_does(const std::string& bytes) {
    if (example::is_json(bytes)) {
        const auto longer = example::with_element(bytes, bytes);
        if (longer && !example::is_json(*longer)) std::abort();
    }
    if (const auto sum = example::added_up(bytes, "[]"))
        if (!example::is_number_array(*sum) || example::added_up(*sum, "[]") != sum) std::abort();
    const auto words = example::words_of(bytes);
    for (const example::Phrase& phrase : example::read_phrases(bytes))
        if (phrase.words.empty() || example::times(phrase, words) > words.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield::sqlite;
    const std::string bytes(reinterpret_cast<const char*>(data), size);
    // Requests with zero bytes are refused before.
    if (bytes.find('\0') == std::string::npos) {
        Field said;
        said.column = quoted("said");
        search_for(match_in_tenant("acme", match_words(&said, bytes)));
        search_for(match_in_tenant(bytes, match_words(nullptr, bytes)));
    }
    if (const auto array = NumberArray::parse(bytes)) {
        const std::string json = array->json();
        const auto again = NumberArray::parse(json);
        if (!again || again->json() != json) std::abort();
    }
    read_as_the_example_does(bytes);
    try {
        for (example::Unpacker in(bytes); !in.at_end();) in.value();
    } catch (const jackfield::sdk::Failure&) {
    }
    return 0;
}
