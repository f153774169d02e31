#include "leg.hpp"

#include "driver.hpp"

namespace jackfield::sip {
namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t quality_interval_ns = 5'000 * ns_per_ms;

/// A timer's op, used once.
struct Timer final : sdk::OpUser {
    explicit Timer(std::function<void()> task) : run(std::move(task)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Timer> self(this);
        if (status == JF_OK) run();
    }
    std::function<void()> run;
};

}  // namespace

Leg::Leg(Driver& driver,
         std::shared_ptr<Session> session,
         const jf_endpoint& local,
         const jf_endpoint& bind)
    : driver_(driver),
      host_(driver.host()),
      timer_(driver.timer()),
      session_(std::move(session)),
      local_(local),
      bind_(bind),
      media_(driver.host()) {}

bool Leg::after(std::uint64_t delay_ns, std::function<void()> task) {
    auto timer = std::make_unique<Timer>(std::move(task));
    const jf_sink sink = timer->sink();
    jf_op op = JF_NO_OP;
    if (host_.table()->op_open(host_.ctx(), op_, &sink, &op) != JF_OK) return false;
    if (timer_->start(host_.ctx(), op, delay_ns) != JF_OK) {
        host_.cancel(op);
        return false;
    }
    (void)timer.release();  // it deletes itself when it has run
    return true;
}

/// Any thread. Tasks run on the strand in the order in which they came: one timer op at a time
/// brings over all that waits.
void Leg::post(std::function<void()> task) {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(std::move(task));
        if (draining_) return;
        draining_ = true;
    }
    if (!after(0, [self = shared_from_this()] { self->drain(); })) abandon();
}

/// As post(), for what means nothing once the op is closed.
void Leg::post_if_open(std::function<void()> task) {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(std::move(task));
        if (draining_) return;
        draining_ = true;
    }
    if (after(0, [self = shared_from_this()] { self->drain(); })) return;
    {
        const std::lock_guard lock(inbox_mutex_);
        draining_ = false;
        if (inbox_.size() == 1) return inbox_.clear();
    }
    abandon();  // somebody else's task came meanwhile, and counts on being run
}

void Leg::drain() {
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock(inbox_mutex_);
        tasks.swap(inbox_);
        draining_ = false;
    }
    for (const std::function<void()>& task : tasks)
        if (state_ != State::ended) task();
}

/// The host has closed the op by itself (a budget, its own end): the far end still has to hear of
/// it.
void Leg::abandon() {
    driver_.signalling().post([session = session_] { session->hang_up(JF_CAUSE_FAILED); });
    drop_successor();
    driver_.forget(op_);
}

void Leg::on_ringing(bool early_media) {
    post([this, early_media] {
        if (early_media) media_.go_live();
        (void)host_.emit(
            op_, JF_EV_RINGING, std::uint64_t{0}, early_media ? JF_RINGING_EARLY_MEDIA : 0u);
    });
}
void Leg::on_agreement(const Agreement& agreement) {
    post([this, agreement] { agreed(agreement); });
}
void Leg::on_leg_state(std::string state) {
    post([this, text = std::move(state)] {
        (void)host_.emit(op_, JF_EV_LEG_STATE, sdk::bytes(text));
    });
}
void Leg::on_established() {
    post([this] { established(); });
}
void Leg::on_timer(std::uint64_t at_ns) {
    post([this, at_ns] {
        session_ns_ = at_ns;
        arm();
    });
}
void Leg::on_key(KeyPress key) {
    post([this, key] { media_.report_key(key); });
}
void Leg::on_transferred(bool worked, unsigned status) {
    post([this, worked, status] {
        transferring_ = false;
        (void)host_.emit(op_,
                         JF_EV_TRANSFERRED,
                         std::uint64_t{status},
                         worked ? JF_TRANSFER_DONE : JF_TRANSFER_FAILED);
    });
}
void Leg::on_transfer_asked(std::string target, std::string referred_by) {
    post([this, target = std::move(target), referred_by = std::move(referred_by)] {
        (void)host_.emit(op_, JF_EV_REFER_RECEIVED, sdk::str(target));
        call_instead(target, referred_by);
    });
}
void Leg::on_message(TracedMessage message) {
    post_if_open([this, message = std::move(message)] {
        jf_signalling told = sdk::make<jf_signalling>();
        told.direction = message.out ? JF_SIGNALLING_OUT : JF_SIGNALLING_IN;
        told.transport = message.transport;
        told.at_ns = message.at_ns;
        told.local = message.local;
        told.remote = message.remote;
        told.data = sdk::bytes(message.text);
        (void)host_.emit(op_, JF_EV_SIGNALLING, told);
    });
}
void Leg::on_replaced(std::shared_ptr<Session> by,
                      std::optional<Agreement> agreement,
                      std::string leg_state) {
    post([this, by = std::move(by), agreement, state = std::move(leg_state)] {
        {
            const std::lock_guard lock(inbox_mutex_);
            session_ = by;
        }
        transferring_ = false;
        session_ns_ = 0;  // the old one's; the new one says what it wants
        if (!state.empty()) (void)host_.emit(op_, JF_EV_LEG_STATE, sdk::bytes(state));
        if (agreement) agreed(*agreement);
        driver_.signalling().post([by, local = local_media()] { by->answer(local); });
    });
}
void Leg::on_ended(End end) {
    post([this, end = std::move(end)] {
        // Who has asked to be replaced may leave before the one who replaces it is there.
        if (successor_ && end.by == JF_ENDED_BY_FAR_END && !end_)
            end_ = end;
        else
            finish(end, JF_OK);
    });
}

