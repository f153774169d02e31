#pragma once

#include <jackfield/sdk/records.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// Numbers, texts and values one after the other.
class Packer {
  public:
    Packer& number(std::uint64_t n);
    Packer& text(std::string_view s);
    Packer& value(const jackfield::sdk::Value& v);
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

/// Reads what a Packer wrote; throws Failure(INVALID) when it is something else.
class Unpacker {
  public:
    explicit Unpacker(std::string_view bytes) : left_(bytes) {}
    std::uint64_t number();
    std::string text();
    jackfield::sdk::Value value();
    bool at_end() const { return left_.empty(); }

  private:
    std::string_view take(std::size_t n);
    std::string_view left_;
};

/// An append-only file of entries: length, checksum, bytes. One process writes it; others may open it beside that and see what stood then. Throws
/// Failure.
class Journal {
  public:
    /// Opens or makes the file and hands over the entries that it holds. What a crash left behind the last whole entry is cut off, by who may write.
    Journal(const std::string& path, const std::function<void(std::string_view)>& read);
    ~Journal();
    Journal(const Journal&) = delete;
    /// The entry is on the disk when this returns, and not in the file at all when it throws.
    void append(std::string_view entry);
    /// The file holds these entries and no others, nor anything that was in it. The old one stands until the new one is on the disk.
    void replace(const std::vector<std::string>& entries);

  private:
    void open(const std::function<void(std::string_view)>& read);
    void close() const;
    void check_writes() const;
    [[noreturn]] void failed(const char* what) const;
    /// Behind what stands, without syncing.
    void write(std::string_view entry);
    void sync_folder() const;
    std::string draft() const { return path_ + ".new"; }
    std::string path_;
    int lock_ = -1;
    bool writes_ = false; ///< has the lock
    int file_ = -1;
    std::uint64_t size_ = 0;
};

}  // namespace example
