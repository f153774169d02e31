#pragma once

// The host behind test_host.hpp; include that.

namespace jackfield::sdk {

class TestHost {
  public:
    TestHost() { make_facilities(); }
    ~TestHost() {
        if (breaches_seen_ == breaches_.size()) return;
        std::fprintf(stderr, "the plugin broke the contract, and the test did not look:\n");
        for (const std::string& text : breaches_) std::fprintf(stderr, "  %s\n", text.c_str());
        std::abort();
    }
    TestHost(const TestHost&) = delete;
    TestHost& operator=(const TestHost&) = delete;

    // ---- time -----------------------------------------------------------------------------------------------------------------
    std::uint64_t now_ns() const {
        const std::lock_guard lock(mutex_);
        return now_ns_;
    }
    /// Everything that is due now: workers, completions, timers without delay, datagrams.
    void run() {
        while (const auto task = next_task()) task();
    }
    /// Moves the clock on, and stops at each moment at which something becomes due.
    void advance(std::chrono::nanoseconds by) {
        const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(by.count());
        for (run(); step_clock(until); run()) {}
        run();
        force_cancelled();
    }
    /// For plugins with threads of their own: runs what they bring until `ready` holds. False after `limit` of real time. It looks whenever the
    /// plugin reports something, and every few milliseconds besides: a condition may also be outside, as a socket of the test's.
    bool run_until(const std::function<bool()>& ready, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (true) {
            run();
            std::unique_lock lock(mutex_);
            if (ready()) return true;
            if (!tasks_.empty()) continue;
            const auto now = std::chrono::steady_clock::now();
            if (now >= deadline) return false;
            changed_.wait_until(lock, std::min(deadline, now + std::chrono::milliseconds(5)));
        }
    }

    // ---- what was seen --------------------------------------------------------------------------------------------------------
    /// Everything that broke the contract so far.
    const std::vector<std::string>& breaches() {
        breaches_seen_ = breaches_.size();
        return breaches_;
    }
    /// A test's own.
    void breach(std::string text) {
        const std::lock_guard lock(mutex_);
        breaches_.push_back(std::move(text));
    }
    const std::vector<LogLine>& log() const { return log_; }
    std::uint64_t counter(const std::string& name) const {
        const auto found = counters_.find(name);
        return found == counters_.end() ? 0 : found->second;
    }
    double gauge(const std::string& name) const {
        const auto found = gauges_.find(name);
        return found == gauges_.end() ? 0 : found->second;
    }

    // ---- a host in trouble ----------------------------------------------------------------------------------------------------
    /// The next n are answered with AGAIN (emit, worker, send) and QUOTA (open).
    void refuse_emits(int n) { refuse_emits_ = n; }
    void refuse_work(int n) { refuse_work_ = n; }
    void refuse_sends(int n) { refuse_sends_ = n; }
    void refuse_opens(int n) { refuse_opens_ = n; }
    /// So are the next n calls that the plugin reports: with JF_E_STATE as by a host that is draining, JF_E_QUOTA by one that is full.
    void refuse_incoming(jf_status status, int n) { refused_incoming_ = {status, n}; }

    // ---- the scripted network (jf.host.net/1) -------------------------------------------------------------------------------------
    /// Everything that the plugin sent.
    const std::vector<Datagram>& sent() const { return sent_; }
    /// The far end: called for each datagram that the plugin sends, inside its udp_send. Answers with deliver().
    std::function<void(const Datagram&)> on_datagram;
    /// The open sockets, by the address that each is bound to.
    std::map<jf_op, jf_endpoint> sockets() const {
        const std::lock_guard lock(mutex_);
        return sockets_;
    }
    /// A datagram for one of the plugin's sockets, `after` some simulated time. Lost when the socket is closed by then.
    void deliver(jf_op socket, const jf_endpoint& from, std::string_view data, std::chrono::nanoseconds after = {}) {
        const std::lock_guard lock(mutex_);
        at(now_ns_ + static_cast<std::uint64_t>(after.count()), [this, socket, from, kept = std::string(data)] {
            jf_datagram datagram = make<jf_datagram>();
            datagram.from = from;
            datagram.data = bytes(kept);
            send_event(socket, JF_EV_DATAGRAM, datagram);
        });
    }

    /// Its TCP: listeners, connections, and who is on their other ends.
    TestTcp& tcp() { return tcp_; }

