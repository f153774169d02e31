#include "driver.hpp"

#include "text.hpp"

namespace jackfield::sip {
namespace {

/// Completes the quiesce op when its budget is over.
struct Budget final : sdk::OpUser {
    explicit Budget(std::function<void()> task) : run(std::move(task)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<Budget> self(this);
        if (status == JF_OK) run();
    }
    std::function<void()> run;
};

bool fit_for_header(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return c >= 0x20 && c != 0x7f && c != '"' && c != '<' && c != '>' && c != '\\';
    });
}

bool fit_for_uri(std::string_view text) {
    return is_token(text) && fit_for_header(text);
}

/// Headers that the stack writes by itself; a second one would confuse whoever receives it.
bool is_ours(const std::string& name) {
    for (const char* own : {"via",
                            "v",
                            "from",
                            "f",
                            "to",
                            "t",
                            "call-id",
                            "i",
                            "cseq",
                            "contact",
                            "m",
                            "max-forwards",
                            "route",
                            "record-route",
                            "content-length",
                            "l",
                            "content-type",
                            "c",
                            "authorization",
                            "proxy-authorization",
                            "allow",
                            "require",
                            "user-agent"})
        if (name == own) return true;
    return false;
}

std::string header_lines(jf_array headers) {
    std::string out;
    for (std::uint32_t i = 0; i < headers.n; ++i) {
        const auto* header = JF_AT(jf_pair, headers, i);
        const std::string name(sdk::view(header->key));
        const std::string value(sdk::view(header->value));
        const bool plain = is_token(name) && name.find(':') == std::string::npos;
        const bool one_line = std::all_of(
            value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
        if (!plain || !one_line || is_ours(lower(name)))
            throw sdk::Failure(JF_E_INVALID,
                               "the header \"" + printable(name) + "\" can't be added to a call");
        out += name + ": " + value + "\r\n";
    }
    return out;
}

}  // namespace

std::unique_ptr<Driver> Driver::create(sdk::Host host, const sdk::Config& config) {
    return std::make_unique<Driver>(host, Options::from_config(config));
}

Driver::Driver(sdk::Host host, Options options)
    : host_(host),
      options_(std::move(options)),
      timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)),
      calls_(host.facility<jf_host_calls_v1>(JF_FACILITY_CALLS)),
      table_(options_.max_calls),
      dial_policy_(options_.trunk.dialling),
      signalling_(host, options_, [this](NewCall& call) { return offer(call); }) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no " JF_FACILITY_TIMER);
}

/// What legs have under way in the host (timers, also the one of a hang-up's end) outlives this and must find nothing to do.
Driver::~Driver() {
    const std::lock_guard lock(mutex_);
    for (const auto& [op, leg] : legs_) leg->orphan();
}

void Driver::start(jf_op op) {
    signalling_.start();
    started_ = true;
    host_.complete(op);
}

void Driver::quiesce(jf_op op, std::uint32_t budget_ms) {
    signalling_.quiesce();
    {
        const std::lock_guard lock(mutex_);
        quiesce_ = op;
        if (!legs_.empty()) {
            auto budget = std::make_unique<Budget>([this] { finish_quiesce(JF_E_TIMEOUT); });
            const jf_sink sink = budget->sink();
            jf_op timer = JF_NO_OP;
            if (host_.table()->op_open(host_.ctx(), op, &sink, &timer) == JF_OK) {
                const std::uint64_t budget_ns = std::uint64_t{budget_ms} * 1'000'000;
                if (timer_->start(host_.ctx(), timer, budget_ns) == JF_OK)
                    (void)budget.release();
                else
                    host_.cancel(timer);
            }
            return;
        }
    }
    finish_quiesce(JF_OK);
}

void Driver::finish_quiesce(jf_status status) {
    jf_op op = JF_NO_OP;
    {
        const std::lock_guard lock(mutex_);
        op = std::exchange(quiesce_, JF_NO_OP);
    }
    if (op != JF_NO_OP) host_.complete(op, status);
}

jf_status Driver::cancel(jf_op op) {
    if (Leg* found = leg(op)) {
        found->hang_up(JF_CAUSE_NORMAL, JF_E_CANCELLED);
        return JF_OK;
    }
    bool quiescing = false;
    {
        const std::lock_guard lock(mutex_);
        quiescing = op != JF_NO_OP && op == quiesce_;
        if (!quiescing && !reaps_.contains(op)) return JF_E_INVALID;
    }
    if (quiescing)
        finish_quiesce(JF_E_CANCELLED);
    else
        signalling_.post([this, op] { signalling_.cancel_reap(op); });
    return JF_OK;
}

