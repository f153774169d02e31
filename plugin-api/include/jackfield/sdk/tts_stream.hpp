#pragma once

// The stream machine behind tts.hpp, and the two classes that a voice sees of it: Sink and
// Synthesiser. Include tts.hpp.

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts_audio.hpp>
#include <jackfield/sdk/tts_text.hpp>
#include <jackfield/tts.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jackfield::sdk::tts {

/// Where a synthesiser puts what it makes; valid while synthesise() runs.
class Sink {
  public:
    /// The rate that audio() takes.
    virtual std::uint32_t rate_hz() const = 0;
    /// Mono samples, and how many bytes of the piece have been spoken at their end. False: stop,
    /// nobody listens any more.
    virtual bool audio(const std::int16_t* samples, std::size_t n, std::size_t bytes_spoken) = 0;
    /// What audio() would answer. Look now and then while nothing comes, at least every 50 ms.
    virtual bool stopped() const = 0;

  protected:
    ~Sink() = default;
};

/// A voice. Called on pool threads, for several streams at the same time, one piece of each; so its
/// own state is shared.
class Synthesiser {
  public:
    virtual ~Synthesiser() = default;
    /// Speaks `text`, which is UTF-8 as the host gave it, perhaps not well-formed. Throws Failure.
    virtual void synthesise(std::string_view text, Sink& sink) = 0;
};

struct Options {
    /// Waiting text above which text() answers AGAIN while speech is under way.
    std::size_t queue_characters = 300;
    /// The longest single text().
    std::size_t text_characters = 2000;
    /// The next piece is synthesised once less than this waits for credit.
    std::uint32_t ahead_ms = 500;
    /// Unless the host wants another packet time.
    std::uint32_t frame_ms = 20;
    double gain_db = 0;
    CutRules cut;
};

namespace detail {

class Stream;

/// The open streams of one instance. Outlives the instance in the hands of jobs that still run.
class Registry {
  public:
    void add(jf_op op, std::shared_ptr<Stream> stream) {
        const std::lock_guard lock(mutex_);
        streams_.emplace(op, std::move(stream));
    }
    std::shared_ptr<Stream> find(jf_op op) const {
        const std::lock_guard lock(mutex_);
        const auto found = streams_.find(op);
        return found == streams_.end() ? nullptr : found->second;
    }
    /// Returns the quiesce op that waited for this stream, once there is none left.
    jf_op remove(jf_op op) {
        const std::lock_guard lock(mutex_);
        streams_.erase(op);
        return streams_.empty() ? std::exchange(quiesce_, JF_NO_OP) : JF_NO_OP;
    }
    /// True when streams are open: `op` is then handed out by remove() or end_quiesce(), whichever
    /// comes first.
    bool begin_quiesce(jf_op op) {
        const std::lock_guard lock(mutex_);
        quiescing_ = true;
        if (streams_.empty()) return false;
        quiesce_ = op;
        return true;
    }
    jf_op end_quiesce() {
        const std::lock_guard lock(mutex_);
        return std::exchange(quiesce_, JF_NO_OP);
    }
    void resume() {
        const std::lock_guard lock(mutex_);
        quiescing_ = false;
    }
    bool quiescing() const {
        const std::lock_guard lock(mutex_);
        return quiescing_;
    }

  private:
    mutable std::mutex mutex_;
    std::unordered_map<jf_op, std::shared_ptr<Stream>> streams_;
    jf_op quiesce_ = JF_NO_OP;
    bool quiescing_ = false;
};

/// One timer; deletes itself when it has fired or was cancelled.
class Timer final : public OpUser {
  public:
    static bool start(const Host& host,
                      jf_op parent,
                      std::uint64_t delay_ns,
                      std::function<void()> then) {
        const auto* facility = host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
        if (!facility) return false;
        auto timer = std::make_unique<Timer>(std::move(then));
        const jf_sink sink = timer->sink();
        jf_op op = JF_NO_OP;
        if (host.table()->op_open(host.ctx(), parent, &sink, &op) != JF_OK) return false;
        // From here on its callback may come on another thread.
        Timer* started = timer.release();
        if (facility->start(host.ctx(), op, delay_ns) == JF_OK) return true;
        host.cancel(op);
        delete started;
        return false;
    }

