#pragma once

#include <jackfield/stt.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audio.hpp"
#include "engine.hpp"
#include "hints.hpp"
#include "ring.hpp"
#include "trim.hpp"
#include "verdict.hpp"

namespace jackfield::pocketsphinx {

/// One open stream. push() and control() come from its strand and only leave things: packets in a ring, commands in a queue. A
/// worker takes them up in order, one job at a time; everything below "the job's" belongs to it alone.
///
/// Between jobs nothing runs. A job starts for each command and for each 80 ms of audio.
class Stream : public std::enable_shared_from_this<Stream> {
  public:
    /// `on_closed` is called once, with the op, before the completion.
    Stream(Engine& engine, jf_op op, const jf_stt_open& options, std::function<void(jf_op)> on_closed);

    jf_status push(const jf_frame& frame);
    jf_status control(const jf_stt_control& control);
    jf_status close();
    /// From any thread; the first end wins.
    void finish(jf_status status, const char* why = nullptr);

  private:
    struct Command {
        enum class Verb { finalize, discard, hints, close } verb;
        std::uint64_t until;  // what was pushed before it
        std::uint64_t value = 0;
        Hints hints;
    };
    struct Result {
        std::uint64_t speech_end;
        std::uint64_t vocabulary;
        Heard heard;
        Heard so_far;
        Verdict verdict;
        Utterance::Speech speech;  // without its samples: for positions
    };
    enum class Progress { done, later, failed };

    jf_status leave(Command command);
    void poke();
    void start_job();
    void poke_later();

    // The job's.
    void run();
    void step();
    void drain(std::uint64_t until);
    Progress carry_out(const Command& command);
    Progress finalize(std::uint64_t value);
    Progress recognise(bool ahead);
    bool decode(Decoder& decoder);
    void work_ahead();
    void use(const Hints& hints);
    void next_utterance();
    jf_status emit_text(std::uint32_t type, std::uint64_t pos, const Heard* heard, float confidence);
    std::uint64_t position_of_frame(std::uint32_t frame) const;

    Engine& engine_;
    const jf_op op_;
    const jf_format format_;
    const bool partials_;
    std::function<void(jf_op)> on_closed_;

    PacketRing ring_;
    std::uint32_t since_poke_ = 0;  // the strand's
    std::atomic<std::uint64_t> samples_{0};
    std::mutex mutex_;
    std::deque<Command> commands_;
    std::atomic<bool> closing_{false};
    std::atomic<bool> closed_{false};
    std::atomic<bool> busy_{false};     // a job runs or is queued
    std::atomic<bool> wanted_{false};   // there is something new for it
    std::atomic<bool> waiting_{false};  // for a decoder
    std::shared_ptr<Stream> self_;      // while busy_

    std::vector<std::uint8_t> packet_;
    std::vector<std::int16_t> samples16_;
    Utterance utterance_;
    BandImageUpsampler upsampler_;
    std::shared_ptr<const Vocabulary> vocabulary_;
    std::optional<Hints> next_hints_;
    std::optional<Result> result_;
    std::uint64_t value_in_hand_ = 0;  // FINALIZE's
    std::uint32_t revision_ = 0;
    std::string partial_text_;
    std::uint32_t next_partial_ms_;
    std::uint64_t took_ms_ = 0;  // the last decoding
    std::uint64_t partial_at_ = 0;
};

}  // namespace jackfield::pocketsphinx
