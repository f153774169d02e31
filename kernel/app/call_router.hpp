#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "call/call.hpp"
#include "tenant/directory.hpp"

namespace jackfield::app {

/// One live call, as the command line lists it.
struct LiveCall {
    std::string id;
    std::string tenant;
    std::string agent;
    std::string direction;
    std::string from;
    std::string to;
    base::UtcTime started;
};

/// Finds who answers, makes the call, and keeps it until nothing of it is left.
class CallRouter {
  public:
    CallRouter(call::CallEnvironment& environment, const tenant::Directory& directory, std::string recordings_dir);
    ~CallRouter();

    /// Receives incoming legs from now on.
    void listen();
    /// Places a call for an agent; answers its id. Any thread.
    base::Result<std::string> place(const std::string& tenant, const std::string& agent, const std::string& provider,
                                    const std::string& to, const std::string& from, base::Milliseconds ring_timeout);
    /// False: no such call. Any thread.
    bool hang_up(const std::string& id, std::uint32_t cause, const std::string& reason);
    /// Runs `task` with that live call on its shard. False: no such call. Any thread.
    bool with_call(const std::string& id, std::function<void(call::Call&)> task);
    void hang_up_all(std::uint32_t cause, const std::string& reason);
    std::vector<LiveCall> live() const;
    std::size_t count() const;
    /// Runs `idle` once no call is left, at once when there is none. Any thread; `idle` runs on some shard.
    void when_idle(std::function<void()> idle);

  private:
    void on_incoming(plugin_host::Instance& telephony, jf_op leg, const jf_incoming& incoming);
    void refuse(plugin_host::Instance& telephony, jf_op leg, std::uint32_t cause, const char* why);
    base::Result<std::shared_ptr<call::Call>> make(const tenant::Route& route, runtime::Shard& shard, store::CallRow row);
    void gone(call::Call& call);
    /// One of the calls that the tenant may have at one time, until it is let go; null: they are used up. Also when this is gone.
    std::shared_ptr<void> take_line(const std::string& tenant, std::uint32_t limit);

    call::CallEnvironment& env_;
    const tenant::Directory& directory_;
    std::string recordings_dir_;
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<call::Call>> calls_;
    /// Lines in use. Shared: a second leg may give its line back after everything else of its call, and of this, is gone.
    std::map<std::string, std::shared_ptr<std::atomic<std::uint32_t>>> per_tenant_;
    std::function<void()> idle_;
    call::MusicLibrary music_;
    unsigned next_shard_ = 0;
};

}  // namespace jackfield::app