    explicit Timer(std::function<void()> then) : then_(std::move(then)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Timer> self(this);
        then_();
    }

  private:
    std::function<void()> then_;
};

/// One stretch of speech. The host's calls come on the op's strand; samples come from a pool
/// thread, hence the mutex. It is held over calls to the host, which never calls back from inside
/// them, so that no frame can follow a clear().
class Stream final : public std::enable_shared_from_this<Stream> {
  public:
    Stream(Host host,
           jf_op op,
           std::shared_ptr<Synthesiser> voice,
           std::shared_ptr<Registry> registry,
           const Options& options,
           const jf_tts_open& open)
        : host_(host),
          op_(op),
          voice_(std::move(voice)),
          registry_(std::move(registry)),
          options_(options),
          format_(format_of(options, open)),
          queue_(options.cut),
          limited_(open.credit != 0),
          credit_(open.credit) {}

    jf_status text(const jf_tts_text& given) {
        const std::lock_guard lock(mutex_);
        if (ended_) return JF_E_INVALID;
        if (given.flush > JF_TTS_END) return JF_E_INVALID;
        if (end_given_) return JF_E_STATE;
        const std::string_view words = view(given.text);
        if (const jf_status status = check_room(words); status != JF_OK) return status;
        characters_ += count_characters(words);
        queue_.append(words);
        if (given.flush != JF_TTS_MORE) queue_.flush();
        if (given.flush == JF_TTS_END) end_given_ = true;
        step();
        return JF_OK;
    }

    jf_status clear() {
        const std::lock_guard lock(mutex_);
        if (ended_) return JF_E_INVALID;
        forget();
        out_.push_back(Item{Item::cleared, {}});
        step();
        return JF_OK;
    }

    jf_status credit(std::uint64_t samples) {
        const std::lock_guard lock(mutex_);
        if (ended_) return JF_E_INVALID;
        credit_ = credit_ > UINT64_MAX - samples ? UINT64_MAX : credit_ + samples;
        step();
        return JF_OK;
    }

    /// What was synthesised and has credit still goes out.
    jf_status close() {
        const std::lock_guard lock(mutex_);
        if (ended_) return JF_E_INVALID;
        pump();
        if (!ended_) end(JF_OK, nullptr);
        return JF_OK;
    }

    jf_status cancel() {
        const std::lock_guard lock(mutex_);
        if (ended_) return JF_E_INVALID;
        end(JF_E_CANCELLED, nullptr);
        return JF_OK;
    }

  private:
    struct Item {
        enum Kind { audio, mark, cleared } kind;
        EncodedFrame frame;  // its pos serves marks too
    };

    /// A piece on its way through the pool. Two parties hold it, the work and the completion, which
    /// come in either order when the host gives the op up: whoever is last frees it.
    class Job final : public OpUser, public Sink {
      public:
        Job(std::shared_ptr<Stream> stream, Piece piece)
            : stream_(std::move(stream)),
              piece_(std::move(piece)),
              generation_(stream_->generation_),
              framer_(stream_->format_, gain_of_db(stream_->options_.gain_db)),
              quiet_lead_left_(stream_->fresh_ ? stream_->format_.rate_hz / 2 : 0) {}

        static jf_status work(void* user, jf_op) {
            auto* job = static_cast<Job*>(user);
            const jf_status status = guarded(&job->error_, [job] { job->run(); });
            job->release();
            return status;
        }

        std::uint32_t rate_hz() const override { return stream_->format_.rate_hz; }
        bool stopped() const override { return generation_ != stream_->generation_; }
        bool audio(const std::int16_t* samples, std::size_t n, std::size_t bytes_spoken) override {
            frames_.clear();
            if (quiet_lead_left_ > 0) {
                const std::size_t quiet = quiet_lead(samples, n);
                samples += quiet;
                n -= quiet;
            }
            framer_.add(
                samples, n, piece_.from + std::min(bytes_spoken, piece_.text.size()), frames_);
            return frames_.empty() ? !stopped() : stream_->take(generation_, frames_, nullptr);
        }

