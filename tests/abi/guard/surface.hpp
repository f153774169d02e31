#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace jackfield::abi_guard {

/// The programs that read headers.
struct Tools {
    std::string clang = "clang-14";
    std::string cc = "cc";
    std::string abidw = "abidw";
    std::string abidiff = "abidiff";
};

struct Member {
    std::string name;
    std::string type;  ///< as it is written, typedefs kept: 'const jf_hints *'
    std::string thread; ///< "stream" for JF_ON(stream), empty without
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    bool is_function() const { return type.find("(*)") != std::string::npos; }
};

struct Struct {
    std::string name;
    std::string header; ///< "stt.h"
    std::uint64_t size = 0;
    /// Members may be appended: it begins with struct_size, and no other struct holds one by value.
    bool grows = false;
    std::vector<Member> members;

    bool is_table() const;
    const Member* find(const std::string& member) const;
};

struct Constant {
    std::string name;
    std::string header;
    std::string value; ///< decimal, or the text in double quotes
};

/// What the public headers publish; drafts are not among it.
struct Surface {
    std::vector<Struct> structs;
    std::vector<Constant> constants;

    const Struct* find(const std::string& name) const;
    const Constant* find_constant(const std::string& name) const;
};

/// Reads `include`/jackfield/*.h with clang. Throws std::runtime_error with what the compiler said.
Surface read_headers(const std::filesystem::path& include, const Tools& tools);

/// Says of each struct whether it grows.
void find_those_that_grow(Surface& surface);

/// The names of the public headers, "base.h" first and then in order.
std::vector<std::string> header_names(const std::filesystem::path& include);

std::string read_text(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

/// A folder that goes when this does.
class ScratchFolder {
  public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace jackfield::abi_guard
