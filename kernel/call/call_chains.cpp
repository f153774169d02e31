// The chains of a call's recogniser, model and voice: who is asked, who stands by, who takes over.

#include "call/call.hpp"

namespace jackfield::call {

const Call::Chain& Call::chain_of(ChainKind kind) const {
    return kind == ChainKind::stt ? setup_.stt : kind == ChainKind::llm ? setup_.llm : setup_.tts;
}

void Call::next_provider(act::NextProvider::Kind which) {
    const auto kind = static_cast<ChainKind>(which);
    std::size_t& index = kind == ChainKind::stt ? stt_index_ : kind == ChainKind::llm ? llm_index_ : tts_index_;
    ChainMetrics::of(env_.metrics.chains.failovers, kind).add();
    const Chain& chain = chain_of(kind);
    if (!chain.empty()) chain[index % chain.size()]->breaker().failed(now());
    ++index;
}

/// The provider whose turn it is, or the next one that no open breaker keeps us from. When all are sick, the one whose turn it is: a chance
/// is better than silence.
const std::shared_ptr<plugin_host::Instance>& Call::choose(const Chain& chain, std::size_t& index) const {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const std::size_t candidate = (index + i) % chain.size();
        if (!chain[candidate]->breaker().allow(now())) continue;
        index = candidate;
        break;
    }
    return chain[index % chain.size()];
}

/// Who may be asked beside the one in hand; nobody when the others are known to be sick.
std::optional<std::size_t> Call::standby_of(const Chain& chain, std::size_t index) const {
    for (std::size_t i = 1; i < chain.size(); ++i) {
        const std::size_t candidate = (index + i) % chain.size();
        if (chain[candidate]->breaker().allow(now())) return candidate;
    }
    return std::nullopt;
}

/// The other one answered first. How long this one has kept us waiting is known all the same: without it, slow answers would never count.
void Call::lose_race(Stream*& loser) {
    if (!loser) return;
    if (loser->asked != base::MonoTime{}) loser->instance->health().latency().observe(now(), now() - loser->asked);
    drop_stream(loser);
}

// ---- a standby beside a model that says nothing

void Call::arm_model_hedge() {
    model_hedge_at_.reset();
    model_abandon_at_.reset();
    const base::Milliseconds floor = setup_.agent.turn.hedge_floor;
    if (floor.count() == 0 || setup_.llm.size() < 2) return;
    model_hedge_at_ = llm_->asked + llm_->instance->health().hedge_after(now(), floor);
}

void Call::hedge_model() {
    model_hedge_at_.reset();
    if (!llm_ || llm_->served || llm_standby_) return;
    const auto index = standby_of(setup_.llm, llm_index_);
    if (!index) return;
    const auto& instance = setup_.llm[*index];
    llm_standby_ = plugin_host::LlmPort(*instance) ? open_stream(StreamKind::llm, instance, llm_->reply) : nullptr;
    if (!llm_standby_) return;
    llm_standby_->chain_index = *index;
    ChainMetrics::of(env_.metrics.chains.hedges_started, ChainKind::llm).add();
    log_.info("llm.hedged", {{"provider", llm_->instance->name()}, {"standby", instance->name()}});
    // The first keeps its own deadline; the turn's begins anew with the second.
    model_abandon_at_ = llm_->asked + setup_.agent.turn.llm_timeout;
    machine_.on_standby(now(), llm_->reply);
    ask_model(*llm_standby_, false);
}

/// The first output of either decides the race: a tool call counts as a word does, so that no tool is called by both.
void Call::on_model_output(Stream& model) {
    model_hedge_at_.reset();
    model_abandon_at_.reset();
    if (llm_standby_) {
        const bool won = &model == llm_standby_;
        ChainMetrics::of(won ? env_.metrics.chains.hedges_won : env_.metrics.chains.hedges_lost, ChainKind::llm).add();
        if (won) std::swap(llm_, llm_standby_);
        llm_index_ = llm_->chain_index;
        lose_race(llm_standby_);
    }
    if (!std::exchange(model.served, true)) model.instance->health().answered(now(), now() - model.asked);
    if (model.hints) {
        const OwnedHints hints = std::move(*model.hints);
        model.hints.reset();
        use_hints(model.reply, hints);
    }
}

/// The model in hand ended or was given up while another is being asked: that one it is now.
void Call::promote_model() {
    model_hedge_at_.reset();
    model_abandon_at_.reset();
    next_provider(act::NextProvider::llm);
    llm_ = std::exchange(llm_standby_, nullptr);
    llm_index_ = llm_->chain_index;
    if (llm_->hints) {
        const OwnedHints hints = std::move(*llm_->hints);
        llm_->hints.reset();
        use_hints(llm_->reply, hints);
    }
}

void Call::drop_models() {
    drop_stream(llm_);
    drop_stream(llm_standby_);
    model_hedge_at_.reset();
    model_abandon_at_.reset();
}

// ---- a recogniser that takes over in mid-turn

/// Fast, but not all at once: a stalled shard would be heard by every other call on it.
void Call::feed_stt() {
    constexpr int packets_a_tick = 50; // fifty times as fast as it was said
    std::array<std::uint8_t, media::packet_samples> chunk;
    if (!stt_) {
        feed_at_.reset();
        finalize_after_feed_.reset();
    }
    for (int i = 0; feed_at_ && i < packets_a_tick && *feed_at_ < history_->end(); ++i) {
        *feed_at_ = std::max(*feed_at_, history_->begin());
        const std::size_t n = history_->read(*feed_at_, chunk);
        if (n == 0 || !give_stt(*feed_at_, std::span(chunk.data(), n))) return; // again with the next tick
        *feed_at_ += static_cast<media::SamplePos>(n);
    }
    if (!feed_at_ || *feed_at_ < history_->end()) return;
    feed_at_.reset();
    if (const auto ticket = std::exchange(finalize_after_feed_, std::nullopt)) send_finalize(*ticket);
}

// ---- timers of all these

std::optional<base::MonoTime> Call::next_chain_deadline() const {
    std::optional<base::MonoTime> next;
    for (const auto& at : {voice_deadline_, voice_hedge_at_, model_hedge_at_, model_abandon_at_})
        if (at && (!next || *at < *next)) next = at;
    return next;
}

void Call::serve_chain_deadlines() {
    const base::MonoTime time = now();
    if (model_abandon_at_ && *model_abandon_at_ <= time) {
        model_abandon_at_.reset();
        if (llm_standby_) {
            log_.warn("llm.timeout", {{"provider", llm_->instance->name()}});
            lose_race(llm_);
            promote_model();
        }
    }
    if (model_hedge_at_ && *model_hedge_at_ <= time) hedge_model();
    if (voice_hedge_at_ && *voice_hedge_at_ <= time) hedge_voice();
    if (voice_deadline_ && *voice_deadline_ <= time) on_voice_deadline();
}

}  // namespace jackfield::call