jf_status Leg::open_media() {
    const jf_status status =
        media_.open(op_, bind_, driver_.options(), offered_ && offered_->rtcp_mux, [self = shared_from_this()] {
            if (std::exchange(self->state_, State::ended) != State::ended) self->abandon();
        });
    if (status == JF_OK) local_.port = media_.port();
    return status;
}

LocalMedia Leg::local_media() const {
    LocalMedia out;
    out.address = local_;
    out.rtcp_port = media_.rtcp_port();
    out.session_id = host_.now_ns() / 1'000 % 1'000'000'000'000 + 1;
    return out;
}

jf_status Leg::answer(const jf_answer& options) {
    if (state_ != State::offered) return JF_E_STATE;
    if (const jf_status status = open_media(); status != JF_OK) return status;
    state_ = State::answering;
    limits_ = options;
    if (offered_) agreed(*offered_);
    driver_.signalling().post(
        [session = session_, local = local_media()] { session->answer(local); });
    return JF_OK;
}

void Leg::dial(DialRequest request, const jf_answer& media, std::uint32_t ring_timeout_ms) {
    if (const jf_status status = open_media(); status != JF_OK)
        throw sdk::Failure(status,
                           status == JF_E_QUOTA ? "no RTP port of `rtp_ports` is free"
                                                : "the media socket can't be opened");
    state_ = State::dialing;
    dialled_ = request.to;
    limits_ = media;
    request.local = local_media();
    if (ring_timeout_ms) ring_deadline_ns_ = host_.now_ns() + ring_timeout_ms * ns_per_ms;
    Signalling& signalling = driver_.signalling();
    signalling.post(
        [&signalling, session = session_, self = shared_from_this(), request = std::move(request)] {
            session->set_events(self);
            signalling.dial(session, request);
        });
    arm();
}

jf_status Leg::control(const jf_telephony_control& control) {
    Signalling& signalling = driver_.signalling();
    switch (control.verb) {
        case JF_TEL_RING:
            if (state_ != State::offered) return JF_E_STATE;
            signalling.post([session = session_] { session->ring(); });
            return JF_OK;
        case JF_TEL_REJECT:
            if (state_ != State::offered) return JF_E_STATE;
            hang_up(static_cast<std::uint32_t>(control.value));
            return JF_OK;
        case JF_TEL_HOLD:
            if (state_ != State::up) return JF_E_STATE;
            signalling.post([session = session_, on = control.value != 0] { session->hold(on); });
            return JF_OK;
        case JF_TEL_TRANSFER:
            return transfer(control);
        case JF_TEL_DTMF:
            if (state_ != State::up) return JF_E_STATE;
            if (media_.agreement() && media_.agreement()->event_payload_type < 0)
                return JF_E_UNSUPPORTED;
            if (!media_.add_keys(sdk::view(control.text))) return JF_E_INVALID;
            if (!std::exchange(sending_keys_, true)) send_keys();
            return JF_OK;
        default:
            return JF_E_UNSUPPORTED;
    }
}

jf_status Leg::transfer(const jf_telephony_control& control) {
    if (state_ != State::up || transferring_) return JF_E_STATE;
    std::string target;
    std::shared_ptr<Session> other;
    if (control.value == 0) {
        target = "<" + driver_.address_to_transfer_to(sdk::view(control.text)) + ">";
    } else {
        other = driver_.session_of(control.value);
        if (!other || other == session_) return JF_E_INVALID;
    }
    transferring_ = true;
    driver_.signalling().post(
        [session = session_, other = std::move(other), target = std::move(target)] {
            if (!other) return session->transfer(target);
            // Should the other leg end meanwhile, the far end's INVITE gets a 481.
            session->transfer(refer_to_replacing(other->dialog_name()));
        });
    return JF_OK;
}

void Leg::hang_up(std::uint32_t cause, jf_status status) {
    if (state_ == State::ended) return;
    End end;
    end.cause = cause;
    end.by = JF_ENDED_BY_US;
    if (state_ == State::offered) end.status = refusal_for(cause).status;
    if (hanging_up_ && status == JF_OK) return;
    if (status != JF_OK) {
        driver_.signalling().post([session = session_, cause] { session->hang_up(cause); });
        return finish(end, status);
    }
    // The leg ends when its BYE has been sent, so that who looks into the call sees it; nothing of the call goes on until then.
    hanging_up_ = true;
    media_.close();
    driver_.signalling().post([self = shared_from_this(), session = session_, cause, end] {
        session->hang_up(cause);
        self->post([self = self.get(), end] { self->finish(end, JF_OK); });
    });
}

