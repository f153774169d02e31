#include "checkpointer.hpp"

#include <sqlite3.h>

namespace jackfield::sqlite {
namespace {

constexpr std::int64_t page_bytes = 4096;

}  // namespace

Checkpointer::Checkpointer(const Options& options) : options_(options), patience_(options.busy_timeout_ms) {
    // While it waits for readers to leave the log, writers wait for it.
    options_.busy_timeout_ms = 50;
    connection_ = Connection::open(options_, Connection::Role::checkpointer);
    thread_ = std::thread([this] { loop(); });
}

Checkpointer::~Checkpointer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        wanted_.notify_one();
    }
    thread_.join();
}

void Checkpointer::on_commit(std::int64_t pages) {
    {
        const std::lock_guard lock(mutex_);
        // Fewer than before: the log has begun anew.
        if (pages < pages_) done_pages_ = 0;
        pages_ = pages;
        if (pages_ - done_pages_ < options_.checkpoint_pages) return;
        if (pages_ < 8 * options_.checkpoint_pages) return wanted_.notify_one();
        done_pages_ = pages;
    }
    // The thread does not keep up: the writer pays for once, since the log must not grow without end. SQLite has let the write lock go.
    checkpoint(pages);
}

void Checkpointer::run_now() {
    std::int64_t pages = 0;
    {
        const std::lock_guard lock(mutex_);
        pages = pages_;
    }
    checkpoint(pages);
}

int Checkpointer::empty_log() {
    const std::lock_guard lock(connection_mutex_);
    const auto until = std::chrono::steady_clock::now() + patience_;
    while (true) {
        const int code = connection_->checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
        if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= until) return code & 0xff;
        // SQLite waits for readers itself, but not for another process's checkpoint.
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

void Checkpointer::loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        wanted_.wait(lock, [&] { return stopping_ || pages_ - done_pages_ >= options_.checkpoint_pages; });
        if (stopping_) return;
        const std::int64_t pages = pages_;
        done_pages_ = pages;
        lock.unlock();
        checkpoint(pages);
        lock.lock();
    }
}

void Checkpointer::checkpoint(std::int64_t pages) {
    const std::lock_guard lock(connection_mutex_);
    const int passive = connection_->checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    if (passive != SQLITE_OK && passive != SQLITE_BUSY) {
        // What was answered stays in the log: nothing is lost, but it grows.
        options_.warn("sqlite.checkpoint_failed", connection_->failure(passive).what());
        return;
    }
    if (pages < 4 * options_.checkpoint_pages) return;
    const bool restarted = connection_->checkpoint(SQLITE_CHECKPOINT_RESTART) == SQLITE_OK;
    const bool too_long = !restarted && pages * page_bytes > options_.wal_limit_mib << 20;
    if (too_long && !warned_)
        options_.warn("sqlite.log_is_long", std::to_string(pages * page_bytes >> 20) + " MiB: a reader has kept it from beginning anew");
    warned_ = too_long;
}

}  // namespace jackfield::sqlite
