#pragma once

// The thread that runs the SIP library. libre's objects belong to the thread whose loop they were
// made on, and its loop can't be pumped from outside; so all instances of this plugin in a process
// share one thread, which starts with the first of them and ends with the last.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

struct mqueue;

namespace jackfield::sip {

class Loop {
  public:
    /// The process's loop, started when nobody has it yet. Throws sdk::Failure when the thread or
    /// its queue can't be had.
    static std::shared_ptr<Loop> get();
    ~Loop();
    Loop(const Loop&) = delete;

    /// Runs `task` on the loop's thread, in order. Any thread; never blocks, and is never refused.
    void post(std::function<void()> task);
    /// Runs `task` there and waits for it. Not from the loop's thread.
    void run(const std::function<void()>& task);

  private:
    Loop();
    void thread_main();
    void drain();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    struct mqueue* queue_ = nullptr;
    bool woken_ = false;
    bool up_ = false;
    int problem_ = 0;
    std::thread thread_;
};

}  // namespace jackfield::sip