void Leg::agreed(const Agreement& agreement) {
    const bool anew = media_.agreement().has_value();
    const std::uint16_t codec_before = media_.format().codec;
    media_.agree(agreement);
    if (agreement.held() != held_) {
        held_ = agreement.held();
        if (!held_) resumed_ns_ = host_.now_ns();
        if (state_ == State::up)
            (void)host_.emit(op_, JF_EV_HOLD, std::uint64_t{0}, held_ ? 1u : 0u);
    }
    if (state_ != State::up) return;
    if (anew && codec_before != media_.format().codec)
        (void)host_.emit(op_, JF_EV_FORMAT, media_.format());
    arm();
}

void Leg::established() {
    if (state_ == State::up || !media_.agreement() || hanging_up_) return;
    state_ = State::up;
    established_ns_ = host_.now_ns();
    quality_ns_ = established_ns_ + quality_interval_ns;
    ring_deadline_ns_ = 0;
    media_.go_live();
    const bool keys = media_.agreement() && media_.agreement()->event_payload_type >= 0;
    (void)host_.emit(op_, JF_EV_ANSWERED, media_.format(), 0, keys ? 0u : JF_ANSWERED_NO_KEY_EVENTS);
    if (held_) (void)host_.emit(op_, JF_EV_HOLD, std::uint64_t{0}, 1);
    arm();
}

void Leg::finish(const End& end, jf_status status) {
    if (state_ == State::ended) return;
    const std::shared_ptr<Leg> self = shared_from_this();
    if (state_ == State::up) media_.report_quality();
    if (state_ == State::up && !dialled_.empty())
        driver_.talked(dialled_, (host_.now_ns() - established_ns_) / ns_per_ms);
    state_ = State::ended;
    drop_successor();
    media_.close();
    const RtpStatistics statistics = media_.statistics();
    jf_call_end last = sdk::make<jf_call_end>();
    last.cause = end.cause;
    last.by = end.by;
    last.status = end.status;
    last.q850 = end.q850;
    last.packets_in = statistics.received;
    last.packets_out = media_.packets_out();
    last.packets_lost = statistics.lost;
    last.text = sdk::str(end.text);
    (void)host_.complete_with(op_, status, JF_EV_CALL_ENDED, last);
    driver_.forget(op_);
}

/// When the far end's silence on the wire becomes the call's end; 0 for never.
std::uint64_t Leg::watchdog_at() const {
    if (state_ != State::up || held_ || !media_.agreement() || !media_.agreement()->far_end_sends)
        return 0;
    const bool heard = media_.last_packet_ns() != 0;
    const std::uint64_t limit = heard ? limits_.media_timeout_ms : limits_.no_media_timeout_ms;
    if (limit == 0) return 0;
    // A call that was on hold starts waiting anew when it comes back.
    return std::max({media_.last_packet_ns(), established_ns_, resumed_ns_}) + limit * ns_per_ms;
}

/// One timer for all that may become due; what it finds not to be due yet, it waits for again.
void Leg::arm() {
    std::uint64_t at = state_ == State::up ? quality_ns_ : 0;
    for (const std::uint64_t other :
         {watchdog_at(), ring_deadline_ns_, session_ns_, state_ == State::up ? media_.rtcp_due_ns() : 0})
        if (other && (at == 0 || other < at)) at = other;
    if (at == 0) return;
    const std::uint64_t now = host_.now_ns();
    const std::uint64_t delay = at > now ? at - now : 0;
    (void)after(std::max(delay, 5 * ns_per_ms),
                [self = shared_from_this(), generation = ++timer_generation_] {
                    if (generation == self->timer_generation_ && self->state_ != State::ended)
                        self->on_tick();
                });
}

void Leg::on_tick() {
    if (hanging_up_) return;
    const std::uint64_t now = host_.now_ns();
    if (ring_deadline_ns_ && now >= ring_deadline_ns_) return hang_up(JF_CAUSE_NO_ANSWER);
    if (const std::uint64_t watchdog = watchdog_at(); watchdog && now >= watchdog)
        return hang_up(JF_CAUSE_MEDIA_TIMEOUT);
    if (session_ns_ && now >= session_ns_) {
        session_ns_ = 0;
        driver_.signalling().post([session = session_] { session->wake(); });
    }
    media_.end_lost_key();
    if (state_ == State::up && now >= quality_ns_) {
        media_.report_quality();
        quality_ns_ = now + quality_interval_ns;
    }
    if (state_ == State::up && media_.rtcp_due_ns() != 0 && now >= media_.rtcp_due_ns())
        media_.send_rtcp();
    arm();
}

void Leg::send_keys() {
    if (state_ == State::ended || !media_.send_key_tick()) {
        sending_keys_ = false;
        return;
    }
    (void)after(DtmfSender::tick_ms * ns_per_ms,
                [self = shared_from_this()] { self->send_keys(); });
}

}  // namespace jackfield::sip
