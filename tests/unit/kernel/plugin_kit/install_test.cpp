#include "plugin_kit/install.hpp"

#include <sys/stat.h>

#include "kit_fixture.hpp"

namespace jackfield::plugin_kit {
namespace {

using plugin_host::Loader;
using plugin_host::TrustPolicy;
using testing::AllOf;
using testing::HasSubstr;

class Installing : public testing::Test {
  protected:
    base::Result<Installed> install(const Package& package, bool force = false) {
        // As a host would get it: through the archive.
        const auto read = read_package(bytes_of(archive_of(package)));
        if (!read) return read.error();
        return plugin_kit::install(*read, {folder_.path(), trust_, force});
    }
    static Package signed_by(const plugin_host::PrivateKey& key, std::string_view version = "1.0.0") {
        Package package = package_of(version);
        EXPECT_TRUE(sign_package(package, key));
        return package;
    }
    /// The version that a host would load, or why it would not.
    std::string loadable() {
        const Loader loader({folder_.path()}, trust_);
        const auto found = loader.inspect_found(place());
        return found ? found->descriptor.version : found.error().text();
    }
    fs::path place() const { return folder_ / "stt/test_null.so"; }

    Folder folder_;
    TrustPolicy trust_;
};

TEST_F(Installing, PutsThePluginItsManifestAndDocumentsInPlace) {
    const auto done = install(package_of());
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->file, place());
    EXPECT_EQ(done->version, "1.0.0");
    EXPECT_EQ(done->replaced_version, "");
    EXPECT_EQ(done->signer, "");
    EXPECT_EQ(loadable(), "1.0.0");
    EXPECT_EQ(text_of(folder_ / "stt/test_null/README.md"), "How to use it\n");
    EXPECT_EQ(text_of(folder_ / "stt/test_null/LICENSE"), "MIT\n");
    EXPECT_TRUE(parse_manifest(text_of(folder_ / "stt/test_null/manifest.json")));
    // Nothing but what belongs there: no half-written file stays.
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) EXPECT_NE(entry.path().filename().string().front(), '.') << entry.path();
}

TEST_F(Installing, IsTheSameTwice) {
    ASSERT_TRUE(install(package_of()));
    const auto again = install(package_of());
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(again->unchanged);
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST_F(Installing, ReplacesAnOlderVersion) {
    ASSERT_TRUE(install(package_of("1.9.0")));
    const auto done = install(package_of("1.9.1"));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->replaced_version, "1.9.0");
    EXPECT_EQ(loadable(), "1.9.1");
}

TEST_F(Installing, RefusesAnOlderVersionUnlessForced) {
    ASSERT_TRUE(install(package_of("1.9.1")));
    EXPECT_THAT(install(package_of("1.9.0")).error().text(), AllOf(HasSubstr("a later version stands there, 1.9.1"), HasSubstr("offered: 1.9.0"), HasSubstr("--force")));
    EXPECT_EQ(loadable(), "1.9.1");
    EXPECT_TRUE(install(package_of("1.9.0"), true));
    EXPECT_EQ(loadable(), "1.9.0");
}

