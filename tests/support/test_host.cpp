#include "support/test_host.hpp"

namespace jackfield::test {

TestHost::TestHost() {
    table_ = sdk::make<jf_host_v1>();
    table_.ctx = reinterpret_cast<jf_host_ctx*>(this);
    table_.query = [](jf_host_ctx* ctx, jf_str id) -> const void* {
        const auto found = self(ctx).facilities_.find(std::string(sdk::view(id)));
        return found == self(ctx).facilities_.end() ? nullptr : found->second;
    };
    table_.op_open = [](jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) -> jf_status {
        TestHost& host = self(ctx);
        const std::lock_guard lock(host.mutex_);
        if (parent != JF_NO_OP && !host.ops_.contains(parent)) return JF_E_INVALID;
        *out = host.next_++;
        Op op;
        op.used_by_plugin = true;
        op.parent = parent;
        op.sink = *sink;
        host.ops_[*out] = op;
        return JF_OK;
    };
    table_.emit = [](jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) -> jf_status {
        TestHost& host = self(ctx);
        {
            const std::lock_guard lock(host.mutex_);
            const auto found = host.ops_.find(op);
            if (found == host.ops_.end() || found->second.used_by_plugin) return JF_E_INVALID;
            for (std::uint32_t i = 0; i < n; ++i)
                if (found->second.on_event) found->second.on_event(op, events[i]);
        }
        host.changed_.notify_all();
        return JF_OK;
    };
    table_.complete = [](jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last,
                         const jf_error* error) -> jf_status {
        TestHost& host = self(ctx);
        {
            const std::lock_guard lock(host.mutex_);
            const auto found = host.ops_.find(op);
            if (found == host.ops_.end() || found->second.used_by_plugin) {
                ++host.double_completions_;
                return JF_E_INVALID;
            }
            const OnDone done = std::move(found->second.on_done);
            host.ops_.erase(found);
            if (done) done(op, status, last, error);
        }
        host.changed_.notify_all();
        return JF_OK;
    };
    table_.cancel = [](jf_host_ctx* ctx, jf_op op) -> jf_status {
        TestHost& host = self(ctx);
        const std::lock_guard lock(host.mutex_);
        for (auto it = host.timers_.begin(); it != host.timers_.end(); ++it)
            if (it->second == op) {
                host.timers_.erase(it);
                host.complete_used(op, JF_E_CANCELLED);
                return JF_OK;
            }
        return host.ops_.contains(op) ? JF_OK : JF_E_INVALID;
    };
    table_.log = [](jf_host_ctx* ctx, std::uint32_t, jf_op, jf_str event, jf_array) {
        const std::lock_guard lock(self(ctx).mutex_);
        self(ctx).log_.emplace_back(sdk::view(event));
    };
    table_.now_ns = [](jf_host_ctx* ctx) -> std::uint64_t {
        const std::lock_guard lock(self(ctx).mutex_);
        return self(ctx).now_ns_;
    };
    table_.thread_class = [](jf_host_ctx*) -> std::uint32_t { return JF_THREAD_STREAM; };

    timer_ = sdk::make<jf_host_timer_v1>();
    timer_.start = [](jf_host_ctx* ctx, jf_op op, std::uint64_t delay_ns) -> jf_status {
        TestHost& host = self(ctx);
        const std::lock_guard lock(host.mutex_);
        if (!host.ops_.contains(op)) return JF_E_INVALID;
        if (delay_ns == 0) host.complete_used(op, JF_OK);
        else host.timers_.emplace(host.now_ns_ + delay_ns, op);
        return JF_OK;
    };
    add_facility(JF_FACILITY_TIMER, &timer_);

    worker_ = sdk::make<jf_host_worker_v1>();
    worker_.start = [](jf_host_ctx* ctx, jf_op op, jf_status (*work)(void*, jf_op), void* user) -> jf_status {
        TestHost& host = self(ctx);
        {
            const std::lock_guard lock(host.mutex_);
            if (!host.ops_.contains(op)) return JF_E_INVALID;
            host.jobs_.push_back([&host, op, work, user] { host.complete_used(op, work(user, op)); });
        }
        host.changed_.notify_all();
        return JF_OK;
    };
    add_facility(JF_FACILITY_WORKER, &worker_);
    for (int i = 0; i < 2; ++i) workers_.emplace_back([this] { run_jobs(); });
}

TestHost::~TestHost() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void TestHost::run_jobs() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        changed_.notify_all();
        lock.lock();
    }
}

jf_op TestHost::start_op(OnEvent on_event, OnDone on_done) {
    const std::lock_guard lock(mutex_);
    const jf_op op = next_++;
    Op entry;
    entry.on_event = std::move(on_event);
    entry.on_done = std::move(on_done);
    ops_[op] = std::move(entry);
    return op;
}

bool TestHost::is_open(jf_op op) const {
    const std::lock_guard lock(mutex_);
    return ops_.contains(op);
}

bool TestHost::wait_until(const std::function<bool()>& ready, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(mutex_);
    while (!ready()) {
        if (!posted_.empty()) {
            lock.unlock();
            poll();
            lock.lock();
            continue;
        }
        if (changed_.wait_until(lock, deadline) == std::cv_status::timeout && posted_.empty()) return ready();
    }
    return true;
}

bool TestHost::wait_done(jf_op op, std::chrono::milliseconds timeout) {
    return wait_until([&] { return !ops_.contains(op); }, timeout);
}

void TestHost::advance(std::chrono::nanoseconds by) {
    const std::uint64_t until = now_ns_ + static_cast<std::uint64_t>(by.count());
    while (true) {
        poll();
        const std::lock_guard lock(mutex_);
        if (timers_.empty() || timers_.begin()->first > until) {
            now_ns_ = until;
            break;
        }
        now_ns_ = timers_.begin()->first;
        const jf_op op = timers_.begin()->second;
        timers_.erase(timers_.begin());
        complete_used(op, JF_OK);
    }
    poll();
}

void TestHost::poll() {
    while (true) {
        std::function<void()> task;
        {
            const std::lock_guard lock(mutex_);
            if (posted_.empty()) return;
            task = std::move(posted_.front());
            posted_.pop_front();
        }
        task();
        changed_.notify_all();
    }
}

void TestHost::post(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(task));
    }
    changed_.notify_all();
}

std::vector<std::string> TestHost::log_events() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

std::size_t TestHost::open_ops() const {
    const std::lock_guard lock(mutex_);
    return ops_.size();
}

jf_sink TestHost::sink_of(jf_op op) const {
    const std::lock_guard lock(mutex_);
    const auto found = ops_.find(op);
    return found == ops_.end() ? jf_sink{} : found->second.sink;
}

void TestHost::complete_used(jf_op op, jf_status status) {
    post([this, op, status] {
        jf_sink sink{};
        {
            const std::lock_guard lock(mutex_);
            const auto found = ops_.find(op);
            if (found == ops_.end()) return;
            sink = found->second.sink;
            ops_.erase(found);
        }
        sink.on_done(sink.user, op, status, nullptr, nullptr);
    });
}

}  // namespace jackfield::test
