#include "power_vfs.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace jackfield::test::model {
namespace {

constexpr std::size_t sector = 512;

/// One file's content as this process sees it, and what of it the disk does not have yet.
struct Shadow {
    struct Pending {
        std::size_t offset = 0;
        std::string data;
        bool truncates = false;  // to `offset`
    };
    std::string content;
    std::vector<Pending> pending;
};

struct State {
    sqlite3_vfs vfs{};
    sqlite3_vfs* real = nullptr;
    PowerCut cut;
    std::mutex mutex;
    std::uint64_t operations = 0;
    std::map<std::string, std::shared_ptr<Shadow>> files;
    std::map<std::string, sqlite3_file*> real_files;  // one open handle of each, to write through
};
State& state() {
    static State* const one = new State;
    return *one;
}

/// SQLite's view: its base class first, then ours, then the real file.
struct File {
    sqlite3_file base;
    Shadow* shadow;
    std::string* path;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

int write_through(sqlite3_file* real, const Shadow::Pending& pending) {
    if (pending.truncates) return real->pMethods->xTruncate(real, static_cast<sqlite3_int64>(pending.offset));
    return real->pMethods->xWrite(real, pending.data.data(), static_cast<int>(pending.data.size()), static_cast<sqlite3_int64>(pending.offset));
}

/// The power fails: of what is pending any part may have reached the disk.
[[noreturn]] void cut_power() {
    State& s = state();
    if (s.cut.kill) ::raise(SIGKILL);
    std::mt19937_64 random(s.cut.seed);
    const unsigned kept_of_8 = static_cast<unsigned>(random() % 9);
    for (auto& [path, shadow] : s.files) {
        sqlite3_file* const real = s.real_files[path];
        // Closed since: nothing of it can reach the disk any more.
        if (!real) continue;
        for (const Shadow::Pending& pending : shadow->pending) {
            if (pending.truncates) {
                if (random() % 8 < kept_of_8) write_through(real, pending);
                continue;
            }
            for (std::size_t at = 0; at < pending.data.size();) {
                const std::size_t end = std::min(pending.data.size(), (pending.offset + at) / sector * sector + sector - pending.offset);
                if (random() % 8 < kept_of_8) write_through(real, {pending.offset + at, pending.data.substr(at, end - at), false});
                at = end;
            }
        }
    }
    ::_exit(cut_exit_code);
}

/// Under the lock. What the operation comes to.
int count_operation(int error) {
    State& s = state();
    ++s.operations;
    if (s.cut.after != 0 && s.operations == s.cut.after) cut_power();
    if (s.cut.error_at == 0 || s.operations < s.cut.error_at || s.operations > s.cut.error_at + 2) return SQLITE_OK;
    return s.operations == s.cut.error_at && error == SQLITE_IOERR_WRITE ? SQLITE_FULL : error;
}

/// Until the next sync, unless only the process may die.
int leave(File& file, Shadow::Pending pending) {
    if (state().cut.kill) return write_through(file.real(), pending);
    file.shadow->pending.push_back(std::move(pending));
    return SQLITE_OK;
}

int close(sqlite3_file* file) {
    File& f = file_of(file);
    const std::lock_guard lock(state().mutex);
    // Handles of the real file stay open: POSIX locks of the whole process go with the first one that closes, so it is SQLite's own that closes.
    const int code = f.real()->pMethods->xClose(f.real());
    if (state().real_files[*f.path] == f.real()) state().real_files.erase(*f.path);
    delete f.path;
    return code;
}
int read(sqlite3_file* file, void* out, int n, sqlite3_int64 offset) {
    const std::lock_guard lock(state().mutex);
    const std::string& content = file_of(file).shadow->content;
    const auto at = static_cast<std::size_t>(offset), size = static_cast<std::size_t>(n);
    const std::size_t have = at < content.size() ? std::min(size, content.size() - at) : 0;
    if (have) std::memcpy(out, content.data() + at, have);
    if (have == size) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + have, 0, size - have);
    return SQLITE_IOERR_SHORT_READ;
}
int write(sqlite3_file* file, const void* data, int n, sqlite3_int64 offset) {
    const std::lock_guard lock(state().mutex);
    File& f = file_of(file);
    state().real_files[*f.path] = f.real();
    if (const int code = count_operation(SQLITE_IOERR_WRITE); code != SQLITE_OK) return code;
    const auto at = static_cast<std::size_t>(offset), size = static_cast<std::size_t>(n);
    if (f.shadow->content.size() < at + size) f.shadow->content.resize(at + size);
    std::memcpy(f.shadow->content.data() + at, data, size);
    return leave(f, {at, std::string(static_cast<const char*>(data), size), false});
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
    const std::lock_guard lock(state().mutex);
    File& f = file_of(file);
    state().real_files[*f.path] = f.real();
    if (const int code = count_operation(SQLITE_IOERR_TRUNCATE); code != SQLITE_OK) return code;
    f.shadow->content.resize(static_cast<std::size_t>(size));
    return leave(f, {static_cast<std::size_t>(size), {}, true});
}
int sync(sqlite3_file* file, int) {
    const std::lock_guard lock(state().mutex);
    File& f = file_of(file);
    state().real_files[*f.path] = f.real();
    if (const int code = count_operation(SQLITE_IOERR_FSYNC); code != SQLITE_OK) return code;
    if (state().cut.lies) return SQLITE_OK;
    for (const Shadow::Pending& pending : f.shadow->pending)
        if (const int code = write_through(f.real(), pending); code != SQLITE_OK) return code;
    f.shadow->pending.clear();
    return SQLITE_OK;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
    const std::lock_guard lock(state().mutex);
    *size = static_cast<sqlite3_int64>(file_of(file).shadow->content.size());
    return SQLITE_OK;
}

// What is not about content goes to the real file.
sqlite3_file* real(sqlite3_file* file) { return file_of(file).real(); }
const sqlite3_io_methods methods = {
    2, close, read, write, truncate, sync, file_size,
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int op, void* arg) {
        // Allocating ahead would go past the shadow.
        if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
        return real(f)->pMethods->xFileControl(real(f), op, arg);
    },
    [](sqlite3_file*) { return static_cast<int>(sector); },
    // No promise of the disk's: neither atomic sectors nor an order.
    [](sqlite3_file*) { return 0; },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) { return real(f)->pMethods->xShmMap(real(f), page, size, extend, out); },
    [](sqlite3_file* f, int offset, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); },
    [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); },
    nullptr, nullptr};

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    State& s = state();
    const bool ours = path && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    // Temporary files are nobody's to keep.
    if (!ours) return s.real->xOpen(s.real, path, file, flags, out_flags);
    File& f = file_of(file);
    f.base.pMethods = nullptr;
    const int code = s.real->xOpen(s.real, path, f.real(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    const std::lock_guard lock(s.mutex);
    std::shared_ptr<Shadow>& shadow = s.files[path];
    if (!shadow) {
        shadow = std::make_shared<Shadow>();
        sqlite3_int64 size = 0;
        f.real()->pMethods->xFileSize(f.real(), &size);
        shadow->content.resize(static_cast<std::size_t>(size));
        if (size > 0) f.real()->pMethods->xRead(f.real(), shadow->content.data(), static_cast<int>(size), 0);
    }
    f.shadow = shadow.get();
    f.path = new std::string(path);
    f.base.pMethods = &methods;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* path, int sync_folder) {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    s.files.erase(path);
    s.real_files.erase(path);
    return s.real->xDelete(s.real, path, sync_folder);
}

}  // namespace

void install_power_vfs(const PowerCut& cut) {
    State& s = state();
    s.cut = cut;
    s.real = sqlite3_vfs_find(nullptr);
    s.vfs = *s.real;
    s.vfs.zName = "power";
    s.vfs.szOsFile = static_cast<int>(sizeof(File)) + s.real->szOsFile;
    s.vfs.xOpen = open_file;
    s.vfs.xDelete = delete_file;
    // The others ask for the VFS that they belong to.
    s.vfs.xAccess = [](sqlite3_vfs*, const char* path, int flags, int* out) { return state().real->xAccess(state().real, path, flags, out); };
    s.vfs.xFullPathname = [](sqlite3_vfs*, const char* path, int n, char* out) { return state().real->xFullPathname(state().real, path, n, out); };
    if (sqlite3_vfs_register(&s.vfs, 1) != SQLITE_OK) std::abort();
}

std::uint64_t power_vfs_operations() {
    const std::lock_guard lock(state().mutex);
    return state().operations;
}

}  // namespace jackfield::test::model
