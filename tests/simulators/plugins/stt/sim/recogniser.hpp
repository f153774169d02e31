#pragma once

#include <jackfield/host.h>
#include <jackfield/sdk/plugin.hpp>
#include <jackfield/stt.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "simulators/plugins/faults.hpp"
#include "simulators/plugins/random.hpp"
#include "simulators/plugins/spoken.hpp"

namespace jackfield::stt_sim {

struct Options {
    std::uint64_t seed = 1;
    std::uint64_t final_ns = 0;
    std::uint64_t lost_permille = 0;
    std::uint64_t deaf_permille = 0;
    sim::Faults faults;
};

class Recogniser;

/// One stream: the words heard since the last FINALIZE. On the op's strand; goes with its op and its last timer.
class Stream final : public std::enable_shared_from_this<Stream> {
  public:
    /// `cancelled_after_ns`: how long it takes to notice that it was given up.
    Stream(Recogniser& owner, jf_op op, std::uint64_t seed, bool partials, std::uint64_t cancelled_after_ns);

    void push(const jf_frame& frame);
    jf_status control(const jf_stt_control& control);
    void complete(jf_status status);
    void cancel();

  private:
    class Answer;
    class LateCancel;
    void finalize(std::uint64_t ticket);
    /// True: what it does wrong is all that it does.
    bool misbehave(const sim::Fault& fault, std::uint64_t ticket);
    void answer_later(std::uint64_t ticket, std::uint64_t delay_ns);
    void answer(const std::string& text, bool spoke, std::uint64_t ticket);
    void emit_final(std::string_view text, std::uint64_t ticket);
    void forget_words();

    Recogniser& owner_;
    jf_op op_;
    sim::Random random_;
    bool partials_;
    std::uint64_t cancelled_after_ns_;
    bool completed_ = false;
    std::string text_;
    bool voiced_ = false; ///< something was heard, word or not
    sim::Sound last_ = sim::quiet;
    std::uint64_t audio_samples_ = 0;
    std::uint32_t revision_ = 0;
};

class Recogniser {
  public:
    static std::unique_ptr<Recogniser> create(sdk::Host host, const sdk::Config& config);
    Recogniser(sdk::Host host, Options options);

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    jf_status open(jf_op op, const jf_stt_open& options);
    std::shared_ptr<Stream> stream(jf_op op);

    const sdk::Host& host() const { return host_; }
    const Options& options() const { return options_; }
    void start_timer(jf_op op, std::uint64_t delay_ns) { timer_->start(host_.ctx(), op, delay_ns); }
    void forget(jf_op op);
    /// Utterances are counted over all streams: the fault of the next one, if it has any.
    const sim::Fault* next_utterance();
    /// Has no room for another FINALIZE now.
    bool is_busy();

  private:
    sdk::Host host_;
    Options options_;
    const jf_host_timer_v1* timer_;
    std::mutex mutex_;
    sim::Random random_;
    std::uint64_t opened_ = 0;
    std::uint64_t utterances_ = 0;
    std::uint64_t refused_ = 0; ///< of the next utterance's
    std::unordered_map<jf_op, std::shared_ptr<Stream>> streams_;
};

}  // namespace jackfield::stt_sim
