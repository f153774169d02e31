#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <jackfield/llm.h>

#include "base/clock.hpp"

namespace jackfield::call {

/// One op of a call as telemetry tells of it.
struct TelemetryOp {
    jf_op op = JF_NO_OP;
    const char* name = "";  ///< stt, llm, prewarm, tts
    std::string provider;
    std::int64_t reply = 0; ///< which of the agent's it belongs to
    base::MonoTime began{};
    base::MonoTime first_output{}; ///< zero: there was none
    base::MonoTime ended{};        ///< zero: it had not ended when the call was over
    jf_status status = JF_OK;
    jf_llm_usage usage{};
    std::string input;  ///< of a generation: what the caller had said, masked where the transcript is
    std::string output; ///< of a generation: the reply as far as it came
};

/// What a call leaves for telemetry when it is over.
struct CallTelemetry {
    std::string call;
    std::string tenant;
    std::string agent;
    std::string direction;
    std::string provider;
    std::string cause;
    std::string ended_by;
    std::string reason;
    std::int64_t turns = 0;
    base::UtcTime started{};
    base::UtcTime answered{}; ///< 0: it was not
    base::UtcTime ended{};
    base::MonoTime zero{};    ///< what `started` is on the clock of the ops
    std::vector<TelemetryOp> ops;
    std::uint64_t left_out = 0; ///< ops beyond what is kept

    base::UtcTime utc_of(base::MonoTime at) const { return {started.us + (at - zero).count() / 1000}; }
};

/// Keeps a call's ops and, where the tenant lets them leave, what went into generations and came out. Bounded: of a very long call the first ops.
class TelemetryLog {
  public:
    static constexpr std::size_t most_ops = 1024;
    static constexpr std::size_t most_text = 8 * 1024; ///< of each input and output

    /// Without it nothing is kept at all.
    void enable(bool contents) {
        enabled_ = true;
        contents_ = contents;
    }
    bool enabled() const { return enabled_; }
    bool wants_contents() const { return contents_; }

    void opened(jf_op op, const char* name, std::string provider, std::int64_t reply, base::MonoTime now);
    void asked(jf_op op, std::string_view input);
    void said(jf_op op, std::string_view text, base::MonoTime now);
    void used(jf_op op, const jf_llm_usage& usage);
    void done(jf_op op, jf_status status, base::MonoTime now);

    std::vector<TelemetryOp> take() { return std::move(ops_); }
    std::uint64_t left_out() const { return left_out_; }

  private:
    TelemetryOp* find(jf_op op);

    bool enabled_ = false;
    bool contents_ = false;
    std::vector<TelemetryOp> ops_;
    std::uint64_t left_out_ = 0;
};

}  // namespace jackfield::call
