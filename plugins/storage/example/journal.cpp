#include "journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace example {

using jackfield::sdk::Failure;
using jackfield::sdk::Value;

namespace {

/// FNV-1a: tells a torn entry from a whole one.
std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

constexpr std::size_t head_bytes = 16;  // length, checksum

}  // namespace

Packer& Packer::number(std::uint64_t n) {
    bytes_.append(reinterpret_cast<const char*>(&n), sizeof n);
    return *this;
}
Packer& Packer::text(std::string_view s) {
    number(s.size());
    bytes_ += s;
    return *this;
}
Packer& Packer::value(const Value& v) {
    number(v.type());
    const double real = v.real();
    std::uint64_t bits = static_cast<std::uint64_t>(v.integer());
    if (v.type() == JF_VALUE_REAL) std::memcpy(&bits, &real, sizeof bits);
    return number(bits).text(v.text());
}

std::string_view Unpacker::take(std::size_t n) {
    if (n > left_.size()) throw Failure(JF_E_INVALID, "the bytes end too early");
    const std::string_view out = left_.substr(0, n);
    left_.remove_prefix(n);
    return out;
}
std::uint64_t Unpacker::number() {
    std::uint64_t n = 0;
    std::memcpy(&n, take(sizeof n).data(), sizeof n);
    return n;
}
std::string Unpacker::text() { return std::string(take(static_cast<std::size_t>(number()))); }
Value Unpacker::value() {
    jf_value v{};
    v.type = static_cast<std::uint32_t>(number());
    const std::uint64_t bits = number();
    v.i = static_cast<std::int64_t>(bits);
    std::memcpy(&v.f, &bits, sizeof v.f);
    const std::string text = this->text();
    v.s = jackfield::sdk::str(text);
    if (v.type > JF_VALUE_JSON) throw Failure(JF_E_INVALID, "the bytes hold no value");
    return Value(v);
}

Journal::Journal(const std::string& path, const std::function<void(std::string_view)>& read) : path_(path) {
    try {
        open(read);
    } catch (...) {
        close();
        throw;
    }
}

void Journal::open(const std::function<void(std::string_view)>& read) {
    // Beside the journal and not on it: replace() puts another file in its place.
    lock_ = ::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) failed("locking");
    writes_ = ::flock(lock_, LOCK_EX | LOCK_NB) == 0;
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) failed("opening");
    std::string content;
    char block[65536];
    for (ssize_t n; (n = ::read(file_, block, sizeof block)) != 0;) {
        if (n < 0) failed("reading");
        content.append(block, static_cast<std::size_t>(n));
    }
    while (content.size() - size_ >= head_bytes) {
        Unpacker head(std::string_view(content).substr(size_, head_bytes));
        const std::uint64_t length = head.number();
        const std::uint64_t sum = head.number();
        if (length > content.size() - size_ - head_bytes) break;
        const std::string_view entry = std::string_view(content).substr(size_ + head_bytes, length);
        if (checksum(entry) != sum) {
            // Only the last entry can be half written: each was synced before the next.
            if (size_ + head_bytes + length == content.size()) break;
            throw Failure(JF_E_INTERNAL, "'" + path_ + "' is damaged at byte " + std::to_string(size_) + "; put a copy in its place");
        }
        read(entry);
        size_ += head_bytes + length;
    }
    // What another process is writing at this moment looks like a torn end.
    if (!writes_) return;
    if (size_ < content.size() && ::ftruncate(file_, static_cast<off_t>(size_)) != 0) failed("repairing");
    if (::fsync(file_) != 0) failed("syncing");
    // A crash in replace() leaves a file that nobody was told of.
    ::unlink(draft().c_str());
    sync_folder();
}

/// A new file's name has to survive a power cut, too.
void Journal::sync_folder() const {
    const std::string folder = std::filesystem::absolute(path_).parent_path().string();
    const int parent = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = parent >= 0 && ::fsync(parent) == 0;
    if (parent >= 0) ::close(parent);
    if (!synced) failed("syncing the folder of");
}

Journal::~Journal() { close(); }

void Journal::close() const {
    if (file_ >= 0) ::close(file_);
    if (lock_ >= 0) ::close(lock_);
}

void Journal::check_writes() const {
    if (!writes_) throw Failure(JF_E_STATE, "another process writes '" + path_ + "'; this one may only read");
}

void Journal::append(std::string_view entry) {
    check_writes();
    const std::uint64_t before = size_;
    write(entry);
    if (::fdatasync(file_) == 0) return;
    size_ = before;
    failed("syncing");
}

void Journal::write(std::string_view entry) {
    std::string bytes = Packer().number(entry.size()).number(checksum(entry)).bytes();
    bytes += entry;
    for (std::size_t written = 0; written < bytes.size();) {
        const ssize_t n = ::pwrite(file_, bytes.data() + written, bytes.size() - written, static_cast<off_t>(size_ + written));
        if (n > 0) written += static_cast<std::size_t>(n);
        else if (errno != EINTR) {
            const int error = errno;
            // A half entry would be cut off at the next start; the next append must not stand behind it.
            if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) size_ = UINT64_MAX;
            errno = error;
            failed("writing");
        }
    }
    size_ += bytes.size();
}

void Journal::replace(const std::vector<std::string>& entries) {
    check_writes();
    const int made = ::open(draft().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (made < 0) failed("writing anew");
    const int old = std::exchange(file_, made);
    const std::uint64_t old_size = std::exchange(size_, 0);
    const auto undo = [&] {
        ::close(std::exchange(file_, old));
        size_ = old_size;
        ::unlink(draft().c_str());
    };
    try {
        for (const std::string& entry : entries) write(entry);
        if (::fdatasync(file_) != 0 || ::rename(draft().c_str(), path_.c_str()) != 0) failed("writing anew");
    } catch (...) {
        undo();
        throw;
    }
    ::close(old);
    sync_folder();
}

void Journal::failed(const char* what) const {
    const jf_status code = errno == ENOSPC || errno == EDQUOT ? JF_E_QUOTA : JF_E_INTERNAL;
    throw Failure(code, std::string(what) + " '" + path_ + "' failed: " + std::strerror(errno) + "; look at the disk and the file's rights");
}

}  // namespace example