        void on_event(jf_op, const jf_event&) override {}
        void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
            stream_->job_done(generation_, status, error_);
            release();
        }

      private:
        void run() {
            if (stopped()) return;
            stream_->voice_->synthesise(piece_.text, *this);
            frames_.clear();
            framer_.finish(piece_.to, frames_);
            stream_->take(generation_, frames_, &piece_);
        }
        /// Voices begin with 150 to 270 ms of silence, which at the start of a turn is time that
        /// the caller waits. 10 ms stay.
        std::size_t quiet_lead(const std::int16_t* samples, std::size_t n) {
            constexpr int audible = 150;
            std::size_t quiet = 0;
            while (quiet < n && quiet < quiet_lead_left_ && samples[quiet] > -audible &&
                   samples[quiet] < audible)
                ++quiet;
            quiet_lead_left_ = quiet < n ? 0 : quiet_lead_left_ - quiet;
            return quiet < n ? quiet - std::min<std::size_t>(quiet, rate_hz() / 100) : quiet;
        }
        void release() {
            if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
        }

        std::shared_ptr<Stream> stream_;
        Piece piece_;
        std::uint64_t generation_;
        Framer framer_;
        std::size_t quiet_lead_left_;  // samples of silence that may still be left out
        std::vector<EncodedFrame> frames_;
        jf_error error_ = make<jf_error>();
        std::atomic<int> holders_{2};
    };

