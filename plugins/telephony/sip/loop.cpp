#include "loop.hpp"

#include "libre.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <csignal>
#include <cstring>

#include <pthread.h>

namespace jackfield::sip {
namespace {

// The library keeps its table by descriptor number, so the host's media sockets count although
// they aren't in it. A TCP connection whose number lies beyond is refused.
constexpr int most_descriptors = 32768;

// With a handler set the library's own diagnostics go here instead of to stderr. They speak of its
// inside (slow handlers, epoll errors); what an operator can act on is logged by us.
void swallow_debug(int, const char*, std::size_t, void*) {}

}  // namespace

std::shared_ptr<Loop> Loop::get() {
    static std::mutex mutex;
    static std::weak_ptr<Loop> current;
    const std::lock_guard lock(mutex);
    std::shared_ptr<Loop> loop = current.lock();
    if (!loop) {
        loop.reset(new Loop);
        current = loop;
    }
    return loop;
}

Loop::Loop() {
    static std::once_flag once;
    // Not libre_init(): besides this it takes over the process's SIGPIPE, which is the host's, and
    // OpenSSL 3 needs no such call.
    std::call_once(once, [] {
        rand_init();
        dbg_handler_set(swallow_debug, nullptr);
    });
    thread_ = std::thread([this] { thread_main(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return up_ || problem_; });
    if (problem_) {
        const int problem = problem_;
        lock.unlock();
        thread_.join();
        throw sdk::Failure(JF_E_INTERNAL,
                           std::string("the SIP thread can't start: ") + std::strerror(problem));
    }
}

Loop::~Loop() {
    post([] { re_cancel(); });
    thread_.join();
}

void Loop::thread_main() {
    // Signals are the host's: none is delivered here, and a write to a closed connection fails with
    // EPIPE.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_setname_np(pthread_self(), "jf-sip");

    int problem = re_thread_init();
    if (!problem) problem = fd_setsize(most_descriptors);
    const auto on_wake = [](int, void*, void* self) { static_cast<Loop*>(self)->drain(); };
    struct mqueue* queue = nullptr;
    if (!problem) problem = mqueue_alloc(&queue, on_wake, this);
    {
        const std::lock_guard lock(mutex_);
        queue_ = queue;
        up_ = problem == 0;
        problem_ = problem;
    }
    changed_.notify_all();
    if (!problem) re_main(nullptr);
    mem_deref(queue);
    re_thread_close();
}

void Loop::post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    // One wake-up for all that waits, so that the library's pipe can't fill up and refuse.
    if (!woken_) woken_ = mqueue_push(queue_, 0, nullptr) == 0;
}

void Loop::run(const std::function<void()>& task) {
    bool done = false;
    post([&] {
        sdk::guarded(nullptr, [&] { task(); });
        const std::lock_guard lock(mutex_);
        done = true;
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done; });
}

void Loop::drain() {
    std::deque<std::function<void()>> tasks;
    {
        const std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
        woken_ = false;
    }
    for (const std::function<void()>& task : tasks) sdk::guarded(nullptr, [&] { task(); });
}

}  // namespace jackfield::sip
