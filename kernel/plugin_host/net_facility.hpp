#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "net/network.hpp"
#include "plugin_host/op_table.hpp"

namespace jackfield::plugin_host {

/// jf.host.net/1: sockets that hang on ops. Everything on the op's shard unless said otherwise.
class NetFacility {
  public:
    NetFacility(OpTable& ops, net::Network& network);
    ~NetFacility();

    /// What plugins get; finds the facility through the calling instance's host.
    static const jf_host_net_v1& table();

    jf_status udp_open(OpSlot& slot, const jf_udp_open& options, jf_endpoint* local);
    jf_status udp_send(OpSlot& slot, const jf_endpoint& to, jf_bytes data);

    jf_status tcp_listen(OpSlot& slot, const jf_tcp_listen& options, jf_endpoint* local);
    /// Any thread. Null: there is no such connection for this instance.
    std::unique_ptr<net::TcpStream> take_waiting(Instance& instance, std::uint64_t connection);
    void tcp_attach(OpSlot& slot, std::unique_ptr<net::TcpStream> stream);
    void tcp_connect(OpSlot& slot, const jf_tcp_connect& options);
    jf_status tcp_send(OpSlot& slot, std::span<const std::byte> data);
    jf_status tcp_receive(OpSlot& slot, bool on);
    jf_status tcp_finish(OpSlot& slot);
    /// Null: the op carries no connection that could be moved.
    std::unique_ptr<net::TcpStream> tcp_detach(OpSlot& slot);

  private:
    /// Closes what hangs on the op.
    class Runner final : public OpRunner {
      public:
        explicit Runner(OpTable& ops) : ops_(ops) {}
        void cancel(OpSlot& slot) override;

      private:
        OpTable& ops_;
    };
    struct Waiting {
        std::unique_ptr<net::TcpStream> stream;
        Instance* owner;
        jf_op listener;
    };

    /// What hangs on the op of a connection.
    struct Tcp {
        std::unique_ptr<net::TcpConnection> connection;
        bool wanted = true; ///< tcp_receive
        bool held = false;  ///< its user's thread is behind
    };

    void arrived(jf_op listener, std::uint32_t most, std::unique_ptr<net::TcpStream> stream);
    net::TcpEvents events_of(jf_op op);
    void tell(jf_op op, std::uint32_t type, const void* data, std::uint64_t size);
    void end_later(jf_op op, jf_status status);
    Tcp* tcp_of(OpSlot& slot);
    void hold_if_behind(jf_op op);

    OpTable& ops_;
    net::Network& network_;
    Runner udp_, tcp_, listeners_; // which of them an op has says what hangs on it
    std::mutex mutex_;
    std::map<std::uint64_t, Waiting> waiting_;
    std::uint64_t last_connection_ = 0;
};

}  // namespace jackfield::plugin_host
