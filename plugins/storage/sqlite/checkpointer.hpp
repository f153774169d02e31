#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "config.hpp"
#include "connection.hpp"

namespace jackfield::sqlite {

/// Moves the write-ahead log into the database file on a thread and a connection of its own, so that no writer waits for it. Under writers that never
/// pause the log would still grow, since it begins anew only when all of it has been moved: from four times `checkpoint_pages` on, the last few pages
/// are moved while writers wait, which takes them milliseconds.
class Checkpointer {
  public:
    explicit Checkpointer(const Options& options);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;

    /// After a commit: the log has so many pages.
    void on_commit(std::int64_t pages);
    /// Moves what readers let it, now, on this thread.
    void run_now();
    /// Moves all of it and cuts the log to nothing. BUSY: readers kept it beyond busy_timeout_ms.
    int empty_log();

  private:
    void loop();
    void checkpoint(std::int64_t pages);

    Options options_;
    std::chrono::milliseconds patience_;
    std::mutex mutex_;
    std::condition_variable wanted_;
    std::int64_t pages_ = 0;
    std::int64_t done_pages_ = 0;  // of the log when the last checkpoint began
    bool stopping_ = false;
    bool warned_ = false;
    std::mutex connection_mutex_;
    std::unique_ptr<Connection> connection_;
    std::thread thread_;
};

}  // namespace jackfield::sqlite