    // ---- incoming calls (jf.host.calls/1) -----------------------------------------------------------------------------------------
    /// Called, in run(), for each call that the plugin reports; `call` holds copies.
    std::function<void(TestOp& leg, const jf_incoming& call)> on_incoming;

    // ---- providers and records that the plugin uses -------------------------------------------------------------------------------
    /// What jf.host.providers/1 finds under this name; a table and an instance of the test's own.
    void provide(std::string name, std::string interface_id, const void* table, void* instance) {
        provided_[{std::move(name), std::move(interface_id)}] = {table, static_cast<jf_instance*>(instance)};
    }
    /// What jf.host.records/1 finds.
    void provide_records(const void* table, void* instance) { provide("", JF_RECORDS_V1, table, instance); }
    /// To be called by a provider of the test's own when it accepts an op: from then on the op ends by finish(), or when it is given up.
    void carry(jf_op op) {
        const std::lock_guard lock(mutex_);
        if (const auto found = used_.find(op); found != used_.end()) found->second.runner = Used::provider;
    }
    /// An event on an op that the plugin opened, from whoever carries it out. Delivered in run().
    template <typename T>
    void answer(jf_op op, std::uint32_t type, const T& data, std::uint64_t pos = 0) {
        const Event kept(Host::event_of(type, &data, sizeof data, pos, 0));
        post([this, op, kept] {
            if (const T* copy = kept.as<T>()) send_event(op, kept.type, *copy, kept.pos);
        });
    }
    /// Its completion.
    void finish(jf_op op, jf_status status, const Event& last = {}) {
        post([this, op, status, last] { finish_now(op, status, last.type ? &last : nullptr); });
    }
    /// Has the plugin find a facility that this host lacks. The table must outlive the host.
    void add_facility(std::string id, const void* table) { facilities_[std::move(id)] = table; }
    /// Has it not find one that this host has.
    void remove_facility(const std::string& id) { facilities_.erase(id); }

    /// The table that an instance is given, and whose it is.
    struct Seat {
        jf_host_v1 table{};
        TestHost* host = nullptr;
        bool gone = false;
    };

  private:
    friend class TestInstance;
    using Task = std::function<void()>;

    /// An op that the plugin opened.
    struct Used {
        Seat* seat = nullptr;
        jf_op parent = JF_NO_OP;
        jf_sink sink{};
        enum Runner { none, timer, worker, socket, provider } runner = none;
    };

    static TestHost& of(jf_host_ctx* ctx) { return *reinterpret_cast<Seat*>(ctx)->host; }
    static Seat& seat_of(jf_host_ctx* ctx) { return *reinterpret_cast<Seat*>(ctx); }

    // ---- tasks and time ---------------------------------------------------------------------------------------------------------
    void post(Task task) {
        {
            const std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        changed_.notify_all();
    }
    void at(std::uint64_t ns, Task task) { due_.emplace(ns, std::move(task)); }
    Task next_task() {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty() && !due_.empty() && due_.begin()->first <= now_ns_) {
            Task task = std::move(due_.begin()->second);
            due_.erase(due_.begin());
            return task;
        }
        if (tasks_.empty()) return {};
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        return task;
    }
    bool step_clock(std::uint64_t until) {
        const std::lock_guard lock(mutex_);
        if (due_.empty() || due_.begin()->first > until) {
            now_ns_ = until;
            return false;
        }
        now_ns_ = std::max(now_ns_, due_.begin()->first);
        return true;
    }

