#include "plugin_kit/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "kit_fixture.hpp"

namespace jackfield::plugin_kit {
namespace {

using testing::HasSubstr;

/// An archive with one entry of any kind, as others may make it.
std::string foreign_archive(const char* path, unsigned type, const char* link = nullptr, bool twice = false) {
    std::string out(1u << 16, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    archive_write_add_filter_gzip(writer);
    archive_write_set_format_pax_restricted(writer);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, path);
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, 0644);
        if (link) archive_entry_set_symlink(entry, link);
        archive_entry_set_size(entry, type == AE_IFREG ? 1 : 0);
        archive_write_header(writer, entry);
        if (type == AE_IFREG) archive_write_data(writer, "x", 1);
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

TEST(Archive, GivesBackWhatWasWritten) {
    const std::vector<Entry> entries{{"manifest.json", "{}"}, {"x86-64/acme.so", std::string(300000, '\7')}, {"README.md", ""}};
    const auto bytes = write_archive(entries);
    ASSERT_TRUE(bytes);
    const auto again = read_archive(bytes_of(*bytes));
    ASSERT_TRUE(again) << again.error().text();
    ASSERT_EQ(again->size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        EXPECT_EQ((*again)[i].path, entries[i].path);
        EXPECT_EQ((*again)[i].bytes, entries[i].bytes);
    }
}

TEST(Archive, HasTheSameBytesEachTime) {
    const std::vector<Entry> entries{{"manifest.json", "{}"}, {"README.md", "read me"}};
    EXPECT_EQ(*write_archive(entries), *write_archive(entries));
}

TEST(Archive, HoldsNothingThatLeadsOutOfIt) {
    for (const char* path : {"../evil", "/etc/passwd", "a/../../b", "a//b", "a/./b", ".hidden", "a\\b", "a b", ""}) {
        EXPECT_FALSE(is_plain_path(path)) << path;
        if (*path == '\0') continue; // libarchive itself writes no such entry
        EXPECT_THAT(read_archive(bytes_of(foreign_archive(path, AE_IFREG))).error().text(), HasSubstr("no plain relative path")) << path;
    }
    EXPECT_THAT(read_archive(bytes_of(foreign_archive("link", AE_IFLNK, "/etc/passwd"))).error().text(), HasSubstr("something else than a file"));
    EXPECT_FALSE(read_archive(bytes_of(foreign_archive("device", AE_IFCHR))));
    EXPECT_FALSE(read_archive(bytes_of(foreign_archive("pipe", AE_IFIFO))));
    EXPECT_THAT(read_archive(bytes_of(foreign_archive("a", AE_IFREG, nullptr, true))).error().text(), HasSubstr("'a' twice"));
}

TEST(Archive, StaysWithinItsLimits) {
    // 16 MiB of zeros fold to a few kilobytes.
    const auto bomb = write_archive({{"zeros", std::string(16u << 20, '\0')}});
    EXPECT_LT(bomb->size(), 100000u);
    ArchiveLimits limits;
    limits.entry_bytes = 1u << 20;
    EXPECT_THAT(read_archive(bytes_of(*bomb), limits).error().text(), HasSubstr("holds more"));
    limits = {};
    limits.total_bytes = 1000;
    EXPECT_FALSE(read_archive(bytes_of(*write_archive({{"a", std::string(600, 'a')}, {"b", std::string(600, 'b')}})), limits));
    limits = {};
    limits.entries = 2;
    EXPECT_FALSE(read_archive(bytes_of(*write_archive({{"a", ""}, {"b", ""}, {"c", ""}})), limits));
}

TEST(Archive, IsRefusedWhenItIsDamaged) {
    const auto good = write_archive({{"a", std::string(5000, 'a')}, {"b", "b"}});
    EXPECT_FALSE(read_archive(bytes_of("")));
    EXPECT_FALSE(read_archive(bytes_of("PK\3\4 is a zip")));
    EXPECT_FALSE(read_archive(bytes_of(good->substr(0, good->size() / 2))));
}

}  // namespace
}  // namespace jackfield::plugin_kit
