#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace jackfield::test {

/// A folder under the build tree, emptied, in which shell scripts see the installed package and not our sources. Its path is always the
/// same, so that a compiler cache finds what it had.
class Shell {
  public:
    explicit Shell(const std::string& name) : folder_(std::filesystem::path(JACKFIELD_BINARY_DIR) / "out_of_tree" / name) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }

    struct Ran {
        int code = -1;
        std::string output; ///< both streams
    };

    const std::filesystem::path& folder() const { return folder_; }

    Ran run(const std::string& script) const {
        const std::filesystem::path prefix = JACKFIELD_PREFIX;
        const std::filesystem::path file = folder_.string() + ".sh";
        std::ofstream(file) << "set -euo pipefail\ncd " << folder_ << "\nexport PATH=" << (prefix / "bin").string() << ":$PATH\n"
                            // The host's own plugins, which are no part of what an author needs.
                            << "unset JACKFIELD_CONFIG\nexport JACKFIELD_PLUGINS=" << std::filesystem::path(JACKFIELD_BINARY_DIR) / "plugins"
                            << "\nexport CMAKE_PREFIX_PATH=" << prefix << " CMAKE_GENERATOR=Ninja\n"
                            << "export PKG_CONFIG_PATH=" << pkg_config_path(prefix) << "\nexport RUSTC=" JACKFIELD_RUSTC " CXXFLAGS=-O0 CFLAGS=-O0\n"
                            << "if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CXX='ccache g++' CC='ccache gcc'\n"
                               "export CMAKE_C_COMPILER_LAUNCHER=ccache; fi\n"
                            << script << "\n";
        Ran ran;
        std::FILE* const pipe = ::popen(("timeout 540 bash '" + file.string() + "' 2>&1 </dev/null").c_str(), "r");
        if (!pipe) return ran;
        char buffer[4096];
        for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) ran.output.append(buffer, n);
        const int status = ::pclose(pipe);
        ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return ran;
    }

    void write(const std::filesystem::path& file, const std::string& text) const {
        std::filesystem::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file, std::ios::binary) << text;
    }
    std::string read(const std::filesystem::path& file) const { return read_file(folder_ / file); }

    static std::string read_file(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    /// lib/pkgconfig, or below the multiarch folder where the build installs there.
    static std::string pkg_config_path(const std::filesystem::path& prefix) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(prefix))
            if (entry.path().filename() == "jackfield-plugin.pc") return entry.path().parent_path().string();
        return {};
    }

    std::filesystem::path folder_;
};

}  // namespace jackfield::test
