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
      signalling_(host, options_, [this](NewCall& call) { return offer(call); }) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "this host has no " JF_FACILITY_TIMER);
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

void Driver::dial(jf_op op, const jf_dial& dial, const jf_answer& media) {
    if (!started_) throw sdk::Failure(JF_E_STATE, "not started");
    DialRequest request;
    request.to = address_to_dial(sdk::view(dial.to));
    request.from_name = sdk::view(dial.from_name);
    if (!fit_for_header(request.from_name))
        throw sdk::Failure(JF_E_INVALID, "`from_name` has characters that a SIP header can't hold");
    request.headers = header_lines(dial.headers);
    jf_endpoint local{};
    jf_endpoint bind{};
    signalling_.local_for(request.to, local, bind);
    request.from = own_address(sdk::view(dial.from), local);

    {
        const std::lock_guard lock(mutex_);
        if (legs_.size() >= options_.max_calls)
            throw sdk::Failure(JF_E_QUOTA, "max_calls is reached", JF_RETRY_OTHER_PROVIDER);
    }
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
