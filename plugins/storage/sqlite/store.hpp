#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkpointer.hpp"
#include "config.hpp"
#include "connection.hpp"
#include "declare.hpp"
#include "migrate.hpp"
#include "query.hpp"
#include "write.hpp"

namespace jackfield::sqlite {

/// Connections that threads borrow, waiting while none is free.
class Pool {
  public:
    class Lease {
      public:
        Lease(Pool& pool, std::unique_ptr<Connection> connection) : pool_(pool), connection_(std::move(connection)) {}
        ~Lease() { pool_.give_back(std::move(connection_)); }
        Lease(const Lease&) = delete;
        Connection& operator*() { return *connection_; }

      private:
        Pool& pool_;
        std::unique_ptr<Connection> connection_;
    };

    void add(std::unique_ptr<Connection> connection) { give_back(std::move(connection)); }
    /// Throws StoreFailure when cancelled before one is free.
    Lease borrow(const std::atomic<bool>& cancelled);
    Lease borrow();

  private:
    void give_back(std::unique_ptr<Connection> connection);
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

/// The open database. Every function may be called from several threads at once and blocks its own.
class Store {
  public:
    /// Throws StoreFailure.
    static std::unique_ptr<Store> open(const Options& options);
    ~Store();

    const Catalogue& catalogue() const { return catalogue_; }
    std::uint32_t declare(Collection wanted);
    /// The cursor, empty when there are no more rows.
    std::string query(const QueryRequest& query, const RowSink& sink, const std::atomic<bool>& cancelled);
    /// All or none. Durable when it returns. Writers that wait at the same time share one transaction, and so one sync of the disk.
    WriteResult write(const std::vector<WriteRequest>& writes, const std::atomic<bool>& cancelled);
    std::uint64_t migrate(const MigrateRequest& request, const StepSink& sink);
    /// Lends a connection for reading, or the one that writes: for what is no record. What runs there is interrupted once `cancelled` is set.
    void with_reader(const std::atomic<bool>& cancelled, const std::function<void(Connection&)>& body);
    void with_writer(const std::atomic<bool>& cancelled, const std::function<void(Connection&)>& body);
    /// Moves the log into the database file, as far as readers let it.
    void checkpoint();

  private:
    struct Job {
        const std::vector<WriteRequest>* writes;
        const std::atomic<bool>* cancelled;
        WriteResult result;
        std::optional<StoreFailure> failure;
        bool done = false;

        bool erases() const;
    };
    explicit Store(const Options& options) : options_(options) {}
    void run_group(std::span<Job* const> jobs);
    bool run_together(Connection& writer, std::span<Job* const> jobs);
    bool run_job(Connection& writer, Job& job);
    void finish_erasing(Connection& writer, std::span<Job* const> jobs);
    void tell_changes(std::span<Job* const> jobs);
    Pool& readers() { return options_.in_memory() ? writer_ : readers_; }

    Options options_;
    Catalogue catalogue_;
    std::unique_ptr<Checkpointer> checkpointer_;  // before the writer, whose commits tell it; null in memory
    Pool writer_;  // of one; in memory the readers' too, since the data lives in that connection
    Pool readers_;

    std::mutex queue_mutex_;
    std::condition_variable job_done_;
    std::vector<Job*> queue_;
    bool group_runs_ = false;
};

}  // namespace jackfield::sqlite
