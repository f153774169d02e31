#pragma once

#include <jackfield/host.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/tts.h>

#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulators/plugins/faults.hpp"
#include "simulators/plugins/random.hpp"
#include "simulators/plugins/spoken.hpp"

namespace jackfield::tts_sim {

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t first_ns = 0;
    std::uint64_t lost_permille = 0;
    sim::Faults faults;
};

class Voice;

/// One stretch of speech. On the op's strand; goes with its op and its timer.
class Speech final : public sdk::OpUser, public std::enable_shared_from_this<Speech> {
  public:
    /// `fault` may be null: what this one does wrong.
    Speech(Voice& owner, jf_op op, std::uint64_t seed, std::uint64_t credit, const sim::Fault* fault);

    jf_status text(const jf_tts_text& part);
    void clear();
    void credit(std::uint64_t samples);
    void complete(jf_status status);
    void cancel();

    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    struct Word {
        std::vector<sim::Sound> sounds;
        std::size_t spoken = 0;
        std::uint64_t text_end = 0;
        std::uint64_t bytes = 0;
    };
    void wake(std::uint64_t delay_ns);
    bool has(std::string_view kind) const { return fault_ && fault_->kind == kind; }
    /// True: it does nothing else now.
    bool misbehave();
    void emit_some();
    void emit(std::span<const std::uint8_t> codes, std::uint64_t text_end);
    class LateCancel;

    Voice& owner_;
    jf_op op_;
    sim::Random random_;
    const sim::Fault* fault_;
    std::uint64_t chunks_ = 0;
    std::uint64_t refused_ = 0;
    bool bounded_;
    std::uint64_t credit_;
    std::deque<Word> words_;
    std::uint64_t text_bytes_ = 0;
    std::uint64_t samples_ = 0;
    bool last_text_ = false;
    bool completed_ = false;
    bool waiting_ = false; ///< a timer runs
};

class Voice {
  public:
    static std::unique_ptr<Voice> create(sdk::Host host, const sdk::Config& config);
    Voice(sdk::Host host, Options options);

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    jf_status open(jf_op op, const jf_tts_open& options);
    std::shared_ptr<Speech> speech(jf_op op);

    const sdk::Host& host() const { return host_; }
    const Options& options() const { return options_; }
    void start_timer(jf_op op, std::uint64_t delay_ns) { timer_->start(host_.ctx(), op, delay_ns); }
    /// Its op has completed; kept while its timer is still to complete.
    void retire(jf_op op, bool timer_runs);
    void forget(jf_op op);

  private:
    sdk::Host host_;
    Options options_;
    const jf_host_timer_v1* timer_;
    std::mutex mutex_;
    sim::Random random_;
    std::uint64_t opened_ = 0;
    std::unordered_map<jf_op, std::shared_ptr<Speech>> speeches_;
    std::unordered_map<jf_op, std::shared_ptr<Speech>> retired_;
};

}  // namespace jackfield::tts_sim