    static Format format_of(const Options& options, const jf_tts_open& open) {
        const std::uint32_t wanted = open.format.ptime_ms;
        const std::uint32_t frame_ms = wanted >= 10 && wanted <= 60 ? wanted : options.frame_ms;
        Format format{
            open.format.codec, open.format.rate_hz, open.format.rate_hz * frame_ms / 1000};
        // A frame larger than all the credit there is could never be emitted.
        if (open.credit != 0)
            format.frame_samples = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(format.frame_samples, open.credit));
        return format;
    }

    bool busy() const { return job_running_ || !out_.empty(); }

    jf_status check_room(std::string_view words) {
        const std::size_t n = count_characters(words);
        if (n > options_.text_characters) return JF_E_INVALID;
        // Text is refused only while something moves that will make room: an unfinished sentence
        // alone never does.
        if (n == 0 || !busy() || queue_.waiting_characters() + n <= options_.queue_characters)
            return JF_OK;
        told_again_ = true;
        return JF_E_AGAIN;
    }

    /// Drops what was not emitted and stops the job at its next look.
    void forget() {
        ++generation_;
        queue_.clear();
        std::erase_if(out_, [](const Item& item) { return item.kind != Item::cleared; });
        buffered_ = 0;
        talking_ = false;
        fresh_ = true;
    }

    /// On the pool thread: frames of a piece, and with `done` the piece's end. False when nobody
    /// wants them.
    bool take(std::uint64_t generation, std::vector<EncodedFrame>& frames, const Piece* done) {
        const std::lock_guard lock(mutex_);
        if (ended_ || generation != generation_) return false;
        for (EncodedFrame& frame : frames) {
            buffered_ += frame.samples;
            fresh_ = false;
            out_.push_back(Item{Item::audio, std::move(frame)});
        }
        if (done) push_mark(done->to);
        pump();
        return !ended_;
    }

    void job_done(std::uint64_t generation, jf_status status, const jf_error& error) {
        const std::lock_guard lock(mutex_);
        job_running_ = false;
        if (ended_) return;
        if (status != JF_OK && generation == generation_) {
            if (error.text[0] != 0) return end(status, &error);
            return fail(Failure(
                status, "the host's worker gave a piece of text up", JF_RETRY_OTHER_PROVIDER));
        }
        step();
    }

    void push_mark(std::uint64_t pos) {
        EncodedFrame nothing;
        nothing.pos = pos;
        out_.push_back(Item{Item::mark, std::move(nothing)});
    }

    /// Whatever can happen now, happens. Nothing may follow it in a caller that uses the stream's
    /// state.
    void step() {
        pump();
        while (!ended_ && !job_running_ && !retrying_ && buffered_ < ahead_samples()) {
            const std::optional<Piece> piece = queue_.next();
            if (!piece) break;
            if (!is_speakable(piece->text)) {
                queue_.drop(*piece);
                push_mark(piece->to);
                pump();
                continue;
            }
            start_job(*piece);
        }
        if (ended_) return;
        if (!busy()) talking_ = false;
        offer_room();
        if (end_given_ && queue_.empty() && !busy()) end(JF_OK, nullptr);
    }

    std::uint64_t ahead_samples() const {
        return std::uint64_t{options_.ahead_ms} * format_.rate_hz / 1000;
    }

    void start_job(const Piece& piece) {
        const auto* worker = host_.facility<jf_host_worker_v1>(JF_FACILITY_WORKER);
        if (!worker) return fail(Failure(JF_E_UNSUPPORTED, "the host has no " JF_FACILITY_WORKER));
        const jf_status status =
            hand_over(*worker, std::make_unique<Job>(shared_from_this(), piece));
        if (status == JF_OK) {
            job_running_ = true;
            queue_.drop(piece);
        } else if (status == JF_E_AGAIN || status == JF_E_QUOTA) {
            retry_soon(10);
        } else if (status == JF_E_INVALID) {
            abandon();
        } else {
            fail(Failure(status, "the host's worker takes no text", JF_RETRY_OTHER_PROVIDER));
        }
    }

    jf_status hand_over(const jf_host_worker_v1& worker, std::unique_ptr<Job> job) const {
        const jf_sink sink = job->sink();
        jf_op op = JF_NO_OP;
        const jf_status opened = host_.table()->op_open(host_.ctx(), op_, &sink, &op);
        if (opened != JF_OK) return opened;
        // Once it has started it may be over and freed before start() returns.
        Job* const started = job.release();
        const jf_status status = worker.start(host_.ctx(), op, &Job::work, started);
        if (status == JF_OK) return JF_OK;
        job.reset(started);
        host_.cancel(op);
        return status;
    }

    /// After an AGAIN to the host, once there is room for a good part of a sentence.
    void offer_room() {
        const std::size_t waiting = queue_.waiting_characters();
        if (!told_again_ || (busy() && waiting * 2 > options_.queue_characters)) return;
        const std::size_t room =
            options_.queue_characters - std::min(waiting, options_.queue_characters);
        if (host_.emit(op_, JF_EV_CREDIT, room) == JF_OK)
            told_again_ = false;
        else
            retry_soon(5);
    }

    /// Emits what waits, as far as credit and the host go.
    void pump() {
        while (!ended_ && !retrying_ && !out_.empty()) {
            jf_frame frames[largest_batch];
            jf_event events[largest_batch];
            std::uint64_t samples = 0;
            std::size_t n = 0;
            while (n < batch_ && n < out_.size() && fits(out_[n], samples)) {
                fill(out_[n], samples, frames[n], events[n]);
                samples += out_[n].frame.samples;
                ++n;
            }
            if (n == 0) return;
            const jf_status status =
                host_.table()->emit(host_.ctx(), op_, events, static_cast<std::uint32_t>(n));
            if (status == JF_E_AGAIN) {
                // All or nothing is taken, so a batch larger than the host's queue would wait for
                // ever.
                batch_ = std::max<std::size_t>(batch_ / 2, 1);
                return retry_soon(5);
            }
            if (status != JF_OK) return abandon();
            batch_ = largest_batch;
            emitted(n, samples);
        }
    }

    bool fits(const Item& item, std::uint64_t before) const {
        return item.kind != Item::audio || !limited_ || before + item.frame.samples <= credit_;
    }

    void fill(const Item& item, std::uint64_t before, jf_frame& frame, jf_event& event) const {
        if (item.kind != Item::audio) {
            event = Host::event_of(item.kind == Item::mark ? JF_EV_TTS_MARK : JF_EV_CLEARED,
                                   nullptr,
                                   0,
                                   std::max(item.frame.pos, last_pos_),  // CLEARED has none of its own
                                   0);
            return;
        }
        frame = make<jf_frame>();
        frame.codec = format_.codec;
        frame.channels = 1;
        frame.flags = talking_ || before != 0 ? 0 : JF_FRAME_TALKSPURT;
        frame.rate_hz = format_.rate_hz;
        frame.samples = item.frame.samples;
        frame.pts = emitted_ + before;
        frame.data = {item.frame.data.data(), item.frame.data.size()};
        event = Host::event_of(JF_EV_AUDIO, &frame, sizeof frame, item.frame.pos, 0);
    }

    void emitted(std::size_t n, std::uint64_t samples) {
        for (std::size_t i = 0; i < n; ++i) last_pos_ = std::max(last_pos_, out_[i].frame.pos);
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(n));
        buffered_ -= samples;
        emitted_ += samples;
        if (limited_) credit_ -= samples;
        if (samples != 0) talking_ = true;
    }

    /// The host's queues are full: look again in a moment.
    void retry_soon(std::uint64_t after_ms) {
        if (retrying_ || ended_) return;
        retrying_ = true;
        auto again = [self = shared_from_this()] { self->retry(); };
        if (Timer::start(host_, op_, after_ms * 1'000'000, std::move(again))) return;
        fail(Failure(
            JF_E_QUOTA, "the host is full and has no timer to wait with", JF_RETRY_OTHER_PROVIDER));
    }
    void retry() {
        const std::lock_guard lock(mutex_);
        retrying_ = false;
        if (!ended_) step();
    }

    void fail(const Failure& failure) {
        jf_error error = make<jf_error>();
        failure.write(&error);
        end(failure.code(), &error);
    }

    /// The one completion.
    void end(jf_status status, const jf_error* error) {
        ended_ = true;
        forget();
        jf_tts_usage usage = make<jf_tts_usage>();
        usage.characters = characters_;
        usage.audio_ms = emitted_ * 1000 / format_.rate_hz;
        const jf_op quiesce = registry_->remove(op_);
        host_.complete_with(op_, status, JF_EV_TTS_USAGE, usage, error);
        if (quiesce != JF_NO_OP) host_.complete(quiesce);
    }

    /// The host has completed the op itself.
    void abandon() {
        ended_ = true;
        forget();
        const jf_op quiesce = registry_->remove(op_);
        if (quiesce != JF_NO_OP) host_.complete(quiesce);
    }

    static constexpr std::size_t largest_batch = 16;

    const Host host_;
    const jf_op op_;
    const std::shared_ptr<Synthesiser> voice_;
    const std::shared_ptr<Registry> registry_;
    const Options options_;
    const Format format_;

    std::mutex mutex_;
    std::atomic<std::uint64_t> generation_{
        0};  // grows with each clear(); a job of an earlier one is deaf. Written under the mutex
    TextQueue queue_;
    std::deque<Item> out_;
    const bool limited_;
    std::uint64_t credit_;        // samples that may be emitted, when limited_
    std::uint64_t buffered_ = 0;  // samples in out_
    std::uint64_t emitted_ = 0;
    std::uint64_t characters_ = 0;
    std::size_t batch_ = largest_batch;  // events per emit()
    bool job_running_ = false;
    bool retrying_ = false;
    bool told_again_ = false;
    bool end_given_ = false;
    bool talking_ = false;
    std::uint64_t last_pos_ = 0;  // of what was emitted: positions never go back
    bool fresh_ = true;  // nothing has been said since open() or clear()
    bool ended_ = false;
};

}  // namespace detail

}  // namespace jackfield::sdk::tts