    // ---- ops of the host's --------------------------------------------------------------------------------------------------------
    static std::string name(jf_op op) { return "op " + std::to_string(op & 0xffffff); }
    jf_op next_id() {
        // Odd generations, as real ones: a number that a plugin makes up is no op.
        ++last_id_;
        return (last_id_ * 2 + 1) << 32 | last_id_;
    }
    Seat* take_seat() {
        seats_.push_back(std::make_unique<Seat>());
        Seat& seat = *seats_.back();
        seat.host = this;
        fill(seat.table);
        seat.table.ctx = reinterpret_cast<jf_host_ctx*>(&seat);
        return &seat;
    }
    bool first_of(const jf_module_v1* module) { return modules_.insert(module).second; }
    TestOp& mint(Seat& seat) {
        const std::lock_guard lock(mutex_);
        auto op = std::make_unique<TestOp>();
        op->id_ = next_id();
        op->owner_ = seat.table.ctx;
        return *(ops_[op->id_] = std::move(op));
    }
    void answered(TestOp& op, jf_status status, const jf_error& error) {
        {
            const std::lock_guard lock(mutex_);
            op.accepted_ = status;
            if (status == JF_OK) return;
            if (!op.open_) breaches_.push_back(name(op.id_) + " was refused with " + std::to_string(status) + " after it had completed");
            op.open_ = false;
            op.status_ = status;
            op.error_ = error.text;
        }
        close_children(op.id_);
    }
    void cancelled(TestOp& op) {
        const std::lock_guard lock(mutex_);
        if (op.open_ && op.cancelled_at_ == 0) op.cancelled_at_ = now_ns_ + 1;
    }
    /// As the host does 1000 ms after cancel().
    void force_cancelled() {
        std::vector<jf_op> late;
        {
            const std::lock_guard lock(mutex_);
            for (auto& [id, op] : ops_) {
                if (!op->open_ || op->cancelled_at_ == 0 || now_ns_ + 1 - op->cancelled_at_ < 1'000'000'000) continue;
                breaches_.push_back(name(id) + " did not complete within 1000 ms of cancel");
                op->open_ = false;
                op->forced_ = true;
                op->status_ = JF_E_CANCELLED;
                late.push_back(id);
            }
        }
        for (const jf_op id : late) close_children(id);
        run();
    }
    std::vector<TestOp*> open_ops_of(const Seat& seat) {
        const std::lock_guard lock(mutex_);
        std::vector<TestOp*> out;
        for (auto& [id, op] : ops_)
            if (op->open_ && op->owner_ == seat.table.ctx) out.push_back(op.get());
        return out;
    }
    bool any_open(const Seat& seat) { return !open_ops_of(seat).empty(); }
    /// What the plugin opened below its instance ends with it. An op that it neither started nor gave up has been forgotten.
    void close_used(Seat& seat) {
        std::vector<jf_op> left;
        {
            const std::lock_guard lock(mutex_);
            for (auto& [id, used] : used_) {
                if (used.seat != &seat) continue;
                left.push_back(id);
                if (used.runner == Used::none) breaches_.push_back(name(id) + " was opened by the plugin and neither started nor cancelled");
            }
        }
        for (const jf_op id : left) give_up(id);
        run();
    }
    void destroyed(Seat& seat) {
        const std::lock_guard lock(mutex_);
        seat.gone = true;
        for (auto it = used_.begin(); it != used_.end();) it = it->second.seat == &seat ? used_.erase(it) : std::next(it);
    }

    // ---- ops of the plugin's ------------------------------------------------------------------------------------------------------
    /// Claims an op for a facility; null, and a breach, when it can't be started.
    Used* claim(Seat& seat, jf_op op, Used::Runner runner, const char* what) {
        const auto found = used_.find(op);
        const bool own = found != used_.end() && found->second.seat == &seat;
        if (own && found->second.runner == Used::none) {
            found->second.runner = runner;
            return &found->second;
        }
        breaches_.push_back(std::string(what) + " was started on " + name(op) + (own ? ", which had been started" : ", which is not open"));
        return nullptr;
    }
    void close_children(jf_op parent) {
        std::vector<jf_op> children;
        {
            const std::lock_guard lock(mutex_);
            for (auto& [id, used] : used_)
                if (used.parent == parent) children.push_back(id);
        }
        for (const jf_op id : children) give_up(id);
    }
    /// What cancel() does: an op that was never started closes silently.
    void give_up(jf_op op) {
        {
            const std::lock_guard lock(mutex_);
            const auto found = used_.find(op);
            if (found == used_.end()) return;
            forget_network(op);
            if (found->second.runner == Used::none) {
                used_.erase(found);
                return;
            }
            // The work is run all the same, and its own end completes the op.
            if (found->second.runner == Used::worker) return;
        }
        post([this, op] { finish_now(op, JF_E_CANCELLED, nullptr); });
    }
    void finish_now(jf_op op, jf_status status, const Event* last) {
        jf_sink sink;
        {
            const std::lock_guard lock(mutex_);
            const auto found = used_.find(op);
            if (found == used_.end()) return;
            sink = found->second.sink;
            used_.erase(found);
            forget_network(op);
        }
        close_children(op);
        jf_event event{};
        if (last) event = Host::event_of(last->type, last->as<char>(), last->size(), last->pos, last->flags);
        sink.on_done(sink.user, op, status, last ? &event : nullptr, nullptr);
    }
    void forget_network(jf_op op) {
        sockets_.erase(op);
        tcp_.forget(op);
    }
    template <typename T>
    void send_event(jf_op op, std::uint32_t type, const T& data, std::uint64_t pos = 0) {
        tell(op, type, &data, sizeof data, pos);
    }
    void tell(jf_op op, std::uint32_t type, const void* data, std::uint64_t size, std::uint64_t pos = 0) {
        jf_sink sink;
        {
            const std::lock_guard lock(mutex_);
            const auto found = used_.find(op);
            if (found == used_.end()) return;
            sink = found->second.sink;
        }
        jf_event event = Host::event_of(type, data, size, pos, 0);
        event.mono_ns = now_ns();
        sink.on_event(sink.user, op, &event, 1, sizeof event);
    }

    // ---- jf_host_v1 -----------------------------------------------------------------------------------------------------------------
    void fill(jf_host_v1& t) {
        t = make<jf_host_v1>();
        t.abi_minor = JF_ABI_MINOR;
        t.query = [](jf_host_ctx* ctx, jf_str id) -> const void* {
            const auto found = of(ctx).facilities_.find(std::string(view(id)));
            return found == of(ctx).facilities_.end() ? nullptr : found->second;
        };
        t.op_open = [](jf_host_ctx* ctx, jf_op parent, const jf_sink* sink, jf_op* out) -> jf_status {
            return of(ctx).op_open(seat_of(ctx), parent, sink, out);
        };
        t.emit = [](jf_host_ctx* ctx, jf_op op, const jf_event* events, std::uint32_t n) -> jf_status {
            return of(ctx).emit(seat_of(ctx), op, events, n);
        };
        t.complete = [](jf_host_ctx* ctx, jf_op op, jf_status status, const jf_event* last, const jf_error* error) -> jf_status {
            return of(ctx).complete(seat_of(ctx), op, status, last, error);
        };
        t.cancel = [](jf_host_ctx* ctx, jf_op op) -> jf_status {
            TestHost& host = of(ctx);
            {
                const std::lock_guard lock(host.mutex_);
                const auto found = host.used_.find(op);
                if (found == host.used_.end() || found->second.seat != &seat_of(ctx)) return JF_E_INVALID;
            }
            host.give_up(op);
            return JF_OK;
        };
        t.log = [](jf_host_ctx* ctx, std::uint32_t level, jf_op op, jf_str event, jf_array fields) {
            TestHost& host = of(ctx);
            const std::lock_guard lock(host.mutex_);
            LogLine line{level, op, std::string(view(event)), {}};
            for (std::uint32_t i = 0; i < fields.n; ++i)
                line.fields[std::string(view(JF_AT(jf_pair, fields, i)->key))] = view(JF_AT(jf_pair, fields, i)->value);
            host.log_.push_back(std::move(line));
        };
        t.now_ns = [](jf_host_ctx* ctx) -> std::uint64_t { return of(ctx).now_ns(); };
        t.thread_class = [](jf_host_ctx*) -> std::uint32_t { return thread_class(); };
    }

    jf_status op_open(Seat& seat, jf_op parent, const jf_sink* sink, jf_op* out) {
        const std::lock_guard lock(mutex_);
        if (!out || !JF_HAS(sink, jf_sink, on_done) || !sink->on_event || !sink->on_done) {
            breaches_.push_back("op_open with an incomplete sink");
            return JF_E_INVALID;
        }
        if (seat.gone) breaches_.push_back("op_open after destroy");
        const auto started = ops_.find(parent);
        const auto used = used_.find(parent);
        const bool known = (started != ops_.end() && started->second->open_ && started->second->owner_ == seat.table.ctx) ||
                           (used != used_.end() && used->second.seat == &seat);
        if (seat.gone || (parent != JF_NO_OP && !known)) return JF_E_INVALID;
        if (refuse_opens_ > 0) return --refuse_opens_, JF_E_QUOTA;
        *out = next_id();
        used_[*out] = Used{&seat, parent, *sink, Used::none};
        return JF_OK;
    }

    /// The op that `seat` may report on, else null and a breach.
    TestOp* reported(Seat& seat, jf_op op, const std::string& what) {
        const auto found = ops_.find(op);
        if (found == ops_.end() || found->second->owner_ != seat.table.ctx) {
            breaches_.push_back(what + " on " + name(op) + ", which the host did not start on this instance");
            return nullptr;
        }
        if (seat.gone) breaches_.push_back(what + " on " + name(op) + " after destroy");
        if (found->second->open_) return found->second.get();
        if (found->second->accepted_ != JF_OK) breaches_.push_back(what + " on " + name(op) + ", which the plugin had refused");
        else if (!found->second->forced_) breaches_.push_back(what + " on " + name(op) + " after its completion");
        return nullptr;
    }
    static std::string hex(std::uint32_t type) {
        char text[16];
        std::snprintf(text, sizeof text, "0x%04x", type);
        return text;
    }
    void check(const jf_event& event) {
        if (event.struct_size < offsetof(jf_event, data_size) + sizeof event.data_size)
            breaches_.push_back("an event without its struct_size");
        if (event.data && event.data_size == 0) breaches_.push_back("event " + hex(event.type) + " has data of size 0");
    }

    jf_status emit(Seat& seat, jf_op op, const jf_event* events, std::uint32_t n) {
        {
            const std::lock_guard lock(mutex_);
            TestOp* const target = reported(seat, op, n && events ? "event " + hex(events->type) : "emit");
            if (!target) return JF_E_INVALID;
            if (refuse_emits_ > 0) return --refuse_emits_, JF_E_AGAIN;
            for (std::uint32_t i = 0; i < n; ++i) {
                const jf_event& event = *JF_AT(jf_event, (jf_array{events, n, events->struct_size}), i);
                check(event);
                Event& kept = target->events_.emplace_back(event);
                if (kept.mono_ns == 0) kept.mono_ns = now_ns_;
                if (!is_utf8(kept.text())) breaches_.push_back("event " + hex(event.type) + ": its text is not UTF-8");
                if (target->on_event) target->on_event(kept);
            }
        }
        changed_.notify_all();
        return JF_OK;
    }

    jf_status complete(Seat& seat, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
        {
            const std::lock_guard lock(mutex_);
            TestOp* const target = reported(seat, op, "a completion");
            if (!target) return JF_E_INVALID;
            target->open_ = false;
            target->status_ = status;
            if (last) check(*last), target->last_ = Event(*last);
            if (error) target->error_ = error->text;
        }
        post([this, op] { close_children(op); });
        return JF_OK;
    }

    static bool is_utf8(std::string_view text) {
        for (std::size_t i = 0; i < text.size();) {
            const auto lead = static_cast<unsigned char>(text[i]);
            const std::size_t more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 9;
            if (more == 9 || i + more >= text.size()) return false;
            for (std::size_t k = 1; k <= more; ++k)
                if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
            i += more + 1;
        }
        return true;
    }

    // ---- facilities -----------------------------------------------------------------------------------------------------------------
    void make_facilities() {
        thread_class() = JF_THREAD_STREAM;
        static const jf_host_timer_v1 timer = {sizeof timer, 0, [](jf_host_ctx* ctx, jf_op op, std::uint64_t delay) -> jf_status {
            return of(ctx).start_timer(seat_of(ctx), op, delay);
        }};
        static const jf_host_worker_v1 worker = {
            sizeof worker, 0, [](jf_host_ctx* ctx, jf_op op, jf_status (*work)(void*, jf_op), void* user) -> jf_status {
                return of(ctx).start_work(seat_of(ctx), op, work, user);
            }};
        static const jf_host_net_v1 net = {
            sizeof net, 0,
            [](jf_host_ctx* ctx, jf_op op, const jf_udp_open* options, jf_endpoint* local) -> jf_status {
                return of(ctx).udp_open(seat_of(ctx), op, options, local);
            },
            [](jf_host_ctx* ctx, jf_op op, const jf_endpoint* to, jf_bytes data) -> jf_status {
                return of(ctx).udp_send(seat_of(ctx), op, to, data);
            },
            [](jf_host_ctx* ctx, jf_op op, const jf_tcp_listen* options, jf_endpoint* local) -> jf_status {
                return of(ctx).tcp_.listen(ctx, op, options, local);
            },
            [](jf_host_ctx* ctx, jf_op op, std::uint64_t connection) -> jf_status { return of(ctx).tcp_.accept(ctx, op, connection); },
            [](jf_host_ctx* ctx, jf_op op, const jf_tcp_connect* options) -> jf_status { return of(ctx).tcp_.connect_out(ctx, op, options); },
            [](jf_host_ctx* ctx, jf_op op, jf_bytes data) -> jf_status { return of(ctx).tcp_.send(ctx, op, data); },
            [](jf_host_ctx* ctx, jf_op op, std::uint32_t on) -> jf_status { return of(ctx).tcp_.receive(ctx, op, on); },
            [](jf_host_ctx* ctx, jf_op op) -> jf_status { return of(ctx).tcp_.finish(ctx, op); },
            [](jf_host_ctx* ctx, jf_op from, jf_op to) -> jf_status { return of(ctx).tcp_.move(ctx, from, to); }};
        static const jf_host_calls_v1 calls = {sizeof calls, 0, [](jf_host_ctx* ctx, const jf_incoming* call, jf_op* out) -> jf_status {
            return of(ctx).incoming(seat_of(ctx), call, out);
        }};
        static const jf_host_providers_v1 providers = {
            sizeof providers, 0, [](jf_host_ctx* ctx, jf_str name, jf_str id, jf_provider_ref* out, jf_error*) -> jf_status {
                return of(ctx).find_provider(std::string(view(name)), std::string(view(id)), out);
            }};
        static const jf_host_records_v1 records = {sizeof records, 0, [](jf_host_ctx* ctx, jf_provider_ref* out, jf_error*) -> jf_status {
            return of(ctx).find_provider("", JF_RECORDS_V1, out);
        }};
        static const jf_host_metrics_v1 metrics = {
            sizeof metrics, 0,
            [](jf_host_ctx* ctx, jf_str name, std::uint64_t n) {
                const std::lock_guard lock(of(ctx).mutex_);
                of(ctx).counters_[std::string(view(name))] += n;
            },
            [](jf_host_ctx* ctx, jf_str name, double value) {
                const std::lock_guard lock(of(ctx).mutex_);
                of(ctx).gauges_[std::string(view(name))] = value;
            }};
        facilities_ = {{JF_FACILITY_TIMER, &timer},         {JF_FACILITY_WORKER, &worker},   {JF_FACILITY_NET, &net},
                       {JF_FACILITY_CALLS, &calls},         {JF_FACILITY_PROVIDERS, &providers}, {JF_FACILITY_RECORDS, &records},
                       {JF_FACILITY_METRICS, &metrics}};
    }

    /// JF_THREAD_* of the calling thread: the test's own is a strand, one of the plugin's is foreign.
    static std::uint32_t& thread_class() {
        thread_local std::uint32_t current = JF_THREAD_FOREIGN;
        return current;
    }

    jf_status start_timer(Seat& seat, jf_op op, std::uint64_t delay) {
        {
            const std::lock_guard lock(mutex_);
            if (!claim(seat, op, Used::timer, JF_FACILITY_TIMER)) return JF_E_INVALID;
            at(now_ns_ + delay, [this, op] { finish_now(op, JF_OK, nullptr); });
        }
        changed_.notify_all();
        return JF_OK;
    }
    jf_status start_work(Seat& seat, jf_op op, jf_status (*work)(void*, jf_op), void* user) {
        const std::lock_guard lock(mutex_);
        if (refuse_work_ > 0) return --refuse_work_, JF_E_AGAIN;
        if (!claim(seat, op, Used::worker, JF_FACILITY_WORKER)) return JF_E_INVALID;
        tasks_.push_back([this, op, work, user] {
            const std::uint32_t before = std::exchange(thread_class(), JF_THREAD_BLOCKING);
            const jf_status status = work(user, op);
            thread_class() = before;
            post([this, op, status] { finish_now(op, status, nullptr); });
        });
        return JF_OK;
    }
    jf_status udp_open(Seat& seat, jf_op op, const jf_udp_open* options, jf_endpoint* local) {
        const std::lock_guard lock(mutex_);
        if (!JF_HAS(options, jf_udp_open, receive_bytes) || !local) return JF_E_INVALID;
        jf_endpoint bound = options->bind;
        const auto taken = [&](std::uint32_t port) {
            return std::any_of(sockets_.begin(), sockets_.end(), [&](const auto& s) { return s.second.port == port; });
        };
        const bool exact = options->port_first == options->port_last && options->port_first != 0;
        std::uint32_t port = options->port_first ? options->port_first : 20000;
        const std::uint32_t last = options->port_first ? options->port_last : 65534;
        if (!exact) port += port & 1;
        while (port <= last && taken(port)) port += 2;
        if (port > last) return JF_E_QUOTA;
        if (!claim(seat, op, Used::socket, JF_FACILITY_NET)) return JF_E_INVALID;
        bound.port = static_cast<std::uint16_t>(port);
        sockets_[op] = *local = bound;
        return JF_OK;
    }
    jf_status udp_send(Seat& seat, jf_op op, const jf_endpoint* to, jf_bytes data) {
        Datagram datagram;
        {
            const std::lock_guard lock(mutex_);
            const auto found = sockets_.find(op);
            if (found == sockets_.end() || used_.at(op).seat != &seat || !to) return JF_E_INVALID;
            if (thread_class() == JF_THREAD_FOREIGN) breaches_.push_back("udp_send on a thread of the plugin's own");
            if (refuse_sends_ > 0) return --refuse_sends_, JF_E_AGAIN;
            datagram = {op, found->second, *to, std::string(view(data)), now_ns_};
            sent_.push_back(datagram);
        }
        if (on_datagram) on_datagram(datagram);
        return JF_OK;
    }
    jf_status incoming(Seat& seat, const jf_incoming* call, jf_op* out) {
        if (!JF_HAS(call, jf_incoming, headers) || !out) return JF_E_INVALID;
        if (refused_incoming_.second > 0) return --refused_incoming_.second, refused_incoming_.first;
        TestOp& leg = mint(seat);
        *out = leg.id();
        auto copier = std::make_shared<detail::Copier>();
        const auto* const kept = copier->object<jf_incoming>(call, call->struct_size);
        post([this, &leg, copier, kept] {
            if (on_incoming) on_incoming(leg, *kept);
        });
        return JF_OK;
    }
    jf_status find_provider(const std::string& name, const std::string& interface_id, jf_provider_ref* out) {
        if (!JF_HAS(out, jf_provider_ref, table)) return JF_E_INVALID;
        const auto found = provided_.find({name, interface_id});
        if (found == provided_.end()) return JF_E_NOT_FOUND;
        out->table = found->second.first;
        out->instance = found->second.second;
        return JF_OK;
    }

    TestTcp::Hooks tcp_hooks() {
        TestTcp::Hooks hooks;
        hooks.claim = [this](jf_host_ctx* ctx, jf_op op) { return claim(seat_of(ctx), op, Used::socket, JF_FACILITY_NET) != nullptr; };
        hooks.owns = [this](jf_host_ctx* ctx, jf_op op) {
            const auto found = used_.find(op);
            return found != used_.end() && found->second.seat == &seat_of(ctx);
        };
        hooks.post = [this](Task task) { post(std::move(task)); };
        hooks.later = [this](std::chrono::nanoseconds after, Task task) {
            const std::lock_guard lock(mutex_);
            at(now_ns_ + static_cast<std::uint64_t>(after.count()), std::move(task));
        };
        hooks.event = [this](jf_op op, std::uint32_t type, const void* data, std::uint64_t size) { tell(op, type, data, size); };
        hooks.finish = [this](jf_op op, jf_status status) { finish_now(op, status, nullptr); };
        return hooks;
    }

    mutable std::recursive_mutex mutex_;
    TestTcp tcp_{mutex_, tcp_hooks()};
    std::condition_variable_any changed_;
    std::uint64_t now_ns_ = 1'000'000'000;
    std::uint64_t last_id_ = 0;
    std::deque<Task> tasks_;
    std::multimap<std::uint64_t, Task> due_;
    std::vector<std::unique_ptr<Seat>> seats_;
    std::set<const jf_module_v1*> modules_;
    std::map<jf_op, std::unique_ptr<TestOp>> ops_;
    std::map<jf_op, Used> used_;
    std::map<jf_op, jf_endpoint> sockets_;
    std::map<std::string, const void*> facilities_;
    std::map<std::pair<std::string, std::string>, std::pair<const void*, jf_instance*>> provided_;
    std::vector<Datagram> sent_;
    std::vector<LogLine> log_;
    std::map<std::string, std::uint64_t> counters_;
    std::map<std::string, double> gauges_;
    std::vector<std::string> breaches_;
    std::size_t breaches_seen_ = 0;
    int refuse_emits_ = 0, refuse_work_ = 0, refuse_sends_ = 0, refuse_opens_ = 0;
    std::pair<jf_status, int> refused_incoming_{JF_OK, 0};
};

}  // namespace jackfield::sdk