Leg* Driver::leg(jf_op op) {
    if (Leg* found = table_.find(op)) return found;
    const std::lock_guard lock(offering_);
    return table_.find(op);
}

bool Driver::enter(jf_op op, const std::shared_ptr<Leg>& leg) {
    const std::lock_guard lock(mutex_);
    if (!table_.insert(op, leg.get())) return false;
    legs_[op] = leg;
    return true;
}

void Driver::forget(jf_op op) {
    std::shared_ptr<Leg> leg;  // its end may come here, outside the lock
    bool last = false;
    {
        const std::lock_guard lock(mutex_);
        const auto found = legs_.find(op);
        if (found == legs_.end()) return;
        table_.erase(op);
        leg = std::move(found->second);
        legs_.erase(found);
        last = legs_.empty() && quiesce_ != JF_NO_OP;
    }
    if (last) finish_quiesce(JF_OK);
}

jf_status Driver::offer(NewCall& call) {
    if (!calls_) return JF_E_STATE;
    const auto leg = std::make_shared<Leg>(*this, call.session, call.local, call.bind);
    leg->offer(call.agreement);

    std::vector<jf_str> keys;
    for (const std::string& key : call.keys) keys.push_back(sdk::str(key));
    std::vector<jf_pair> headers;
    for (const auto& [name, value] : call.headers)
        headers.push_back({sdk::str(name), sdk::str(value)});
    jf_incoming incoming = sdk::make<jf_incoming>();
    incoming.leg = sdk::str(call.session->call_id());
    incoming.from = sdk::str(call.from);
    incoming.from_name = sdk::str(call.from_name);
    incoming.to = sdk::str(call.to);
    incoming.keys = sdk::array(keys);
    incoming.leg_state = sdk::bytes(call.leg_state);
    incoming.headers = sdk::array(headers);

    const std::lock_guard lock(offering_);
    jf_op op = JF_NO_OP;
    if (const jf_status status = calls_->incoming(host_.ctx(), &incoming, &op); status != JF_OK)
        return status;
    leg->set_op(op);
    call.session->set_events(leg);
    if (enter(op, leg)) return JF_OK;
    jf_call_end last = sdk::make<jf_call_end>();
    last.cause = JF_CAUSE_UNAVAILABLE;
    host_.complete_with(op, JF_E_QUOTA, JF_EV_CALL_ENDED, last);
    return JF_E_QUOTA;
}

std::string Driver::address_to_dial(std::string_view to) const {
    if (!fit_for_uri(to))
        throw sdk::Failure(JF_E_INVALID, "`to` is neither a number nor a SIP URI");
    if (to.starts_with("sip:")) return std::string(to);
    if (to.starts_with("sips:")) return over_tls(std::string(to));
    if (!is_number(to)) throw sdk::Failure(JF_E_INVALID, "`to` is neither a number nor a SIP URI");
    const std::string& domain_of =
        options_.outbound_proxy.empty() ? options_.from : options_.outbound_proxy;
    if (domain_of.empty())
        throw sdk::Failure(JF_E_INVALID,
                           "a number can be dialled only with `outbound_proxy` or `from` in the "
                           "provider's options");
    const std::string_view domain = domain_of_uri(domain_of);
    return "sip:" + std::string(to) + "@" + std::string(domain.substr(0, domain.find(';')));
}

std::shared_ptr<Session> Driver::session_of(jf_op op) {
    const std::lock_guard lock(mutex_);
    const auto found = legs_.find(op);
    return found == legs_.end() ? nullptr : found->second->session();
}

std::string Driver::address_to_transfer_to(std::string_view to) {
    if (const std::optional<std::string> phone = registered_user(to)) return *phone;
    const std::string uri = address_to_dial(to);
    check_policy(uri);  // the far end dials, but on our line
    return uri;
}

/// Throws what the host hears when this URI may not be called.
void Driver::check_policy(std::string_view uri) {
    const DialPolicy::Verdict verdict = dial_policy_.admit(uri, host_.now_ns() / 1'000'000);
    if (verdict == DialPolicy::Verdict::allowed) return;
    signalling_.count("sip_refused_dials");
    host_.log(JF_LOG_WARN, "sip.dial_refused", {{"why", DialPolicy::explain(verdict)}});
    const bool never = verdict == DialPolicy::Verdict::not_listed ||
                       verdict == DialPolicy::Verdict::emergency;
    throw sdk::Failure(never ? JF_E_AUTH : JF_E_QUOTA, DialPolicy::explain(verdict));
}

