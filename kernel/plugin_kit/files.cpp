#include "plugin_kit/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

namespace jackfield::plugin_kit {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;
using base::Result;

Error failed(const fs::path& path, const char* doing) {
    const int why = errno;
    const ErrorCode code = why == ENOENT ? ErrorCode::not_found : why == EACCES || why == EPERM ? ErrorCode::auth : why == EEXIST ? ErrorCode::conflict : ErrorCode::internal;
    return Error(code, path.string() + ": can't " + doing + ": " + std::strerror(why));
}

/// Closes; the file that was being written goes unless it was kept.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    explicit operator bool() const { return fd_ >= 0; }
    int get() const { return fd_; }

  private:
    int fd_;
};

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

Result<> write_new(const fs::path& path, std::string_view bytes, mode_t mode) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!file) return failed(path, "create it");
    // The mode says exactly what it says, whatever the umask: plugins are read by the host's user, keys by nobody else.
    if (fchmod(file.get(), mode) != 0 || !write_all(file.get(), bytes) || fsync(file.get()) != 0) {
        Error error = failed(path, "write it");
        ::unlink(path.c_str());
        return error;
    }
    return {};
}

Result<> sync_folder(const fs::path& folder) {
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || fsync(opened.get()) != 0) return failed(folder, "write it to disk");
    return {};
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t most) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return failed(path, "read it");
    struct stat info {};
    if (fstat(file.get(), &info) != 0) return failed(path, "read it");
    if (!S_ISREG(info.st_mode) || static_cast<std::uintmax_t>(info.st_size) > most)
        return Error(ErrorCode::invalid, path.string() + ": not a regular file of at most " + std::to_string(most) + " bytes");
    std::string out(static_cast<std::size_t>(info.st_size), '\0');
    for (std::size_t done = 0; done < out.size();) {
        const ssize_t n = ::read(file.get(), out.data() + done, out.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(path, "read it");
        if (n == 0) out.resize(done);
        done += static_cast<std::size_t>(n);
    }
    return out;
}

Result<> replace_file(const fs::path& path, std::string_view bytes, mode_t mode) {
    const fs::path fresh = folder_of(path) / ("." + path.filename().string() + "." + std::to_string(std::random_device{}()) + ".new");
    if (auto written = write_new(fresh, bytes, mode); !written) return written;
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        Error error = failed(path, "put it in place");
        ::unlink(fresh.c_str());
        return error;
    }
    return sync_folder(folder_of(path));
}

Result<> create_file(const fs::path& path, std::string_view bytes, mode_t mode) {
    if (auto written = write_new(path, bytes, mode); !written) return written;
    return sync_folder(folder_of(path));
}

}  // namespace jackfield::plugin_kit
