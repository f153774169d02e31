#include "connection.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t cached_statements = 128;

/// Syncs a folder, so that a name in it survives a power cut.
void sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

[[noreturn]] void cannot_make(const std::string& path, int error) {
    throw StoreFailure(JF_E_INVALID,
                       "cannot make '" + path + "': " + std::strerror(error) +
                           "; give the host's user write access to its folder, or set another path",
                       error);
}

void make_folders(const std::filesystem::path& folder) {
    if (folder.empty() || std::filesystem::exists(folder)) return;
    make_folders(folder.parent_path());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) cannot_make(folder.string(), errno);
    sync_folder(folder.parent_path());
}

}  // namespace

/// SQLite would make the file readable by everybody. The log and index files beside it copy its mode.
void make_file(const std::string& path) {
    make_folders(std::filesystem::path(path).parent_path());
    // Only a file that is new is opened here: closing a descriptor of one that SQLite has open drops SQLite's POSIX locks.
    const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno != EEXIST) cannot_make(path, errno);
        return;
    }
    ::close(fd);
    sync_folder(std::filesystem::path(path).parent_path());
}

Statement::Statement(Connection& connection, sqlite3_stmt* handle, bool* in_use)
    : connection_(connection), handle_(handle), in_use_(in_use) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)), in_use_(other.in_use_) {}

Statement::~Statement() {
    if (!handle_) return;
    if (!in_use_) {
        sqlite3_finalize(handle_);
        return;
    }
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
    *in_use_ = false;
}

bool Statement::step() {
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    throw connection_.failure(code);
}

std::string_view Statement::text(int column) const {
    const void* bytes = sqlite3_column_blob(handle_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
    return bytes ? std::string_view(static_cast<const char*>(bytes), size) : std::string_view();
}

std::unique_ptr<Connection> Connection::open(const Options& options, Role role) {
    if (role == Role::writer && !options.in_memory()) make_file(options.path);
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int code = sqlite3_open_v2(options.path.c_str(), &handle, flags, nullptr);
    std::unique_ptr<Connection> connection(new Connection(handle, options));
    if (code != SQLITE_OK) throw connection->failure(code);
    connection->set_up(role);
    return connection;
}

Connection::~Connection() {
    for (const Cached& cached : cache_) sqlite3_finalize(cached.handle);
    sqlite3_close(handle_);
}

void Connection::set_up(Role role) {
    // The database stays usable as plain SQL by people, but a mistyped name here must not become a text.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_busy_timeout(handle_, static_cast<int>(options_.busy_timeout_ms));
    sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, static_cast<int>(options_.max_record_kib * 1024));
    if (const int code = register_functions(handle_); code != SQLITE_OK) throw failure(code);
    sqlite3_progress_handler(
        handle_, 2000,
        [](void* self) -> int {
            const auto* connection = static_cast<Connection*>(self);
            if (connection->stop_at_ && std::chrono::steady_clock::now() > *connection->stop_at_) return 1;
            return connection->cancelled_ && connection->cancelled_->load(std::memory_order_relaxed) ? 1 : 0;
        },
        this);
    if (sqlite3_db_readonly(handle_, "main") == 1)
        throw StoreFailure(JF_E_INVALID, "'" + options_.path + "' is not writable; give the host's user write access to the file and its folder");

    check_identity(role);
    execute("PRAGMA foreign_keys = ON");
    // Sorting what does not fit the page cache goes to a temporary file: memory stays bounded.
    execute("PRAGMA temp_store = FILE");
    execute("PRAGMA cell_size_check = ON");
    execute("PRAGMA cache_size = -" + std::to_string(options_.cache_kib));
    // FULL: the log is synced before a commit is answered; NORMAL would lose answered commits in a power cut.
    execute("PRAGMA synchronous = FULL");
    // Checkpoints are the checkpointer's: inside a commit they would be paid by whoever happens to write.
    execute("PRAGMA wal_autocheckpoint = 0");
    execute("PRAGMA journal_size_limit = " + std::to_string(options_.wal_limit_mib << 20));
    // What is deleted is overwritten, in the pages that are kept and in those that become free.
    execute("PRAGMA secure_delete = ON");
    if (role == Role::reader) execute("PRAGMA query_only = ON");
}

