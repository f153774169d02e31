#include "plugin_kit/package.hpp"

#include "kit_fixture.hpp"

namespace jackfield::plugin_kit {
namespace {

using testing::HasSubstr;

TEST(Package, SaysWhatItsPluginFilesSay) {
    const Package package = package_of("1.2.3");
    EXPECT_EQ(package.manifest.id, "stt/test_null");
    EXPECT_EQ(package.manifest.version, "1.2.3");
    EXPECT_EQ(package.manifest.abi_major, 1u);
    ASSERT_NE(package.manifest.plugin_for("x86-64"), nullptr);
    ASSERT_NE(package.manifest.plugin_for("AArch64"), nullptr);
    EXPECT_EQ(package.manifest.plugin_for("AArch64")->path, "AArch64/test_null.so");
}

TEST(Package, IsReadBackWithItsSignatures) {
    Package package = package_of();
    const auto key = new_key();
    ASSERT_TRUE(sign_package(package, key));
    const auto again = read_package(bytes_of(archive_of(package)));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->manifest_text, package.manifest_text);
    EXPECT_TRUE(plugin_host::find_signer(again->manifest_signatures, plugin_host::Signed::package, again->manifest_text, {key.public_key()}));
    const PackedFile& file = *again->manifest.plugin_for("x86-64");
    EXPECT_TRUE(plugin_host::find_signer(again->signatures_of(file), plugin_host::Signed::plugin_file, file.sha256, {key.public_key()}));
}

TEST(Package, IsRefusedWhenAFileIsNotWhatTheManifestSays) {
    Package package = package_of();
    package.files.front().bytes.back() ^= 1;
    EXPECT_THAT(read_package(bytes_of(archive_of(package))).error().text(), HasSubstr("holds another 'x86-64/test_null.so' than its manifest names"));
}

TEST(Package, IsRefusedWithAFileMoreOrLess) {
    Package more = package_of();
    more.files.push_back({"x86-64/extra.so", "x"});
    EXPECT_THAT(read_package(bytes_of(archive_of(more))).error().text(), HasSubstr("'x86-64/extra.so', which its manifest does not name"));
    Package less = package_of();
    less.files.pop_back();
    EXPECT_THAT(read_package(bytes_of(archive_of(less))).error().text(), HasSubstr("lacks 'LICENSE'"));
}

TEST(Package, IsRefusedWhenItIsSomeOtherArchive) {
    EXPECT_THAT(read_package(bytes_of(*write_archive({{"README.md", "x"}}))).error().text(), HasSubstr("does not begin with manifest.json"));
    EXPECT_THAT(read_package(bytes_of(*write_archive({{"manifest.json", R"({"jackfield_package":2})"}}))).error().text(), HasSubstr("offered: 2"));
}

TEST(Package, IsMadeOfOnePluginOnly) {
    const Folder folder;
    const fs::path readme = folder.write("README.md", "x"), licence = folder.write("LICENSE", "x");
    const fs::path one = folder.write("one.so", plugin_bytes("1.0.0")), two = folder.write("two.so", plugin_bytes("1.0.1", EM_AARCH64));
    EXPECT_THAT(make_package({{one, two}, readme, licence}).error().text(), HasSubstr("it is stt/test_null 1.0.1, and the package is of stt/test_null 1.0.0"));
    EXPECT_THAT(make_package({{one, one}, readme, licence}).error().text(), HasSubstr("a file for x86-64 is in the package already"));
    EXPECT_THAT(make_package({{folder.write("no.so", "text")}, readme, licence}).error().text(), HasSubstr("no.so"));
    EXPECT_THAT(make_package({{one}, folder / "none.md", licence}).error().text(), HasSubstr("none.md"));
}

TEST(Manifest, IsReadBackAsItWasWritten) {
    const Package package = package_of();
    const auto again = parse_manifest(manifest_json(package.manifest));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(manifest_json(*again), package.manifest_text);
}

TEST(Manifest, IsRefusedWithWhatCouldDoHarm) {
    const std::string good = package_of().manifest_text;
    const auto spoilt = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return text.replace(at, from.size(), to);
    };
    EXPECT_FALSE(parse_manifest(spoilt("stt/test_null", "../stt/test_null")));
    EXPECT_FALSE(parse_manifest(spoilt("stt/test_null", "stt/..")));
    EXPECT_FALSE(parse_manifest(spoilt("\"AArch64/test_null.so\"", "\"x86-64/test_null.so\"")));
    EXPECT_FALSE(parse_manifest(spoilt("\"README.md\"", "\"/etc/passwd\"")));
    EXPECT_FALSE(parse_manifest(spoilt("\"README.md\"", "\"../README.md\"")));
    EXPECT_FALSE(parse_manifest(spoilt("\"arch\":\"AArch64\"", "\"arch\":\"x86-64\"")));
    EXPECT_FALSE(parse_manifest(spoilt("\"sha256\":\"", "\"sha256\":\"X")));
    EXPECT_FALSE(parse_manifest(spoilt("\"version\":\"1.0.0\"", "\"version\":\"\"")));
    EXPECT_FALSE(parse_manifest("[]"));
}

}  // namespace
}  // namespace jackfield::plugin_kit
