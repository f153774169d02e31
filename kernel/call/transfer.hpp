#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "call/bridge.hpp"
#include "call/hold_sound.hpp"
#include "config/host_config.hpp"
#include "media/playout_queue.hpp"
#include "observe/log.hpp"
#include "plugin_host/adapters/ports.hpp"
#include "plugin_host/plugin_host.hpp"
#include "store/call_store.hpp"

namespace jackfield::call {

/// How long a leg may take to end once it is hung up. SIP repeats a BYE that nobody answers for 32 seconds (RFC 3261 17.1.2.2).
inline constexpr base::Milliseconds longest_hang_up{40'000};

/// Whom to call for a caller, and how.
struct TransferPlan {
    config::TransferConfig target;
    std::shared_ptr<plugin_host::Instance> telephony;
    std::shared_ptr<void> line; ///< one of those that the tenant may use at one time; held as long as the leg
    /// The second leg's record: a call of its own whose `parent` is the caller's.
    store::CallRow row;
    /// Said to whoever answers, before they are joined; empty: joined at once.
    std::string announcement;
    std::vector<std::shared_ptr<plugin_host::Instance>> tts;
    std::string language;
    Music music;
    base::Milliseconds tts_timeout{1500};
    base::Milliseconds no_media_timeout{30000};
    base::Milliseconds media_timeout{15000};
};

/// What becomes of it. Each may end the call; none is called from within a function of Transfer but from its own events.
struct TransferEvents {
    std::function<void()> joined;
    /// Nobody was reached or wanted the call: busy, no_answer, rejected, not_accepted, ...
    std::function<void(std::string why)> failed;
    /// They talked, and the person hung up.
    std::function<void()> left;
    /// The person pressed a key while they talked.
    std::function<void(char key)> key;
};

/// The leg to somebody whom a caller is handed to: dials, says what is to be said, joins the two. Belongs to the caller's shard, and takes its
/// clock from the caller's call.
class Transfer final : public plugin_host::OpSink {
  public:
    Transfer(plugin_host::PluginHost& plugins, store::CallStore& store, runtime::Shard& shard, observe::Logger log, TransferPlan plan,
             TransferEvents events);
    ~Transfer() override;

    /// Nothing of the leg is left: destroy this, not from within. Before begin().
    void on_gone(std::function<void()> gone) { gone_ = std::move(gone); }
    /// Stores the leg, then dials.
    void begin();
    /// Ends the leg, in whatever state; on_gone() follows, `failed` and `left` don't.
    void hang_up(std::uint32_t cause);
    /// The caller and the person are being connected without us: the person's side ends this leg. Where it doesn't, we do, a little later;
    /// on_gone() follows, `failed` and `left` don't.
    void give_over();
    bool joined() const { return state_ == State::joined; }
    /// By whose carrier it goes, and as what; JF_NO_OP when there is none (any more).
    const plugin_host::Instance& telephony() const { return *plan_.telephony; }
    jf_op leg() const { return leg_; }
    const store::CallRow& row() const { return row_; }

    /// A packet of the caller's.
    void from_caller(media::SamplePos pts, media::G711Law law, std::span<const std::uint8_t> codes);
    void press(char key);
    /// One packet each way: what the caller hears now, and what the person does.
    void tick(media::G711Law caller_law, std::span<std::uint8_t, media::packet_samples> to_caller);

    void on_event(jf_op op, const jf_event& event) override;
    void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;

  private:
    enum class State { storing, dialing, announcing, asking, joined, over };
    /// The voice of the announcement.
    struct Voice final : public plugin_host::OpSink {
        explicit Voice(Transfer& transfer) : owner(transfer) {}
        void on_event(jf_op op, const jf_event& event) override;
        void on_done(jf_op op, jf_status status, const jf_event* last, const jf_error* error) override;
        Transfer& owner;
        jf_op op = JF_NO_OP;
        std::shared_ptr<plugin_host::Instance> keep;
        bool spoke = false;
    };

    void dial();
    void answered(const jf_format& format);
    void announce();
    void next_voice();
    void announced();
    void join();
    void fail(const std::string& why, std::uint32_t cause);
    void end_leg(std::uint32_t cause);
    void send();
    void write_row(void (store::CallStore::*what)(runtime::Shard&, const store::CallRow&, store::CallStore::Done));
    void finish_when_quiet();
    void set_timer(base::Milliseconds time, std::function<void()> then);
    void clear_timer();

    plugin_host::PluginHost& plugins_;
    store::CallStore& store_;
    runtime::Shard& shard_;
    observe::Logger log_;
    TransferPlan plan_;
    TransferEvents events_;
    std::function<void()> gone_;
    plugin_host::TelephonyPort telephony_;
    store::CallRow row_;
    State state_ = State::storing;
    jf_op leg_ = JF_NO_OP;
    bool leg_gone_ = false;
    bool answered_ = false;
    bool closing_ = false;
    bool closed_ = false;
    int pending_writes_ = 0;
    media::G711Law law_ = media::G711Law::mu;
    Bridge bridge_;
    HoldSound sound_;
    bool early_media_ = false;
    media::SamplePos position_ = 0;
    std::unique_ptr<media::PlayoutQueue> playout_;
    std::vector<std::unique_ptr<Voice>> voices_;
    Voice* voice_ = nullptr;
    std::size_t next_voice_ = 0;
    runtime::TimerId timer_ = 0;
};

}  // namespace jackfield::call