void Driver::talked(std::string_view uri, std::uint64_t duration_ms) {
    if (dial_policy_.is_charged(uri)) dial_policy_.talked(duration_ms, host_.now_ns() / 1'000'000);
}

/// The way to the phone that "sip:user@" names; none when `to` is something else.
std::optional<std::string> Driver::registered_user(std::string_view to) const {
    if (!to.starts_with("sip:") || !to.ends_with('@')) return std::nullopt;
    const std::string_view name = to.substr(4, to.size() - 5);
    std::optional<std::string> out = signalling_.reach_user(name);
    if (!out)
        throw sdk::Failure(JF_E_NOT_FOUND,
                           "no phone is registered here as \"" + printable(name) + "\"");
    return out;
}

std::string Driver::own_address(std::string_view from, const jf_endpoint& local) const {
    if (from.empty())
        return options_.from.empty() ? "sip:jackfield@" + endpoint_text(local).substr(
                                                              0, endpoint_text(local).rfind(':'))
                                     : options_.from;
    if (!fit_for_uri(from))
        throw sdk::Failure(JF_E_INVALID, "`from` is neither a number nor a SIP URI");
    if (from.starts_with("sip:")) return std::string(from);
    const std::string_view domain = domain_of_uri(options_.from);
    const std::string host = options_.from.empty()
                                 ? endpoint_text(local).substr(0, endpoint_text(local).rfind(':'))
                                 : std::string(domain.substr(0, domain.find(';')));
    return "sip:" + escaped_user(from) + "@" + host;
}

/// A transfer's target may say which dialog the call takes the place of (RFC 3891 4).
void Driver::set_target(DialRequest& request, const std::string& to) const {
    const Dialled dialled = cut_uri_headers(to);
    request.to = dialled.uri;
    if (!dialled.replaces.empty())
        request.headers += "Replaces: " + dialled.replaces + "\r\nRequire: replaces\r\n";
}

void Driver::dial(jf_op op, const jf_dial& dial, const jf_answer& media) {
    if (!started_) throw sdk::Failure(JF_E_STATE, "not started");
    DialRequest request;
    // A phone that has registered here is reached where it is, at nobody's cost.
    const std::optional<std::string> phone = registered_user(sdk::view(dial.to));
    if (!phone) request.first_hops = signalling_.trunk_order();
    request.from_name = sdk::view(dial.from_name);
    if (!fit_for_header(request.from_name))
        throw sdk::Failure(JF_E_INVALID, "`from_name` has characters that a SIP header can't hold");
    request.headers = header_lines(dial.headers);
    set_target(request, phone ? *phone : address_to_dial(sdk::view(dial.to)));
    jf_endpoint local{};
    jf_endpoint bind{};
    signalling_.local_for(
        request.first_hops.empty() ? request.to : request.first_hops.front(), local, bind);
    request.from = own_address(sdk::view(dial.from), local);

    {
        const std::lock_guard lock(mutex_);
        if (legs_.size() >= options_.max_calls)
            throw sdk::Failure(JF_E_QUOTA, "max_calls is reached", JF_RETRY_OTHER_PROVIDER);
    }
    if (!phone) check_policy(request.to);
    const auto leg = std::make_shared<Leg>(*this, signalling_.make_session(), local, bind);
    leg->set_op(op);
    if (!enter(op, leg)) throw sdk::Failure(JF_E_QUOTA, "too many calls");
    try {
        leg->dial(std::move(request), media, dial.ring_timeout_ms);
    } catch (...) {
        forget(op);
        throw;
    }
}

void Driver::reap(jf_op op, std::string_view leg_state) {
    if (!started_) throw sdk::Failure(JF_E_STATE, "not started");
    std::optional<LegState> state = LegState::parse(leg_state);
    if (!state) throw sdk::Failure(JF_E_INVALID, "this is not the state of a SIP leg");
    {
        const std::lock_guard lock(mutex_);
        reaps_.insert(op);
    }
    auto done = [this, op](jf_status status, const std::string& why) {
        {
            const std::lock_guard lock(mutex_);
            reaps_.erase(op);
        }
        if (why.empty())
            host_.complete(op, status);
        else
            host_.fail(op, sdk::Failure(status, why));
    };
    signalling_.post([this, op, state = std::move(*state), done = std::move(done)] {
        signalling_.reap(op, state, done);
    });
}

}  // namespace jackfield::sip
