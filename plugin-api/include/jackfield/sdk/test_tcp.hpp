#pragma once

// The scripted TCP of test_host.hpp; include that.

namespace jackfield::sdk {

/// The far ends of the plugin's connections. Everything that it tells the plugin, it tells in run() and advance().
class TestTcp {
  public:
    /// Decides on the plugin's own attempts: JF_OK or what the op ends with. Unset: every one succeeds.
    std::function<jf_status(const jf_endpoint& to)> on_connect;
    /// Called with what the plugin sends, inside its tcp_send.
    std::function<void(jf_op, std::string_view data)> on_data;

    /// Where the plugin listens.
    std::map<jf_op, jf_endpoint> listeners() const { return locked(listeners_); }
    /// A peer connects to one of these. Answers the connection's number.
    std::uint64_t connect(jf_op listener, const jf_endpoint& from) {
        const std::lock_guard lock(mutex_);
        jf_tcp_incoming incoming = make<jf_tcp_incoming>();
        incoming.connection = ++last_;
        incoming.from = from;
        incoming.to = listeners_.at(listener);
        waiting_[last_] = {incoming.from, incoming.to};
        hooks_.post([this, listener, incoming] { hooks_.event(listener, JF_EV_TCP_INCOMING, &incoming, sizeof incoming); });
        return last_;
    }
    /// The op that has accepted it, or that it was moved to; JF_NO_OP: none (any more).
    jf_op op_of(std::uint64_t connection) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [op, end] : ends_)
            if (end.number == connection) return op;
        return JF_NO_OP;
    }
    /// Bytes for the plugin; while it does not receive, they wait. Lost when the connection has closed by then.
    void deliver(jf_op op, std::string_view data, std::chrono::nanoseconds after = {}) {
        hooks_.later(after, [this, op, kept = std::string(data)] {
            {
                const std::lock_guard lock(mutex_);
                const auto found = ends_.find(op);
                if (found == ends_.end()) return;
                found->second.to_come += kept;
            }
            pass_on(op);
        });
    }
    /// The peer ends the connection: JF_OK in good order, JF_E_PEER_LOST not.
    void close(jf_op op, jf_status status = JF_OK) {
        hooks_.post([this, op, status] { hooks_.finish(op, status); });
    }
    /// So many bytes more and no others does the peer take; tcp_send answers AGAIN then. Raising it tells a plugin that waits.
    void set_room(jf_op op, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        End& end = ends_.at(op);
        end.room = bytes;
        if (std::exchange(end.waits, false)) hooks_.post([this, op] { hooks_.event(op, JF_EV_TCP_WRITABLE, nullptr, 0); });
    }
    /// All that the plugin has sent on this op.
    std::string sent(jf_op op) const {
        const std::lock_guard lock(mutex_);
        const auto found = ends_.find(op);
        return found == ends_.end() ? std::string() : found->second.sent;
    }

  private:
    friend class TestHost;
    struct Hooks {
        std::function<bool(jf_host_ctx*, jf_op)> claim;
        std::function<bool(jf_host_ctx*, jf_op)> owns;
        std::function<void(std::function<void()>)> post;
        std::function<void(std::chrono::nanoseconds, std::function<void()>)> later;
        std::function<void(jf_op, std::uint32_t type, const void* data, std::uint64_t size)> event;
        std::function<void(jf_op, jf_status)> finish;
    };
    struct Addresses {
        jf_endpoint remote{};
        jf_endpoint local{};
    };
    struct End {
        std::uint64_t number = 0;
        Addresses at;
        std::string sent, to_come;
        bool stands = false, receives = true, waits = false, finished = false;
        std::size_t room = std::size_t(-1);
    };

    TestTcp(std::recursive_mutex& mutex, Hooks hooks) : mutex_(mutex), hooks_(std::move(hooks)) {}
    template <typename T>
    T locked(const T& value) const {
        const std::lock_guard lock(mutex_);
        return value;
    }
    void forget(jf_op op) {
        ends_.erase(op);
        listeners_.erase(op);
    }
    void stand(jf_op op) {
        hooks_.post([this, op] {
            jf_tcp_connected connected = make<jf_tcp_connected>();
            {
                const std::lock_guard lock(mutex_);
                const auto found = ends_.find(op);
                if (found == ends_.end()) return;
                found->second.stands = true;
                connected.local = found->second.at.local;
                connected.remote = found->second.at.remote;
            }
            hooks_.event(op, JF_EV_TCP_CONNECTED, &connected, sizeof connected);
            pass_on(op);
        });
    }
    void pass_on(jf_op op) {
        std::string data;
        {
            const std::lock_guard lock(mutex_);
            const auto found = ends_.find(op);
            if (found == ends_.end() || !found->second.stands || !found->second.receives || found->second.finished) return;
            data.swap(found->second.to_come);
        }
        if (data.empty()) return;
        jf_tcp_data bytes_of = make<jf_tcp_data>();
        bytes_of.data = bytes(data);
        hooks_.event(op, JF_EV_TCP_DATA, &bytes_of, sizeof bytes_of);
    }

    jf_status listen(jf_host_ctx* ctx, jf_op op, const jf_tcp_listen* options, jf_endpoint* local) {
        const std::lock_guard lock(mutex_);
        if (!JF_HAS(options, jf_tcp_listen, dscp) || !local) return JF_E_INVALID;
        jf_endpoint bound = options->bind;
        if (bound.port == 0) bound.port = static_cast<std::uint16_t>(30000 + listeners_.size());
        for (const auto& [other, taken] : listeners_)
            if (taken.port == bound.port) return JF_E_QUOTA;
        if (!hooks_.claim(ctx, op)) return JF_E_INVALID;
        listeners_[op] = *local = bound;
        return JF_OK;
    }
    jf_status accept(jf_host_ctx* ctx, jf_op op, std::uint64_t connection) {
        const std::lock_guard lock(mutex_);
        const auto found = waiting_.find(connection);
        if (found == waiting_.end()) return JF_E_NOT_FOUND;
        if (!hooks_.claim(ctx, op)) return JF_E_INVALID;
        ends_[op].number = connection;
        ends_[op].at = found->second;
        waiting_.erase(found);
        stand(op);
        return JF_OK;
    }
    jf_status connect_out(jf_host_ctx* ctx, jf_op op, const jf_tcp_connect* options) {
        const std::lock_guard lock(mutex_);
        if (!JF_HAS(options, jf_tcp_connect, dscp) || options->to.port == 0) return JF_E_INVALID;
        if (!hooks_.claim(ctx, op)) return JF_E_INVALID;
        ends_[op].number = ++last_;
        ends_[op].at.remote = options->to;
        const jf_status status = on_connect ? on_connect(options->to) : JF_OK;
        if (status == JF_OK) stand(op);
        else hooks_.post([this, op, status] { hooks_.finish(op, status); });
        return JF_OK;
    }
    End* end_of(jf_host_ctx* ctx, jf_op op) {
        const auto found = ends_.find(op);
        return found != ends_.end() && hooks_.owns(ctx, op) ? &found->second : nullptr;
    }
    jf_status send(jf_host_ctx* ctx, jf_op op, jf_bytes data) {
        {
            const std::lock_guard lock(mutex_);
            End* const end = end_of(ctx, op);
            if (!end) return JF_E_INVALID;
            if (!end->stands || end->finished) return JF_E_STATE;
            if (data.len > end->room) {
                end->waits = true;
                return JF_E_AGAIN;
            }
            if (end->room != std::size_t(-1)) end->room -= data.len;
            end->sent += view(data);
        }
        if (on_data) on_data(op, view(data));
        return JF_OK;
    }
    jf_status receive(jf_host_ctx* ctx, jf_op op, std::uint32_t on) {
        const std::lock_guard lock(mutex_);
        End* const end = end_of(ctx, op);
        if (!end) return JF_E_INVALID;
        end->receives = on != 0;
        if (on) hooks_.post([this, op] { pass_on(op); });
        return JF_OK;
    }
    jf_status finish(jf_host_ctx* ctx, jf_op op) {
        const std::lock_guard lock(mutex_);
        End* const end = end_of(ctx, op);
        if (!end) return JF_E_INVALID;
        end->finished = true;
        hooks_.post([this, op] { hooks_.finish(op, JF_OK); });
        return JF_OK;
    }
    jf_status move(jf_host_ctx* ctx, jf_op from, jf_op to) {
        const std::lock_guard lock(mutex_);
        End* const end = end_of(ctx, from);
        if (!end || !end->stands || end->finished) return end ? JF_E_STATE : JF_E_INVALID;
        if (!hooks_.claim(ctx, to)) return JF_E_INVALID;
        End moved = std::move(*end);
        moved.stands = false;
        moved.receives = true;
        moved.sent.clear();
        ends_.erase(from);
        ends_[to] = std::move(moved);
        hooks_.post([this, from] { hooks_.finish(from, JF_OK); });
        stand(to);
        return JF_OK;
    }

    std::recursive_mutex& mutex_;
    const Hooks hooks_;
    std::uint64_t last_ = 0;
    std::map<jf_op, jf_endpoint> listeners_;
    std::map<std::uint64_t, Addresses> waiting_;
    std::map<jf_op, End> ends_;
};

}  // namespace jackfield::sdk
