#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <jackfield/base.h>

namespace jackfield::sqlite {

/// The ops that run at the moment, so that cancel() reaches them and quiesce() can wait for them.
class Operations {
  public:
    using Flag = std::shared_ptr<std::atomic<bool>>;  // shared: cancel() may hold it while the op ends

    Flag begin(jf_op op) {
        auto flag = std::make_shared<std::atomic<bool>>(false);
        const std::lock_guard lock(mutex_);
        running_[op] = flag;
        return flag;
    }
    void end(jf_op op) {
        const std::lock_guard lock(mutex_);
        running_.erase(op);
        ended_.notify_all();
    }
    bool cancel(jf_op op) {
        const std::lock_guard lock(mutex_);
        const auto found = running_.find(op);
        if (found == running_.end()) return false;
        found->second->store(true);
        return true;
    }
    /// False: some still ran after `budget`.
    bool wait_idle(std::chrono::milliseconds budget) {
        std::unique_lock lock(mutex_);
        return ended_.wait_for(lock, budget, [&] { return running_.empty(); });
    }

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::unordered_map<jf_op, Flag> running_;
};

/// The ops of watch(). They last until they are cancelled.
class Watchers {
  public:
    struct Watch {
        jf_op op;
        std::uint32_t collection;
        std::string tenant;
    };
    void add(Watch watch) {
        const std::lock_guard lock(mutex_);
        watches_.push_back(std::move(watch));
    }
    bool remove(jf_op op) {
        const std::lock_guard lock(mutex_);
        return std::erase_if(watches_, [&](const Watch& watch) { return watch.op == op; }) > 0;
    }
    std::vector<Watch> take_all() {
        const std::lock_guard lock(mutex_);
        return std::exchange(watches_, {});
    }
    /// Calls wake(op) for each watch of the collection and tenant, or of any tenant; the lock keeps a wake from coming after the watch has ended.
    template <typename Wake>
    void wake(std::uint32_t collection, std::string_view tenant, Wake wake) {
        const std::lock_guard lock(mutex_);
        for (const Watch& watch : watches_)
            if (watch.collection == collection && (watch.tenant.empty() || watch.tenant == tenant)) wake(watch.op);
    }

  private:
    std::mutex mutex_;
    std::vector<Watch> watches_;
};

}  // namespace jackfield::sqlite
