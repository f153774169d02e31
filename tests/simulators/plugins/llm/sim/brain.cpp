#include "brain.hpp"

#include <array>

namespace jackfield::llm_sim {
namespace {

constexpr std::array<std::string_view, 32> words = {
    "we",    "have",  "an",     "opening", "on",    "that",   "day",   "at",      "noon", "would",  "you",
    "like",  "it",    "please", "tell",    "me",    "your",   "name",  "doctor",  "is",   "away",   "until",
    "next",  "week",  "let",    "us",      "look",  "for",    "other", "time",    "then", "appointment"};
constexpr std::string_view stops = ".?!,";

bool has_shop(const jf_llm_request& request) {
    for (std::uint32_t i = 0; i < request.tools.n; ++i)
        if (sdk::view(JF_AT(jf_tool, request.tools, i)->name) == "shop_order") return true;
    return false;
}

Brain& brain_of(jf_instance* self) { return *reinterpret_cast<Brain*>(self); }

const jf_llm_v1* llm_table() {
    static const jf_llm_v1 table = [] {
        jf_llm_v1 t = sdk::make<jf_llm_v1>();
        t.start = [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
            return sdk::guarded(error, [&] { return brain_of(self).answer(op, *request); });
        };
        t.prewarm = [](jf_instance* self, jf_op op, const jf_llm_request*, jf_error* error) {
            return sdk::guarded(error, [&] { return brain_of(self).host().complete(op); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

/// Somebody who is slow to see that the answer was given up. No child of its op, which may be gone by then; deletes itself.
class Answer::LateCancel final : public sdk::OpUser {
  public:
    explicit LateCancel(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
    void on_event(jf_op, const jf_event&) override {}
    void on_done(jf_op, jf_status, const jf_event*, const jf_error*) override {
        const std::unique_ptr<LateCancel> self(this);
        answer_->say("late ");
        answer_->complete(JF_E_CANCELLED);
    }

  private:
    std::shared_ptr<Answer> answer_;
};

Answer::Answer(Brain& owner, jf_op op, std::uint64_t seed, const sim::Fault* fault)
    : owner_(owner), op_(op), random_(seed), fault_(fault) {}

void Answer::begin(const jf_llm_request& request) {
    session_ = sdk::view(request.session);
    compose(request);
    wake(has("late") ? fault_->argument * 1'000'000 : random_.between(1, 10) * owner_.options().token_ns);
}

void Answer::compose(const jf_llm_request& request) {
    const std::uint64_t count = has("giant") ? fault_->argument : random_.between(1, owner_.options().words);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::string token(random_.one_of(words));
        if (i + 1 == count) token += ".";
        else if (random_.chance(150)) token += stops[random_.between(0, stops.size() - 1)];
        tokens_.push_back((i == 0 ? "" : " ") + token);
    }
    if (has("empty")) tokens_.clear();
    if (has("blank")) tokens_.assign(3, "  \n");
    if (has("long_word")) tokens_.assign(1, std::string(fault_->argument, 'a'));
    if (has("garbage")) tokens_.insert(tokens_.begin(), std::string("\xff\xc3\x28 \x01", 5));
    // The longer they talk the likelier it is the end.
    if (random_.chance(40 + 25 * request.messages.n)) tool_ = "hang_up";
    else if (random_.chance(owner_.options().transfers_permille)) tool_ = "transfer", arguments_ = R"({"to":"reception"})";
    else if (random_.chance(250)) wants_keys_ = true;
    if (tool_.empty() && !wants_keys_ && has_shop(request) && random_.chance(500)) {
        tool_ = random_.chance(500) ? "shop_look_up" : "shop_order";
        arguments_ = R"({"what":"tea"})";
    }
    if (has("tool")) tool_ = "order_pizza", arguments_ = "{";
    if (has("nobody")) tool_ = "transfer", arguments_ = R"({"to":"nobody"})";
}

void Answer::wake(std::uint64_t delay_ns) {
    if (waiting_ || completed_) return;
    waiting_ = true;
    owner_.start_timer(owner_.host().open(op_, *this), delay_ns);
}

void Answer::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    waiting_ = false;
    if (completed_) return owner_.forget(op_);
    if (status != JF_OK || misbehave()) return;
    if (tokens_.empty()) return finish();
    say(tokens_.front());
    tokens_.pop_front();
    ++said_;
    wake(random_.between(1, owner_.options().token_ns));
}

bool Answer::misbehave() {
    if (!fault_ || has("late") || said_ < fault_->argument) return false;
    if (has("stall")) return true;
    if (has("die")) complete(JF_E_PEER_LOST);
    else if (has("after")) {
        complete(JF_OK);
        say("and another thing");
    } else return false;
    return true;
}

void Answer::say(std::string_view token) { owner_.host().emit(op_, JF_EV_TOKEN, sdk::str(token)); }

void Answer::act(std::string_view name, std::string_view arguments) {
    const std::string id = "call-" + std::to_string(random_.between(1, 999));
    jf_tool_call call = sdk::make<jf_tool_call>();
    call.id = sdk::str(id);
    call.name = sdk::str(name);
    call.arguments = sdk::str(arguments);
    owner_.host().emit(op_, JF_EV_TOOL_CALL, call);
    // For whoever watches: from here on the agent wants the call to end. As a warning, so that it is there when milestones are not.
    owner_.host().log(JF_LOG_WARN, "sim.tool", {{"call", session_}, {"tool", std::string(name)}, {"at_ns", std::to_string(owner_.host().now_ns())}}, op_);
}

void Answer::finish() {
    if (!tool_.empty()) act(tool_, arguments_.empty() ? "{}" : arguments_);
    if (has("tools")) {
        act("transfer", "[]");
        act("hang_up", "{}");
        act("hang_up", "not json");
    }
    if (wants_keys_) {
        jf_hints hints = sdk::make<jf_hints>();
        hints.slot = JF_SLOT_DIGITS;
        owner_.host().emit(op_, JF_EV_HINTS, hints);
    }
    complete(JF_OK);
}

void Answer::complete(jf_status status) {
    if (std::exchange(completed_, true)) return;
    jf_llm_usage usage = sdk::make<jf_llm_usage>();
    usage.finish = tool_.empty() ? JF_FINISH_STOP : JF_FINISH_TOOLS;
    usage.tokens_out = said_;
    owner_.host().complete_with(op_, status, JF_EV_LLM_USAGE, usage);
    owner_.retire(op_, waiting_);
}

void Answer::cancel() {
    if (!has("late_cancel")) return complete(JF_E_CANCELLED);
    auto waiting = std::make_unique<LateCancel>(shared_from_this());
    const jf_op timer = owner_.host().open(JF_NO_OP, *waiting);
    static_cast<void>(waiting.release());
    owner_.start_timer(timer, fault_->argument * 1'000'000);
}

std::unique_ptr<Brain> Brain::create(sdk::Host host, const sdk::Config& config) {
    Options options;
    options.seed = static_cast<std::uint64_t>(config.integer("seed", 1));
    options.token_ns = static_cast<std::uint64_t>(config.integer("token_ms", 20)) * 1'000'000;
    options.words = static_cast<std::uint64_t>(config.integer("words", 12));
    options.transfers_permille = static_cast<std::uint64_t>(config.integer("transfers_permille", 40));
    options.faults = sim::Faults(config.list("faults"));
    return std::make_unique<Brain>(host, std::move(options));
}

Brain::Brain(sdk::Host host, Options options)
    : host_(host), options_(std::move(options)), timer_(host.facility<jf_host_timer_v1>(JF_FACILITY_TIMER)), random_(options_.seed) {
    if (!timer_) throw sdk::Failure(JF_E_UNSUPPORTED, "the host lacks timers");
}

const void* Brain::query(std::string_view interface_id) { return interface_id == JF_LLM_V1 ? llm_table() : nullptr; }

jf_status Brain::answer(jf_op op, const jf_llm_request& request) {
    std::shared_ptr<Answer> answer;
    {
        const std::lock_guard lock(mutex_);
        const std::uint64_t n = ++started_;
        if (options_.faults.find(n, {"refuse"})) throw sdk::Failure(JF_E_PEER_LOST, "the model is not reachable");
        if (options_.faults.find(n, {"fail"})) return host_.fail(op, sdk::Failure(JF_E_RATE, "too many requests"));
        const sim::Fault* fault = options_.faults.find(n, {"stall", "die", "after", "late", "late_cancel", "empty", "giant", "long_word", "blank",
                                                           "garbage", "tool", "nobody", "tools"});
        answer = std::make_shared<Answer>(*this, op, random_.next(), fault);
        answers_.emplace(op, answer);
    }
    answer->begin(request);
    return JF_OK;
}

jf_status Brain::cancel(jf_op op) {
    std::shared_ptr<Answer> answer;
    {
        const std::lock_guard lock(mutex_);
        const auto found = answers_.find(op);
        if (found == answers_.end()) return JF_E_INVALID;
        answer = found->second;
    }
    answer->cancel();
    return JF_OK;
}

void Brain::retire(jf_op op, bool timer_runs) {
    std::shared_ptr<Answer> last;
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(op);
    if (found == answers_.end()) return;
    last = std::move(found->second);
    answers_.erase(found);
    if (timer_runs) retired_.emplace(op, std::move(last));
}

void Brain::forget(jf_op op) {
    std::shared_ptr<Answer> last;
    const std::lock_guard lock(mutex_);
    const auto found = retired_.find(op);
    if (found == retired_.end()) return;
    last = std::move(found->second);
    retired_.erase(found);
}

}  // namespace jackfield::llm_sim