TEST_F(Installing, RefusesAnotherFileOfTheSameVersionUnlessForced) {
    ASSERT_TRUE(install(package_of()));
    std::string changed = text_of(place());
    changed.push_back('\n');
    folder_.write("stt/test_null.so", changed);
    EXPECT_THAT(install(package_of()).error().text(), HasSubstr("another file of the same version"));
    folder_.write("stt/test_null.so", "not a plugin");
    EXPECT_THAT(install(package_of()).error().text(), HasSubstr("no plugin of this host's"));
    EXPECT_TRUE(install(package_of(), true));
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST_F(Installing, RefusesAPackageForOtherMachines) {
    Package package = package_of();
    std::erase_if(package.manifest.plugins, [](const PackedFile& file) { return file.arch == "x86-64"; });
    std::erase_if(package.files, [](const Entry& entry) { return entry.path == "x86-64/test_null.so"; });
    package.manifest_text = manifest_json(package.manifest);
    EXPECT_THAT(install(package).error().text(), AllOf(HasSubstr("wanted: x86-64; offered: AArch64"), HasSubstr("remedy")));
    EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Installing, BelievesTheFileAndNotTheManifest) {
    Package package = package_of();
    package.manifest.version = "9.9.9";
    package.manifest_text = manifest_json(package.manifest);
    EXPECT_THAT(install(package).error().text(), HasSubstr("it is stt/test_null 1.0.0, and the manifest says stt/test_null 9.9.9"));
    package = package_of();
    package.manifest.id = "stt/other";
    package.manifest_text = manifest_json(package.manifest);
    EXPECT_FALSE(install(package));
}

TEST_F(Installing, TakesWhatATrustedKeySignedAndTheHostLoadsIt) {
    const auto vendor = new_key();
    trust_.mode = TrustPolicy::Mode::by_signature;
    trust_.keys = {vendor.public_key()};
    const auto done = install(signed_by(vendor));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->signer, vendor.public_key().id());
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST_F(Installing, RefusesTheUnsignedAndTheStranger) {
    const auto vendor = new_key(), stranger = new_key();
    trust_.mode = TrustPolicy::Mode::by_signature;
    trust_.keys = {vendor.public_key()};
    EXPECT_THAT(install(package_of()).error().text(), AllOf(HasSubstr("stt/test_null: it is not signed"), HasSubstr("remedy")));
    EXPECT_THAT(install(signed_by(stranger)).error().text(), HasSubstr("signed by key " + stranger.public_key().id() + ", which is not in"));
    EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Installing, RefusesAManifestThatWasChangedAfterItWasSigned) {
    const auto vendor = new_key();
    Package package = signed_by(vendor);
    package.manifest.vendor = "Somebody else";
    package.manifest_text = manifest_json(package.manifest);
    EXPECT_THAT(install(package).error().text(), HasSubstr("does not fit")) << "under any trust";
    trust_.mode = TrustPolicy::Mode::by_signature;
    trust_.keys = {vendor.public_key()};
    EXPECT_THAT(install(package).error().text(), HasSubstr("does not fit"));
}

TEST_F(Installing, RefusesAFileWithTheSignatureOfAnother) {
    Package package = signed_by(new_key());
    package.signatures.front().bytes = signed_by(new_key(), "1.0.1").signatures.front().bytes;
    EXPECT_THAT(install(package).error().text(), AllOf(HasSubstr("x86-64/test_null.so"), HasSubstr("is of another file"))) << "under any trust";
    EXPECT_FALSE(fs::exists(place()));
}

TEST_F(Installing, IsLoadedOnlyWhileFileAndSignatureFit) {
    const auto vendor = new_key();
    trust_.mode = TrustPolicy::Mode::by_signature;
    trust_.keys = {vendor.public_key()};
    ASSERT_TRUE(install(signed_by(vendor)));
    std::string changed = text_of(place());
    changed.push_back('\n');
    folder_.write("stt/test_null.so", changed);
    EXPECT_THAT(loadable(), AllOf(HasSubstr("test_null.so"), HasSubstr("does not fit"), HasSubstr("remedy")));
    fs::remove(place().string() + ".sig");
    EXPECT_THAT(loadable(), HasSubstr("it is not signed"));
}

TEST_F(Installing, KeepsTheOldFileLoadableUntilTheNewOneStands) {
    const auto vendor = new_key();
    trust_.mode = TrustPolicy::Mode::by_signature;
    trust_.keys = {vendor.public_key()};
    ASSERT_TRUE(install(signed_by(vendor, "1.0.0")));
    const std::string old_file = text_of(place());
    const std::string old_signature = text_of(place().string() + ".sig");
    ASSERT_TRUE(install(signed_by(vendor, "1.0.1")));
    EXPECT_EQ(loadable(), "1.0.1");
    // What stands there between the two steps: both signatures, and either file.
    folder_.write("stt/test_null.so.sig", text_of(place().string() + ".sig") + old_signature);
    EXPECT_EQ(loadable(), "1.0.1");
    folder_.write("stt/test_null.so", old_file);
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST_F(Installing, TakesWhatIsListedAndNothingElse) {
    trust_.mode = TrustPolicy::Mode::listed;
    EXPECT_THAT(install(package_of()).error().text(), HasSubstr("is not in [host] trusted"));
    trust_.sha256 = {package_of().manifest.plugin_for("x86-64")->sha256};
    ASSERT_TRUE(install(package_of()));
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST_F(Installing, LeavesWhatStoodThereWhenItFails) {
    ASSERT_TRUE(install(package_of("1.0.0")));
    fs::remove_all(folder_ / "stt/test_null");
    folder_.write("stt/test_null", "a file where the documents' folder should be");
    EXPECT_FALSE(install(package_of("1.0.1")));
    EXPECT_EQ(loadable(), "1.0.0");
}

TEST(Files, HaveExactlyTheirMode) {
    const Folder folder;
    ASSERT_TRUE(create_file(folder / "key", "secret", 0600));
    ASSERT_TRUE(replace_file(folder / "plugin", "x"));
    struct stat info {};
    ASSERT_EQ(::stat((folder / "key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    ASSERT_EQ(::stat((folder / "plugin").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0644u);
    EXPECT_FALSE(create_file(folder / "key", "another", 0600)) << "a key is not written over";
    EXPECT_FALSE(read_file(folder.path(), 100));
    EXPECT_FALSE(read_file(folder / "key", 3));
}

}  // namespace
}  // namespace jackfield::plugin_kit
