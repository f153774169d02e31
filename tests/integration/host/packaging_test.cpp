// Keys, signatures, packages and the trust policy, with the real program.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class Packaging : public testing::Test {
  protected:
    Packaging() {
        fs::copy_file(fs::path(JACKFIELD_BINARY_DIR) / "test_plugins/stt/test_null.so", folder_.path() / "test_null.so");
        folder_.write("README.md", "Hears nothing.\n");
        folder_.write("LICENSE", "Apache-2.0\n");
        folder_.write("own/.keep", "");
    }
    std::string path(const char* name) const { return (folder_.path() / name).string(); }
    HostFolder::Ran plugin(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "plugin");
        return folder_.jackfield(std::move(arguments));
    }
    /// A new pair; answers the public half as a configuration has it.
    std::string keygen(const char* name) const {
        const auto ran = plugin({"keygen", path(name)});
        EXPECT_EQ(ran.code, 0) << ran.err;
        std::string key = text_of(path(name) + ".pub");
        while (!key.empty() && key.back() == '\n') key.pop_back();
        return key;
    }
    HostFolder::Ran pack(const char* key = nullptr) const {
        std::vector<std::string> arguments{"pack", path("test_null.so"), "-o", path("null.jfp"), "--readme", path("README.md"), "--licence", path("LICENSE")};
        if (key) arguments.insert(arguments.end(), {"--key", path(key)});
        return plugin(arguments);
    }
    /// The host's file with the copied plugins, an own folder before them, and these lines in [host].
    void configure(const std::string& more) {
        folder_.write_host();
        std::string text = text_of(folder_.config());
        text.insert(text.find("[host]\n") + 7, more);
        const std::size_t plugins = text.find("plugins = [") + 11;
        text.insert(plugins, "\"" + path("own") + "\", ");
        folder_.write("jackfield.toml", text);
    }

    HostFolder folder_;
};

TEST_F(Packaging, InstallsWhatItsVendorSignedAndNobodyElse) {
    const std::string vendor = keygen("vendor.key");
    keygen("stranger.key");
    configure("trust = \"signed\"\ntrusted_keys = [\"" + vendor + "\"]\n");

    ASSERT_EQ(pack().code, 0);
    auto ran = plugin({"install", path("null.jfp")});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("null.jfp"), HasSubstr("it is not signed"), HasSubstr("remedy")));

    EXPECT_EQ(plugin({"sign", path("null.jfp"), "--key", path("stranger.key")}).code, 0);
    EXPECT_THAT(plugin({"install", path("null.jfp")}).err, HasSubstr("which is not in [host] trusted_keys"));
    EXPECT_FALSE(fs::exists(path("own/stt")));

    EXPECT_EQ(plugin({"sign", path("null.jfp"), "--key", path("vendor.key")}).code, 0) << "beside the stranger's";
    EXPECT_THAT(plugin({"explain", path("null.jfp")}).out, AllOf(HasSubstr("stt/test_null 0.1.0"), HasSubstr("signed by " + vendor + "\n")));
    ran = plugin({"install", path("null.jfp")});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("stt/test_null 0.1.0 installed: "), HasSubstr("own/stt/test_null.so"), HasSubstr("signed by key ")));
    EXPECT_THAT(plugin({"install", path("null.jfp")}).out, HasSubstr("is installed already"));
    EXPECT_EQ(text_of(path("own/stt/test_null/README.md")), "Hears nothing.\n");

    // What does not come from the vendor does not load, and says so.
    const auto list = plugin({"list"});
    EXPECT_THAT(list.out, AllOf(HasSubstr("stt/test_null  0.1.0"), HasSubstr("telephony/sip.so: it is not signed")));
}

TEST_F(Packaging, RefusesAPackageThatWasChangedOnItsWay) {
    folder_.write_host();
    keygen("vendor.key");
    ASSERT_EQ(pack("vendor.key").code, 0);
    std::string bytes = text_of(path("null.jfp"));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x20);
    folder_.write("null.jfp", bytes);
    const auto ran = plugin({"install", path("null.jfp"), "--to", path("own")});
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("null.jfp"));
    EXPECT_FALSE(fs::exists(path("own/stt/test_null.so")));
}

TEST_F(Packaging, KeepsPrivateKeysPrivate) {
    const auto made = plugin({"keygen", path("vendor.key")});
    const std::string pem = text_of(path("vendor.key"));
    ASSERT_THAT(pem, HasSubstr("BEGIN PRIVATE KEY"));
    EXPECT_THAT(made.out + made.err, AllOf(HasSubstr("ed25519:"), Not(HasSubstr("BEGIN")), Not(HasSubstr(pem.substr(28, 40)))));
    struct stat info {};
    ASSERT_EQ(::stat(path("vendor.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(plugin({"keygen", path("vendor.key")}).code, 1) << "a key is not written over";
    EXPECT_EQ(text_of(path("vendor.key")), pem);

    ASSERT_EQ(::chmod(path("vendor.key").c_str(), 0640), 0);
    const auto ran = pack("vendor.key");
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("vendor.key"), HasSubstr("chmod 600")));
}

TEST_F(Packaging, AHostThatTrustsSignaturesServesSignedPluginsOnly) {
    const std::string shop = keygen("shop.key");
    folder_.copy_plugins();
    configure("trust = \"signed\"\ntrusted_keys = [\"" + shop + "\"]\n");
    folder_.write_tenant("desk", desk_tenant({}));
    std::vector<std::string> sign{"sign", "--key", path("shop.key")};
    for (const auto& entry : fs::recursive_directory_iterator(folder_.plugins()))
        if (entry.path().extension() == ".so") sign.push_back(entry.path().string());
    const auto signed_all = plugin(sign);
    ASSERT_EQ(signed_all.code, 0) << signed_all.err;
    {
        HostProcess host(folder_);
        EXPECT_EQ(host.stop(), 0) << host.log();
    }

    // One byte behind the end of one file: nothing about it is what was signed.
    std::ofstream(folder_.plugins() / "tts/flite.so", std::ios::app) << '\n';
    const auto check = folder_.jackfield({"check"});
    EXPECT_EQ(check.code, 2);
    EXPECT_THAT(check.err + check.out, AllOf(HasSubstr("tts/flite.so"), HasSubstr("does not fit")));
    EXPECT_THROW(HostProcess{folder_}, std::runtime_error);
}

TEST_F(Packaging, SaysInTheConfigurationWhatIsWrongWithAKey) {
    configure("trust = \"signed\"\ntrusted_keys = [\"ed25519:short\"]\n");
    EXPECT_THAT(folder_.jackfield({"check"}).err, HasSubstr("host.trusted_keys.0: this is not an Ed25519 public key"));
    configure("trust = \"signed\"\n");
    EXPECT_THAT(folder_.jackfield({"check"}).err, HasSubstr("with trust = \"signed\" and nothing in trusted_keys, no plugin loads"));
}

}  // namespace
}  // namespace jackfield::test
