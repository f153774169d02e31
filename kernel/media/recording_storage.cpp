#include "media/recording_storage.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace jackfield::media {
namespace {

base::Error errno_error(const std::string& path, const char* doing) {
    const int number = errno;
    const auto code = number == EEXIST ? base::ErrorCode::conflict : base::ErrorCode::internal;
    return base::Error(code, path + ": " + doing + ": " + std::generic_category().message(number))
        .with_vendor_code(number);
}

class DiskRecordingFile final : public RecordingFile {
  public:
    DiskRecordingFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    ~DiskRecordingFile() override {
        if (fd_ >= 0) ::close(fd_);
    }
    DiskRecordingFile(const DiskRecordingFile&) = delete;
    DiskRecordingFile& operator=(const DiskRecordingFile&) = delete;

    base::Result<> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
        while (!bytes.empty()) {
            const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return errno_error(path_, "write");
            offset += static_cast<std::uint64_t>(n);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }

    base::Result<> commit() override {
        if (::fdatasync(fd_) != 0) return errno_error(path_, "sync");
        const std::string part = path_ + ".part";
        if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
            // Some file systems can't refuse to replace; create() has looked already.
            if (errno != EINVAL && errno != ENOSYS) return errno_error(path_, "rename");
            if (::rename(part.c_str(), path_.c_str()) != 0) return errno_error(path_, "rename");
        }
        return {};
    }

  private:
    int fd_;
    std::string path_;
};

}  // namespace

base::Result<std::unique_ptr<RecordingFile>> DiskRecordingStorage::create(const std::string& path) {
    if (::access(path.c_str(), F_OK) == 0) {
        errno = EEXIST;
        return errno_error(path, "create");
    }
    const std::string part = path + ".part";
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno_error(part, "create");
    return std::unique_ptr<RecordingFile>(std::make_unique<DiskRecordingFile>(fd, path));
}

}  // namespace jackfield::media
