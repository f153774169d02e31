#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <jackfield/records.h>
#include <sqlite3.h>

#include "config.hpp"
#include "failure.hpp"
#include "sql.hpp"

namespace jackfield::sqlite {

/// PRAGMA application_id: "JKFD" tells our files from another program's.
constexpr std::int64_t application_id = 0x4a4b4644;
/// PRAGMA user_version: layout of the tables that describe the collections.
constexpr std::int64_t storage_format = 2;

/// Makes the file, and folders that are missing, for the owner only, with its name on the disk. Leaves one that stands alone.
void make_file(const std::string& path);

class Connection;

/// A prepared statement with its values bound, lent from the connection's cache. The values are borrowed until it is destroyed.
class Statement {
  public:
    Statement(Connection& connection, sqlite3_stmt* handle, bool* in_use);
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement(const Statement&) = delete;

    /// True: a row stands ready. False: done. Throws StoreFailure.
    bool step();
    void run() {
        while (step()) {
        }
    }

    int columns() const { return sqlite3_column_count(handle_); }
    bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
    std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
    double real(int column) const { return sqlite3_column_double(handle_, column); }
    /// TEXT or BLOB, until the next step.
    std::string_view text(int column) const;

  private:
    Connection& connection_;
    sqlite3_stmt* handle_;
    bool* in_use_;  // the cache entry's mark; null when the statement is not cached and ends here
};

/// One connection to the database, used by one thread at a time.
class Connection {
  public:
    enum class Role : std::uint8_t { writer, reader, checkpointer };

    /// Opens and sets up. The writer makes the file and its folder when they are missing. Throws StoreFailure.
    static std::unique_ptr<Connection> open(const Options& options, Role role);
    ~Connection();
    Connection(const Connection&) = delete;

    /// The statement for the text, with the values bound; they must outlive it.
    Statement prepare(const Sql& sql);
    /// Statements without values and results: pragmas, transactions, definitions.
    void execute(const std::string& sql);

    /// Rows that the last statement changed.
    std::uint64_t changes() const { return static_cast<std::uint64_t>(sqlite3_changes64(handle_)); }
    bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
    void rollback() noexcept;

    /// While set and true, what runs here is interrupted. Null to end that.
    void stop_when(const std::atomic<bool>* cancelled) { cancelled_ = cancelled; }
    /// What runs here after that moment is interrupted.
    void stop_at(std::optional<std::chrono::steady_clock::time_point> moment) { stop_at_ = moment; }

    /// SQLITE_CHECKPOINT_*; SQLITE_BUSY: somebody was in the way.
    int checkpoint(int mode);
    /// Told after each commit: how many pages the write-ahead log has.
    void on_commit(std::function<void(std::int64_t pages)> told);

    /// What SQLite's result code means for the caller, with the path and a remedy.
    StoreFailure failure(int code) const;
    StoreFailure damaged(const std::string& how) const;

  private:
    Connection(sqlite3* handle, const Options& options) : handle_(handle), options_(options) {}
    void set_up(Role role);
    void check_identity(Role role);
    int system_error(int code) const;
    std::int64_t pragma_integer(const char* sql);
    std::string pragma_text(const char* sql);
    sqlite3_stmt* compile(const std::string& sql, unsigned flags);
    void remember(const std::string& sql);
    void bind(sqlite3_stmt* handle, const Sql& sql);

    struct Cached {
        std::string sql;
        sqlite3_stmt* handle = nullptr;
        bool in_use = false;
    };
    sqlite3* handle_;
    Options options_;
    std::list<Cached> cache_;  // most recently used first
    std::unordered_map<std::string_view, std::list<Cached>::iterator> by_sql_;
    const std::atomic<bool>* cancelled_ = nullptr;
    std::optional<std::chrono::steady_clock::time_point> stop_at_;
    std::function<void(std::int64_t)> on_commit_;
};

}  // namespace jackfield::sqlite
