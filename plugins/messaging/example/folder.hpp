#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::messaging_example {

/// What stands in a file: three lines, an empty one, the text.
struct Letter {
    std::string id; ///< the file's name
    std::string from;
    std::string to;
    std::string subject;
    std::string text;
};

/// The folder's files. Blocks; throws sdk::Failure.
class Folder {
  public:
    explicit Folder(std::filesystem::path root) : root_(std::move(root)) {}
    void prepare() const;
    /// Appears in outbox/ whole, or not at all. One that stands there already stays as it is.
    void put(const Letter& letter) const;
    /// What lies in inbox/, oldest name first; at most `most`.
    std::vector<Letter> incoming(std::size_t most) const;
    /// From inbox/ to accepted/. False: no such file in either.
    bool accept(const std::string& id) const;

  private:
    std::filesystem::path root_;
};

std::string write_letter(const Letter& letter);
Letter read_letter(std::string_view file);
/// What may be a file's name here: letters, digits, '.', '_' and '-', not hidden.
bool is_plain_name(std::string_view name);

}  // namespace jackfield::messaging_example
