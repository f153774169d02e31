#pragma once

#include "config/host_config.hpp"
#include "config/toml.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::config {

/// A folder of its own for each test, gone afterwards.
class ConfigFolder {
  public:
    ConfigFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "jackfield-config-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
        std::filesystem::create_directory(path_ / "tenants");
    }
    ~ConfigFolder() { std::filesystem::remove_all(path_); }
    ConfigFolder(const ConfigFolder&) = delete;
    ConfigFolder& operator=(const ConfigFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
    }
    Outcome<HostConfig> load(std::map<std::string, std::string> variables = {}) const {
        return load_host(path_ / "jackfield.toml", Environment::with(std::move(variables)));
    }
    /// Problems as people see them, with this folder's name left out.
    std::vector<std::string> problems(std::map<std::string, std::string> variables = {}) const {
        std::vector<std::string> out;
        for (const Problem& problem : load(std::move(variables)).problems) {
            std::string text = to_text(problem);
            const std::string folder = path_.string() + "/";
            for (std::size_t at; (at = text.find(folder)) != text.npos;)
                text.erase(at, folder.size());
            out.push_back(text);
        }
        return out;
    }

  private:
    std::filesystem::path path_;
};

inline Value toml(std::string_view text) {
    Outcome<Value> outcome = parse_toml(text, "t.toml", Environment::with({}));
    for (const Problem& problem : outcome.problems) ADD_FAILURE() << to_text(problem);
    return std::move(outcome.value);
}

inline std::vector<std::string> texts(const Problems& problems) {
    std::vector<std::string> out;
    for (const Problem& problem : problems) out.push_back(to_text(problem));
    return out;
}

}  // namespace jackfield::config
