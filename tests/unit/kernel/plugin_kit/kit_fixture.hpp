#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <elf.h>

#include <fstream>
#include <iterator>
#include <string>

#include "plugin_kit/files.hpp"
#include "plugin_kit/install.hpp"

namespace jackfield::plugin_kit {

namespace fs = std::filesystem;

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A folder that goes with the test.
class Folder {
  public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "jackfield-kit-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    fs::path operator/(const fs::path& name) const { return path_ / name; }
    const fs::path& path() const { return path_; }
    fs::path write(const fs::path& name, std::string_view text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }

  private:
    fs::path path_;
};

inline std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    EXPECT_EQ(from.size(), to.size());
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return text;
}

/// stt/test_null, of some version and for some machine.
inline std::string plugin_bytes(std::string_view version = "1.0.0", std::uint16_t machine = EM_X86_64) {
    std::string out = replaced(text_of(JACKFIELD_BINARY_DIR "/test_plugins/stt/test_null.so"), "\"version\": \"0.1.0\"", "\"version\": \"" + std::string(version) + "\"");
    if (machine != EM_X86_64) reinterpret_cast<Elf64_Ehdr*>(out.data())->e_machine = machine;
    return out;
}

inline plugin_host::PrivateKey new_key() {
    auto key = plugin_host::PrivateKey::generate();
    EXPECT_TRUE(key);
    return std::move(*key);
}

/// A package of stt/test_null for this machine (and another one), unsigned.
inline Package package_of(std::string_view version = "1.0.0") {
    const Folder folder;
    const PackOptions options{{folder.write("here.so", plugin_bytes(version)), folder.write("there.so", plugin_bytes(version, EM_AARCH64))},
                              folder.write("README.md", "How to use it\n"),
                              folder.write("LICENSE", "MIT\n")};
    auto package = make_package(options);
    EXPECT_TRUE(package) << package.error().text();
    return std::move(*package);
}

inline std::string archive_of(const Package& package) {
    auto bytes = write_package(package);
    EXPECT_TRUE(bytes) << bytes.error().text();
    return std::move(*bytes);
}

}  // namespace jackfield::plugin_kit
