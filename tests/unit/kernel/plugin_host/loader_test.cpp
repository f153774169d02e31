#include "plugin_host/loader.hpp"

#include <fstream>

#include "host_fixture.hpp"

namespace jackfield::plugin_host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const jf_host_v1 no_host{};

std::string refusal(const base::Result<std::shared_ptr<LoadedPlugin>>& result) { return result ? "loaded" : result.error().text(); }

Loader bad_plugins() { return Loader({test_plugins() / "bad"}, {}); }

/// A folder of its own, gone afterwards.
class Folder {
  public:
    Folder() {
        std::string path = (fs::temp_directory_path() / "jackfield-loader-XXXXXX").string();
        path_ = mkdtemp(path.data());
        fs::create_directories(path_ / "stt");
    }
    ~Folder() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

TEST(Loader, LoadsAPluginOnceHoweverOftenItIsAskedFor) {
    Loader loader({test_plugins()}, {});

    const auto first = loader.load("stt/test_null", no_host);
    const auto second = loader.load("stt/test_null", no_host);

    ASSERT_TRUE(first) << refusal(first);
    EXPECT_EQ(first->get(), second->get());
    EXPECT_EQ((*first)->file.descriptor.id, "stt/test_null");
}

TEST(Loader, RefusesAFileThatIsNoPlugin) {
    Folder folder;
    std::ofstream(folder.path() / "stt" / "text.so") << "not a shared object";
    std::ofstream(folder.path() / "stt" / "empty.so");
    Loader loader({folder.path()}, {});

    EXPECT_NE(refusal(loader.load("stt/text", no_host)).find("ELF"), std::string::npos) << refusal(loader.load("stt/text", no_host));
    EXPECT_FALSE(loader.load("stt/empty", no_host));
}

TEST(Loader, RefusesATruncatedPlugin) {
    Folder folder;
    const fs::path copy = folder.path() / "stt" / "test_null.so";
    fs::copy_file(test_plugins() / "stt" / "test_null.so", copy);
    fs::resize_file(copy, fs::file_size(copy) / 2);

    EXPECT_FALSE(Loader({folder.path()}, {}).load("stt/test_null", no_host));
}

TEST(Loader, RefusesAnotherMajorVersion) {
    const std::string text = refusal(bad_plugins().load("stt/test_major", no_host));

    EXPECT_NE(text.find("test_major.so"), std::string::npos) << text;
    EXPECT_NE(text.find("2"), std::string::npos) << text;
}

TEST(Loader, RefusesAPluginThatNeedsALaterMinorVersion) {
    const std::string text = refusal(bad_plugins().load("stt/test_minor", no_host));

    EXPECT_NE(text.find("1.7"), std::string::npos) << text;
}

TEST(Loader, RefusesASecondExportedSymbol) {
    const std::string text = refusal(bad_plugins().load("stt/test_exports", no_host));

    EXPECT_NE(text.find("test_null_extra"), std::string::npos) << text;
}

TEST(Loader, RefusesAFileUnderAnothersName) {
    Folder folder;
    fs::copy_file(test_plugins() / "stt" / "test_null.so", folder.path() / "stt" / "other.so");

    const std::string text = refusal(Loader({folder.path()}, {}).load("stt/other", no_host));

    EXPECT_NE(text.find("stt/test_null"), std::string::npos) << text;
}

TEST(Loader, FindsNothingOutsideItsPath) {
    Loader loader({test_plugins() / "bad"}, {});

    for (const char* id : {"../stt/test_null", "stt/../../stt/test_null", "/stt/test_null", "stt", "stt/", "STT/test_null", "stt/absent"})
        EXPECT_FALSE(loader.load(id, no_host)) << id;
}

TEST(Loader, LoadsOnlyListedFilesWhenToldSo) {
    const auto file = Loader({test_plugins()}, {}).inspect(test_plugins() / "stt" / "test_null.so");
    ASSERT_TRUE(file);
    TrustPolicy nobody{TrustPolicy::Mode::listed, {std::string(64, '0')}, {}, false};
    TrustPolicy listed{TrustPolicy::Mode::listed, {file->sha256}, {}, false};

    const auto refused = Loader({test_plugins()}, nobody).load("stt/test_null", no_host);
    const auto loaded = Loader({test_plugins()}, listed).load("stt/test_null", no_host);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), base::ErrorCode::auth);
    EXPECT_NE(refused.error().text().find(file->sha256), std::string::npos);
    EXPECT_TRUE(loaded) << refusal(loaded);
}

TEST(Loader, ListsGoodAndBadFiles) {
    const auto all = Loader({test_plugins(), test_plugins() / "bad"}, {}).list();

    int good = 0, bad = 0;
    for (const auto& [path, file] : all) (file ? good : bad)++;
    EXPECT_GE(good, 2);
    EXPECT_GE(bad, 3);
}

TEST(Loader, KeepsACopyThatOverwritingTheFileDoesNotTouch) {
    Folder folder;
    const fs::path path = folder.path() / "stt" / "test_null.so";
    fs::copy_file(test_plugins() / "stt" / "test_null.so", path);
    runtime::SimRuntime runtime(1);
    const auto network = net::make_network();
    Loader loader({folder.path()}, {});
    PluginHost host(runtime, *network, loader, {});
    InstanceSpec spec;
    spec.name = "it";
    spec.plugin = "stt/test_null";
    auto made = host.create(std::move(spec));
    ASSERT_TRUE(made);

    {
        // In place, as `cp` does it: the same inode, other bytes, and then none.
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        const std::string garbage(static_cast<std::size_t>(fs::file_size(path)), '\xcc');
        file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
    }
    fs::resize_file(path, 0);
    const SttPort port(**made);
    jf_frame frame = sdk::make<jf_frame>();
    frame.samples = 160;

    ASSERT_TRUE(port);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(port.push(1, frame), JF_OK);
}

}  // namespace
}  // namespace jackfield::plugin_host
