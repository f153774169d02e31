#include "search.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace jackfield::sqlite {
namespace {

/// As a string of FTS5's: quotes are doubled, nothing else has a meaning.
std::string fts_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Splits at spaces; what stands in quotes stays together. A star at the end is kept apart.
struct Piece {
    std::string_view text;
    bool prefix = false;
};
std::vector<Piece> pieces_of(std::string_view words) {
    std::vector<Piece> out;
    for (std::size_t i = 0; i < words.size();) {
        if (is_space(words[i])) {
            ++i;
            continue;
        }
        std::size_t end = i;
        if (words[i] == '"') {
            end = words.find('"', ++i);
            if (end == std::string_view::npos) end = words.size();
            out.push_back({words.substr(i, end - i)});
            i = end + 1;
            continue;
        }
        while (end < words.size() && !is_space(words[end]) && words[end] != '"') ++end;
        std::string_view word = words.substr(i, end - i);
        const bool prefix = word.ends_with('*');
        while (word.ends_with('*')) word.remove_suffix(1);
        out.push_back({word, prefix});
        i = end;
    }
    return out;
}

bool has_letter_or_digit(std::string_view text) {
    // Beyond ASCII FTS5's tokenizer decides; a phrase that it finds empty drops out of the expression.
    for (const char c : text)
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || static_cast<unsigned char>(c) >= 0x80) return true;
    return false;
}

std::vector<const Field*> searchable(const Collection& collection) {
    std::vector<const Field*> out;
    for (const Field& field : collection.fields)
        if (field.searchable()) out.push_back(&field);
    return out;
}

std::string listed(const std::vector<const Field*>& fields, std::string_view prefix) {
    std::string out = std::string(prefix) + "_tenant";
    for (const Field* field : fields) out += ", " + std::string(prefix) + field->column;
    return out;
}

}  // namespace

std::string search_table(const Collection& collection) { return quoted(collection.name + "#text"); }

std::string match_words(const Field* field, std::string_view words) {
    std::string all;
    for (const Piece& piece : pieces_of(words)) {
        if (!has_letter_or_digit(piece.text)) continue;
        // By spaces and not by AND: what the tokenizer finds empty (an emoji) then drops out instead of matching nothing.
        if (!all.empty()) all += ' ';
        all += fts_string(piece.text);
        if (piece.prefix) all += '*';
    }
    if (all.empty()) return {};
    return (field ? field->column + " : (" : std::string("- \"_tenant\" : (")) + all + ")";
}

std::string match_in_tenant(std::string_view tenant, const std::string& expression) {
    const bool has_token = std::any_of(tenant.begin(), tenant.end(), [](unsigned char c) { return c < 0x80 && std::isalnum(c); });
    if (!has_token || expression.empty()) return expression;
    return "(\"_tenant\" : " + fts_string(tenant) + ") AND (" + expression + ")";
}

void drop_search(Connection& writer, const Collection& collection) {
    for (const char* suffix : {"#text+", "#text-", "#text="})
        writer.execute("DROP TRIGGER IF EXISTS " + quoted(collection.name + suffix));
    writer.execute("DROP TABLE IF EXISTS " + search_table(collection));
}

void make_search(Connection& writer, const Collection& collection) {
    drop_search(writer, collection);
    const std::vector<const Field*> fields = searchable(collection);
    if (fields.empty()) return;
    const std::string index = search_table(collection);
    const std::string table = collection.table();
    const std::string columns = listed(fields, "");
    writer.execute("CREATE VIRTUAL TABLE " + index + " USING fts5(" + columns + ", content='" + collection.name +
                   "', content_rowid='_row', tokenize='unicode61 remove_diacritics 2')");
    const std::string add = "INSERT INTO " + index + "(rowid, " + columns + ") VALUES (new._row, " + listed(fields, "new.") + "); ";
    const std::string remove =
        "INSERT INTO " + index + "(" + index + ", rowid, " + columns + ") VALUES ('delete', old._row, " + listed(fields, "old.") + "); ";
    const auto trigger = [&](const char* suffix, const std::string& when, const std::string& body) {
        writer.execute("CREATE TRIGGER " + quoted(collection.name + suffix) + " AFTER " + when + " ON " + table + " BEGIN " + body + "END");
    };
    trigger("#text+", "INSERT", add);
    trigger("#text-", "DELETE", remove);
    trigger("#text=", "UPDATE OF " + columns, remove + add);
    writer.execute("INSERT INTO " + index + "(" + index + ") VALUES ('rebuild')");
}

void compact_search(Connection& writer, const Collection& collection) {
    if (searchable(collection).empty()) return;
    const std::string index = search_table(collection);
    writer.execute("INSERT INTO " + index + "(" + index + ") VALUES ('optimize')");
}

}  // namespace jackfield::sqlite