/// Nothing is changed in a file before it is known to be ours or empty.
void Connection::check_identity(Role role) {
    const std::int64_t identity = pragma_integer("PRAGMA application_id");
    const std::int64_t format = pragma_integer("PRAGMA user_version");
    const bool empty = pragma_integer("SELECT count(*) FROM sqlite_schema") == 0;
    if (!(empty && identity == 0) && identity != application_id)
        throw StoreFailure(JF_E_INVALID, "'" + options_.path + "' is another program's database; set another path");
    if (format > storage_format)
        throw StoreFailure(JF_E_INVALID,
                           "'" + options_.path + "' has storage format " + std::to_string(format) + " and this plugin knows up to " +
                               std::to_string(storage_format) + "; use the later version that wrote it");
    if (role != Role::writer || options_.in_memory()) return;
    const std::string mode = pragma_text("PRAGMA journal_mode = WAL");
    if (mode != "wal")
        throw StoreFailure(JF_E_INVALID,
                           "'" + options_.path + "' cannot have a write-ahead log (SQLite answers '" + mode +
                               "'); put it on a local file system");
}

std::int64_t Connection::pragma_integer(const char* sql) {
    Statement statement = prepare(Sql(sql));
    return statement.step() ? statement.integer(0) : 0;
}

std::string Connection::pragma_text(const char* sql) {
    Statement statement = prepare(Sql(sql));
    return statement.step() ? std::string(statement.text(0)) : std::string();
}

sqlite3_stmt* Connection::compile(const std::string& sql, unsigned flags) {
    sqlite3_stmt* handle = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), flags, &handle, nullptr);
    if (code != SQLITE_OK) throw failure(code);
    return handle;
}

Statement Connection::prepare(const Sql& sql) {
    const auto found = by_sql_.find(sql.sql());
    if (found != by_sql_.end() && found->second->in_use) {
        sqlite3_stmt* handle = compile(sql.sql(), 0);
        Statement statement(*this, handle, nullptr);
        bind(handle, sql);
        return statement;
    }
    if (found != by_sql_.end()) cache_.splice(cache_.begin(), cache_, found->second);
    else remember(sql.sql());
    Cached& cached = cache_.front();
    cached.in_use = true;
    Statement statement(*this, cached.handle, &cached.in_use);
    bind(cached.handle, sql);
    return statement;
}

void Connection::remember(const std::string& sql) {
    cache_.push_front({sql, compile(sql, SQLITE_PREPARE_PERSISTENT), false});
    by_sql_[cache_.front().sql] = cache_.begin();
    // The oldest may be at work while others are prepared within it: then it is the next oldest, so that no more than these are ever kept.
    auto oldest = cache_.end();
    while (cache_.size() > cached_statements && --oldest != cache_.begin()) {
        if (oldest->in_use) continue;
        by_sql_.erase(oldest->sql);
        sqlite3_finalize(oldest->handle);
        oldest = cache_.erase(oldest);
    }
}

void Connection::bind(sqlite3_stmt* handle, const Sql& sql) {
    int position = 0;
    for (const jf_value& value : sql.values()) {
        ++position;
        // A null pointer would bind NULL, also for an empty text.
        const char* text = value.s.ptr ? value.s.ptr : "";
        int code = SQLITE_OK;
        switch (value.type) {
            case JF_VALUE_INT:
            case JF_VALUE_TIME:
            case JF_VALUE_BOOL: code = sqlite3_bind_int64(handle, position, value.i); break;
            case JF_VALUE_REAL: code = sqlite3_bind_double(handle, position, value.f); break;
            case JF_VALUE_TEXT:
            case JF_VALUE_JSON: code = sqlite3_bind_text64(handle, position, text, value.s.len, SQLITE_STATIC, SQLITE_UTF8); break;
            case JF_VALUE_BYTES: code = sqlite3_bind_blob64(handle, position, text, value.s.len, SQLITE_STATIC); break;
            default: code = sqlite3_bind_null(handle, position); break;
        }
        if (code != SQLITE_OK) throw failure(code);
    }
}

