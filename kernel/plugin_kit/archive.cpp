#include "plugin_kit/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace jackfield::plugin_kit {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t longest_path = 120;

struct FreeReader {
    void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeWriter {
    void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
};

Error damaged(std::string what) { return Error(ErrorCode::invalid, "the archive " + std::move(what)); }

std::string text_of(archive* a) {
    const char* text = archive_error_string(a);
    return text ? text : "unknown error";
}

/// The limit stands against archives that unfold to more than they show.
Result<std::string> read_data(archive* reader, const std::string& path, std::size_t most) {
    std::string out;
    std::array<char, 65536> buffer;
    while (true) {
        const la_ssize_t n = archive_read_data(reader, buffer.data(), buffer.size());
        if (n == 0) return out;
        if (n < 0) return damaged("is damaged at '" + path + "': " + text_of(reader));
        if (out.size() + static_cast<std::size_t>(n) > most) return damaged("holds more at '" + path + "' than a package may");
        out.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

Result<Entry> read_entry(archive* reader, archive_entry* entry, std::size_t most) {
    const char* const name = archive_entry_pathname(entry);
    Entry out;
    out.path = name ? name : "";
    if (!is_plain_path(out.path)) return damaged("names a file that is no plain relative path: '" + out.path.substr(0, longest_path) + "'");
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || archive_entry_symlink(entry))
        return damaged("holds something else than a file: '" + out.path + "'");
    auto data = read_data(reader, out.path, most);
    if (!data) return data.error();
    out.bytes = std::move(*data);
    return out;
}

}  // namespace

bool is_plain_path(std::string_view path) {
    if (path.empty() || path.size() > longest_path || path.front() == '/' || path.back() == '/') return false;
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
    });
    for (std::size_t begin = 0; plain && begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part.front() == '.') return false;
        begin = end + 1;
    }
    return plain;
}

Result<std::vector<Entry>> read_archive(std::span<const std::byte> bytes, const ArchiveLimits& limits) {
    const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
    // Only what write_archive() makes: each further format is a parser more that a stranger's file meets.
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_format_tar(reader.get());
    if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) return damaged("is no gzipped tar archive: " + text_of(reader.get()));
    std::vector<Entry> out;
    std::set<std::string> seen;
    std::size_t left = limits.total_bytes;
    while (true) {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(reader.get(), &entry);
        if (status == ARCHIVE_EOF) break;
        if (status != ARCHIVE_OK) return damaged("is damaged: " + text_of(reader.get()));
        if (out.size() == limits.entries) return damaged("holds more than " + std::to_string(limits.entries) + " files");
        auto read = read_entry(reader.get(), entry, std::min(left, limits.entry_bytes));
        if (!read) return read.error();
        if (!seen.insert(read->path).second) return damaged("holds '" + read->path + "' twice");
        left -= read->bytes.size();
        out.push_back(std::move(*read));
    }
    if (out.empty()) return damaged("is empty");
    return out;
}

Result<std::string> write_archive(const std::vector<Entry>& entries) {
    const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
    archive_write_add_filter_gzip(writer.get());
    archive_write_set_format_ustar(writer.get());
    archive_write_set_options(writer.get(), "gzip:!timestamp");
    std::string out;
    const auto append = [](archive*, void* to, const void* data, size_t n) -> la_ssize_t {
        static_cast<std::string*>(to)->append(static_cast<const char*>(data), n);
        return static_cast<la_ssize_t>(n);
    };
    archive_write_set_bytes_in_last_block(writer.get(), 1);
    if (archive_write_open(writer.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK) return damaged("can't be begun: " + text_of(writer.get()));
    for (const Entry& entry : entries) {
        const std::unique_ptr<archive_entry, FreeEntry> header(archive_entry_new());
        archive_entry_set_pathname(header.get(), entry.path.c_str());
        archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.bytes.size()));
        archive_entry_set_filetype(header.get(), AE_IFREG);
        archive_entry_set_perm(header.get(), 0644);
        archive_entry_set_mtime(header.get(), 0, 0);
        if (archive_write_header(writer.get(), header.get()) != ARCHIVE_OK ||
            archive_write_data(writer.get(), entry.bytes.data(), entry.bytes.size()) != static_cast<la_ssize_t>(entry.bytes.size()))
            return damaged("can't be written: " + text_of(writer.get()));
    }
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return damaged("can't be finished: " + text_of(writer.get()));
    return out;
}

}  // namespace jackfield::plugin_kit
