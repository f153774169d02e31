#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.hpp"
#include "runtime/runtime.hpp"
#include "runtime/timer_queue.hpp"

namespace jackfield::runtime {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

/// A thread that is waited for only so long.
class Thread {
  public:
    template <typename Body>
    explicit Thread(Body body)
        : end_(std::make_shared<End>()), thread_([end = end_, body = std::move(body)]() mutable {
              body();
              {
                  const std::lock_guard lock(end->mutex);
                  end->reached = true;
              }
              end->changed.notify_all();
          }) {}
    Thread(Thread&&) = default;
    Thread& operator=(Thread&&) = default;

    /// False: it still runs, and is left to itself.
    bool join_until(Deadline deadline) {
        if (!thread_.joinable()) return true;
        std::unique_lock lock(end_->mutex);
        const bool reached = end_->changed.wait_until(lock, deadline, [this] { return end_->reached; });
        lock.unlock();
        if (reached) thread_.join();
        else thread_.detach();
        return reached;
    }

  private:
    struct End {
        std::mutex mutex;
        std::condition_variable changed;
        bool reached = false;
    };
    std::shared_ptr<End> end_;
    std::thread thread_;
};

void name_thread(const std::string& name) { pthread_setname_np(pthread_self(), name.substr(0, 15).c_str()); }

class RealShard final : public Shard {
  public:
    RealShard(unsigned index, const base::Clock& clock) : Shard(index), clock_(clock), alarm_(io_) {}

    void start() {
        thread_.emplace([this] {
            name_thread("jf-shard-" + std::to_string(index()));
            io_.run();
        });
    }
    bool stop(Deadline deadline) {
        work_.reset();
        boost::asio::post(io_, [this] {
            stopping_ = true;
            alarm_.cancel();
            io_.stop();
        });
        return !thread_ || thread_->join_until(deadline);
    }

    void post(base::Task task) override {
        boost::asio::post(io_, [this, task = std::move(task)]() mutable { enter(task); });
    }

    TimerId start_timer(base::MonoTime at, base::Task task) override {
        const bool first = timers_.empty() || at < timers_.next();
        const TimerId id = timers_.add(at, std::move(task));
        if (first && !firing_) arm();
        return id;
    }

    void cancel_timer(TimerId timer) override { timers_.cancel(timer); }
    base::MonoTime now() const override { return clock_.now(); }
    boost::asio::io_context& io() { return io_; }

  private:
    void arm() {
        if (timers_.empty() || stopping_) return;
        // Timers of a hundred calls come at any moment, and being woken costs more than most of them do: those of one such step share it.
        const std::chrono::nanoseconds next = (std::chrono::nanoseconds(timers_.next().ns + timer_step.count() - 1) / timer_step) * timer_step;
        alarm_.expires_at(std::chrono::steady_clock::time_point(next));
        alarm_.async_wait([this](const boost::system::error_code& error) {
            if (!error) fire();
        });
    }
    void fire() {
        firing_ = true;
        while (base::Task task = timers_.take_due(clock_.now())) enter(task);
        firing_ = false;
        arm();
    }

    /// Divides the media clock's 5 ms, so that packets leave on time. A timer is late by it at most.
    static constexpr std::chrono::nanoseconds timer_step = std::chrono::microseconds(2500);

    const base::Clock& clock_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
        boost::asio::make_work_guard(io_);
    boost::asio::steady_timer alarm_;
    TimerQueue timers_;
    bool firing_ = false;
    bool stopping_ = false;
    std::optional<Thread> thread_;
};

class RealPool final : public Pool {
  public:
    RealPool(std::string name, unsigned threads, std::size_t queue) : name_(std::move(name)), limit_(queue) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    bool stop(Deadline deadline) {
        std::vector<Thread> threads;
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            threads.swap(threads_);
        }
        ready_.notify_all();
        bool all = true;
        for (Thread& thread : threads) all = thread.join_until(deadline) && all;
        return all;
    }
    void replace_stuck_thread() override {
        const std::lock_guard lock(mutex_);
        if (stopping_ || replaced_ == most_replaced) return;
        ++replaced_;
        threads_.emplace_back([this] { work(); });
    }
    bool submit(base::Task task) override {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_ || tasks_.size() >= limit_) return false;
            tasks_.push_back(std::move(task));
        }
        ready_.notify_one();
        return true;
    }

  private:
    /// A plugin that hangs again and again must not fill the process with threads.
    static constexpr unsigned most_replaced = 32;

    void work() {
        name_thread(name_);
        // A decoder or a checkpoint must not delay an audio packet: on Linux a nice value belongs to the thread.
        setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 5);
        std::unique_lock lock(mutex_);
        while (true) {
            ready_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            base::Task task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            task = {};
            lock.lock();
        }
    }

    std::string name_;
    std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<base::Task> tasks_;
    bool stopping_ = false;
    unsigned replaced_ = 0;
    std::vector<Thread> threads_;
};

}  // namespace

struct RealRuntime::Impl {
    explicit Impl(const RuntimeOptions& options)
        : pool("jf-pool", options.pool_threads, options.pool_queue),
          storage("jf-storage", options.pool_threads, options.pool_queue),
          control("jf-control", 4, 1024) {
        unsigned count = options.shards ? options.shards : std::max(1u, std::thread::hardware_concurrency());
        for (unsigned i = 0; i < std::min(count, 255u); ++i)
            shards.push_back(std::make_unique<RealShard>(i, clock));
    }

    base::SystemClock clock;
    base::SystemRandom random;
    std::vector<std::unique_ptr<RealShard>> shards;
    RealPool pool;
    RealPool storage;
    RealPool control;
    bool running = false;
    bool left_behind = false; ///< a thread still runs on this
};

RealRuntime::RealRuntime(RuntimeOptions options) : impl_(std::make_unique<Impl>(options)) {}
RealRuntime::~RealRuntime() {
    stop();
    if (impl_->left_behind) static_cast<void>(impl_.release());
}

void RealRuntime::start() {
    if (impl_->running) return;
    impl_->running = true;
    for (auto& shard : impl_->shards) shard->start();
}

bool RealRuntime::stop(base::Milliseconds limit) {
    const Deadline deadline = std::chrono::steady_clock::now() + limit;
    bool all = impl_->control.stop(deadline);
    all = impl_->pool.stop(deadline) && all;
    all = impl_->storage.stop(deadline) && all;
    if (std::exchange(impl_->running, false))
        for (auto& shard : impl_->shards) all = shard->stop(deadline) && all;
    if (!all) impl_->left_behind = true;
    return !impl_->left_behind;
}

unsigned RealRuntime::shard_count() const { return static_cast<unsigned>(impl_->shards.size()); }
Shard& RealRuntime::shard(unsigned index) {
    JF_ASSERT(index < impl_->shards.size(), "shard indices come from shard_count()");
    return *impl_->shards[index];
}
Pool& RealRuntime::pool() { return impl_->pool; }
Pool& RealRuntime::storage_pool() { return impl_->storage; }
Pool& RealRuntime::control_pool() { return impl_->control; }
const base::Clock& RealRuntime::clock() const { return impl_->clock; }
base::Random& RealRuntime::random() { return impl_->random; }
void* RealRuntime::io_context_of(Shard& shard) { return &static_cast<RealShard&>(shard).io(); }

}  // namespace jackfield::runtime