void Connection::execute(const std::string& sql) {
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw failure(code);
}

void Connection::rollback() noexcept {
    if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

/// The errno behind a failure, 0 when SQLite did not keep it.
int Connection::system_error(int code) const {
    // What fails inside COMMIT is kept with the file alone: the database's or the log's.
    if (code != SQLITE_IOERR_WRITE) return sqlite3_system_errno(handle_);
    int error = 0;
    sqlite3_file* log = nullptr;
    sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log && log->pMethods) log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    if (error == 0) sqlite3_file_control(handle_, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

int Connection::checkpoint(int mode) { return sqlite3_wal_checkpoint_v2(handle_, "main", mode, nullptr, nullptr); }

void Connection::on_commit(std::function<void(std::int64_t pages)> told) {
    on_commit_ = std::move(told);
    sqlite3_wal_hook(
        handle_,
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<Connection*>(self)->on_commit_(pages);
            return SQLITE_OK;
        },
        this);
}

StoreFailure Connection::damaged(const std::string& how) const {
    return StoreFailure(JF_E_INTERNAL,
                        "database '" + options_.path + "' is damaged (" + how + "); stop the host and restore a backup, or salvage with sqlite3's .recover",
                        SQLITE_CORRUPT);
}

StoreFailure Connection::failure(int code) const {
    const std::string path = "'" + options_.path + "'";
    const std::string said = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    const int system = handle_ ? system_error(code) : 0;
    const auto make = [&](jf_status status, const std::string& text, std::uint32_t retry_after_ms = 0) {
        return StoreFailure(status, text, code, retry_after_ms);
    };
    // A file-size limit or a quota reaches SQLite as an error of input and output, not as a full disk.
    const bool out_of_space = (code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT || system == EFBIG);
    if ((code & 0xff) == SQLITE_FULL || out_of_space)
        return make(JF_E_QUOTA, "no space left for database " + path + "; free space on its disk or raise its quota", 5000);
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return make(JF_E_TIMEOUT,
                        "database " + path + " has been locked by another process for " + std::to_string(options_.busy_timeout_ms) +
                            " ms; let it finish (fuser shows which), or raise busy_timeout_ms",
                        250);
        case SQLITE_INTERRUPT: return make(JF_E_CANCELLED, "cancelled");
        case SQLITE_NOTADB:
            return make(JF_E_INVALID, path + " is not an SQLite database; move it away or set another path");
        case SQLITE_CORRUPT: return damaged(said);
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_READONLY:
            return make(JF_E_INVALID,
                        "cannot open " + path + ": " + (system ? std::strerror(system) : said.c_str()) +
                            "; give the host's user write access to the file and its folder");
        case SQLITE_IOERR:
            return make(JF_E_INTERNAL, "reading or writing " + path + " failed: " + (system ? std::strerror(system) : said.c_str()), 1000);
        case SQLITE_TOOBIG:
            return make(JF_E_INVALID, "a value, or a record as a whole, is larger than max_record_kib allows (" +
                                          std::to_string(options_.max_record_kib) + " KiB)");
        case SQLITE_NOMEM: return make(JF_E_INTERNAL, "out of memory");
        case SQLITE_CONSTRAINT: {
            if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
                StoreFailure broken = make(JF_E_CONFLICT, said);
                broken.constraint = StoreFailure::Constraint::unique;
                return broken;
            }
            return make(JF_E_INVALID, "a value or a result does not fit its field: " + said);
        }
        case SQLITE_ERROR:
            if (said.starts_with("jf: ")) return make(JF_E_INVALID, said.substr(4));
            if (said == "malformed JSON" || said == "integer overflow") return make(JF_E_INVALID, said);
            [[fallthrough]];
        default: return make(JF_E_INTERNAL, "database " + path + ": " + said);
    }
}

}  // namespace jackfield::sqlite
