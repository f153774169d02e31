#include "generation.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::scripted {
namespace {

// A full queue empties at the pace of the call's strand; a few milliseconds later there is room.
constexpr std::chrono::milliseconds queue_pause{5};

/// Words with the space before them, as language models stream them.
std::vector<std::string_view> cut_tokens(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at + 1), text.size());
        out.push_back(text.substr(at, end - at));
        at = end;
    }
    return out;
}

std::uint32_t slot_kind(Hints::Dictation dictation) {
    switch (dictation) {
        case Hints::Dictation::digits: return JF_SLOT_DIGITS;
        case Hints::Dictation::name: return JF_SLOT_NAME;
        case Hints::Dictation::other: return JF_SLOT_OTHER;
        case Hints::Dictation::none: break;
    }
    return JF_SLOT_NONE;
}

std::vector<jf_str> strings(const std::vector<std::string>& texts) {
    std::vector<jf_str> out;
    for (const std::string& text : texts) out.push_back(sdk::str(text));
    return out;
}

}  // namespace

Generation::Generation(const sdk::Host& host, jf_op op, Turn turn, std::uint64_t tokens_in)
    : host_(host), op_(op), turn_(std::move(turn)), tokens_in_(tokens_in), tokens_(cut_tokens(turn_.reply)) {}

jf_status Generation::emit_hints() {
    const std::vector<jf_str> phrases = strings(turn_.hints.phrases);
    const std::vector<jf_str> keywords = strings(turn_.hints.keywords);
    jf_hints hints = sdk::make<jf_hints>();
    hints.slot = slot_kind(turn_.hints.dictation);
    hints.grammar = sdk::str(turn_.hints.grammar);
    hints.phrases = sdk::array(phrases);
    hints.keywords = sdk::array(keywords);
    hints.min_digits = static_cast<std::uint32_t>(turn_.hints.min_digits);
    hints.max_digits = static_cast<std::uint32_t>(turn_.hints.max_digits);
    return host_.emit(op_, JF_EV_HINTS, hints);
}

jf_status Generation::emit_call() {
    if (!turn_.call) return JF_OK;
    jf_tool_call call = sdk::make<jf_tool_call>();
    call.id = sdk::str(turn_.call->id);
    call.name = sdk::str(turn_.call->name);
    call.arguments = sdk::str(turn_.call->arguments);
    return host_.emit(op_, JF_EV_TOOL_CALL, call);
}

Generation::Progress Generation::pump(std::chrono::nanoseconds token_delay) {
    token_delay_ = token_delay;
    // The hints go first: a caller who interrupts the question already answers it.
    for (const std::size_t last = tokens_.size() + 1; next_ <= last;) {
        const bool is_token = next_ > 0 && next_ < last;
        const jf_status status = next_ == 0      ? emit_hints()
                                 : next_ == last ? emit_call()
                                                 : host_.emit(op_, JF_EV_TOKEN, sdk::str(tokens_[next_ - 1]));
        if (status == JF_E_AGAIN) return wait(queue_pause);
        if (status != JF_OK) return complete(status);
        ++next_;
        if (is_token && next_ < last && token_delay_.count() > 0) return wait(token_delay_);
    }
    return complete(JF_OK);
}

Generation::Progress Generation::wait(std::chrono::nanoseconds delay) {
    const auto* timer = host_.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
    if (!timer) return complete(JF_E_UNSUPPORTED);
    try {
        timer_ = host_.open(op_, *this);
    } catch (const sdk::Failure& failure) {
        return complete(failure.code());
    }
    const jf_status status = timer->start(host_.ctx(), timer_, static_cast<std::uint64_t>(delay.count()));
    if (status == JF_OK) return Progress::waiting;
    host_.cancel(std::exchange(timer_, JF_NO_OP));
    return complete(status);
}

Generation::Progress Generation::complete(jf_status status) {
    jf_llm_usage usage = sdk::make<jf_llm_usage>();
    usage.finish = turn_.call ? JF_FINISH_TOOLS : JF_FINISH_STOP;
    usage.tokens_in = tokens_in_;
    usage.tokens_out = tokens_.size();
    host_.complete_with(op_, status, JF_EV_LLM_USAGE, usage);
    return Progress::done;
}

Generation::Progress Generation::cancel() {
    if (cancelled_) return Progress::waiting;
    cancelled_ = true;
    // This object is the timer's sink, so it has to stay until the timer has completed.
    host_.cancel(timer_);
    return Progress::waiting;
}

void Generation::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    timer_ = JF_NO_OP;
    const Progress progress = cancelled_ || status != JF_OK ? complete(JF_E_CANCELLED) : pump(token_delay_);
    if (progress == Progress::done) on_finished(owner, op_);
}

}  // namespace jackfield::scripted
