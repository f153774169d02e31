#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/records_client.hpp"
#include "store/tool_call_store.hpp"

namespace jackfield::store {

/// A call as it is stored. Times are UTC; 0 where it did not happen.
struct CallRow {
    std::string id;
    std::string tenant;
    std::string agent;
    std::string direction; ///< inbound, outbound
    std::string provider;  ///< the telephony instance: "host:trunk"
    std::string leg;
    std::string from;
    std::string to;
    std::string state;     ///< open, ended
    std::string leg_state; ///< what reap() needs
    base::UtcTime started;
    base::UtcTime answered;
    base::UtcTime ended;
    std::string cause;     ///< normal, busy, ..., host_lost
    std::string ended_by;  ///< caller, agent, carrier, host
    std::string reason;    ///< hang_up, silence, max_call, ...
    std::int64_t sip_status = 0;
    std::string recording; ///< path, empty when there is none
    std::int64_t turns = 0;
    std::string answered_by; ///< human, machine, unsure; empty when nobody looked
    std::string quality_json; ///< what the leg's provider measured: an object with packets, jitter and MOS; empty when it measured nothing
    std::string parent;    ///< of a transfer's second leg: the call it was made for
};

struct TurnRow {
    std::string call;
    std::int64_t number = 0;
    std::string role;          ///< user, assistant
    std::string agent;         ///< who had the call then
    std::string text;          ///< of the agent's: what was heard
    std::string unheard;
    bool interrupted = false;
    std::string rule;
    double confidence = -1;
    std::int64_t began_ms = 0; ///< since the answer
    std::int64_t ended_ms = 0;
    std::int64_t reply_ms = -1; ///< last voiced caller sample to first agent sample sent
    std::string stages_json;   ///< what reply_ms consists of, in ms
    std::string why_json;      ///< what was decided in it, an array
};

/// Calls and their turns in the record store.
class CallStore {
  public:
    explicit CallStore(RecordsClient& records) : records_(records), tool_calls_(records) {}

    using Done = std::function<void(base::Result<>)>;
    /// Declares the collections: once, before anything else. Idempotent.
    void prepare(runtime::Shard& shard, Done done);

    void insert(runtime::Shard& shard, const CallRow& call, Done done);
    void set_leg_state(runtime::Shard& shard, const CallRow& call, Done done);
    void set_answered(runtime::Shard& shard, const CallRow& call, Done done);
    void add_turn(runtime::Shard& shard, const std::string& tenant, const TurnRow& turn, Done done);
    /// What went over the wire and between host and providers in that call: JSON, bounded by its writer.
    void add_trace(runtime::Shard& shard, const std::string& tenant, const std::string& call, const std::string& json, Done done);
    /// Closes the call if it is still open; a second close changes nothing.
    void close(runtime::Shard& shard, const CallRow& call, Done done);

    using OnCalls = std::function<void(base::Result<std::vector<CallRow>>)>;
    /// Newest first.
    void list(runtime::Shard& shard, const std::string& tenant, std::uint32_t limit, OnCalls done);
    void list_open(runtime::Shard& shard, const std::string& tenant, OnCalls done);
    void get(runtime::Shard& shard, const std::string& tenant, const std::string& id, OnCalls done);
    /// The second legs of its transfers, oldest first.
    void legs(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnCalls done);
    using OnTurns = std::function<void(base::Result<std::vector<TurnRow>>)>;
    /// Empty text when there is none.
    using OnText = std::function<void(base::Result<std::string>)>;
    void trace(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnText done);
    void turns(runtime::Shard& shard, const std::string& tenant, const std::string& call, OnTurns done);

    ToolCallStore& tool_calls() { return tool_calls_; }

  private:
    void query_calls(runtime::Shard& shard, sdk::Query query, OnCalls done);

    RecordsClient& records_;
    ToolCallStore tool_calls_;
    std::uint32_t calls_ = 0;
    std::uint32_t turns_ = 0;
    std::uint32_t traces_ = 0;
};

}  // namespace jackfield::store
