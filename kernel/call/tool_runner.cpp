#include "call/tool_runner.hpp"

#include <jackfield/tools.h>

#include <algorithm>

#include "base/json.hpp"
#include "call/tool_arguments.hpp"
#include "plugin_host/adapters/ports.hpp"

namespace jackfield::call {
namespace {

constexpr int most_attempts = 2;
constexpr base::Milliseconds pause_between{200};
constexpr base::Milliseconds longest_pause{2000};
constexpr std::size_t longest_result = 64 * 1024;

std::string error_json(std::string_view text, bool unknown = false) {
    base::JsonWriter json;
    json.begin_object().member("error", text);
    if (unknown) json.member("outcome", "unknown");
    json.end_object();
    return json.take();
}

/// The model gets JSON, whatever the tool sent.
std::string as_json(std::string_view content) {
    if (content.size() > longest_result) return error_json("the tool's answer is too long");
    if (base::JsonDocument::parse(content)) return std::string(content);
    base::JsonWriter json;
    json.begin_object().member("result", content).end_object();
    return json.take();
}

}  // namespace

/// One call of a tool, from the check of its arguments to its stored outcome.
class ToolRunner::Running final : public plugin_host::OpSink {
  public:
    Running(ToolRunner& owner, const plugin_host::OfferedTool& tool, std::uint64_t reply, std::uint32_t index, std::string arguments,
            base::Milliseconds timeout)
        : owner_(owner), tool_(tool), reply_(reply), index_(index), deadline_(owner.shard_.now() + timeout) {
        row_.call = owner.context_.call;
        row_.turn = static_cast<std::int64_t>(reply);
        row_.index = index;
        row_.key = row_.call + ":" + std::to_string(reply) + ":" + std::to_string(index);
        row_.name = tool.name;
        row_.arguments = arguments.empty() ? "{}" : std::move(arguments);
        row_.began = utc_now();
        row_.began_ms = owner.context_.since_answer_ms();
    }

    void start() {
        owner_.metrics_.run.add();
        const std::vector<std::string> problems = argument_problems(tool_.function.parameters, row_.arguments);
        if (!problems.empty()) {
            std::string text = "the arguments are no good";
            for (const std::string& problem : problems) text += "; " + problem;
            row_.state = "failed";
            row_.result = error_json(text);
            row_.ended = row_.began;
            return record_refused();
        }
        row_.state = "intent";
        owner_.store_.insert(owner_.shard_, owner_.context_.tenant, row_, [this](base::Result<> stored) {
            if (!stored) {
                // What nobody would find again after a crash is not begun.
                owner_.log_.error("tool.not_stored", {{"tool", row_.name}, {"error", stored.error().text()}});
                owner_.metrics_.failed.add();
                answer(error_json("the request could not be noted down, so nothing was done"));
                return finish_soon();
            }
            timer_ = owner_.shard_.start_timer(deadline_, [this] {
                timer_ = 0;
                on_deadline();
            });
            attempt();
        });
    }

    void on_event(jf_op, const jf_event& event) override {
        if (event.type != JF_EV_TOOL_PROGRESS || answered_) return;
        if (const auto* text = sdk::data_of<jf_str>(event)) owner_.context_.on_progress(reply_, index_, sdk::view(*text));
    }

    void on_done(jf_op, jf_status status, const jf_event* last, const jf_error* error) override {
        op_ = JF_NO_OP;
        const auto* result = last && last->type == JF_EV_TOOL_RESULT ? sdk::data_of<jf_tool_result>(*last) : nullptr;
        if (status == JF_OK && result) return settle("done", as_json(sdk::view(result->content)));
        if (status == JF_OK) return settle("failed", error_json("the tool gave no answer"));
        const bool lost = status == JF_E_PEER_LOST || status == JF_E_TIMEOUT || status == JF_E_CANCELLED;
        const std::string text = error && error->text[0] ? error->text : lost ? "the tool was lost" : "the tool failed";
        owner_.log_.warn("tool.failed", {{"tool", row_.name}, {"status", status}, {"error", text}});
        const bool harmless = tool_.function.flags & (JF_TOOL_IDEMPOTENT | JF_TOOL_READ_ONLY);
        // An error that says so may be tried again whatever the tool: nothing was done. A lost one only where that does no harm.
        const bool again = lost                    ? harmless
                           : status == JF_E_AGAIN ? true // its thread was behind: never begun
                                                  : error && (error->retry_class == JF_RETRY_NOW || error->retry_class == JF_RETRY_AFTER);
        const auto asked = error && error->retry_class == JF_RETRY_AFTER ? base::Milliseconds(error->retry_after_ms) : pause_between;
        const base::MonoTime next = owner_.shard_.now() + std::min(asked, longest_pause);
        if (again && !answered_ && row_.attempts < most_attempts && next < deadline_) {
            retry_timer_ = owner_.shard_.start_timer(next, [this] {
                retry_timer_ = 0;
                attempt();
            });
            return;
        }
        if (lost && !(tool_.function.flags & JF_TOOL_READ_ONLY))
            return settle("unknown", error_json(text + "; whether it was done is not known, and it must not be repeated", true));
        settle("failed", error_json(text));
    }

  private:
    base::UtcTime utc_now() const { return owner_.plugins_.runtime().clock().utc_now(); }

    void attempt() {
        ++row_.attempts;
        const plugin_host::ToolsPort port(*tool_.instance);
        op_ = port ? owner_.plugins_.ops().open(owner_.shard_, this, tool_.instance.get()) : JF_NO_OP;
        if (op_ == JF_NO_OP) return settle("failed", error_json("the tool is not available at present"));
        owner_.plugins_.ops().set_owner(op_, plugin_host::OpOwner::of(owner_.context_.tenant, owner_.context_.call));
        const std::string now_local = owner_.context_.now_local();
        const auto left = std::chrono::duration_cast<base::Milliseconds>(deadline_ - owner_.shard_.now());
        jf_tool_request request = sdk::make<jf_tool_request>();
        request.deadline_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 1));
        request.name = sdk::str(tool_.function.name);
        request.arguments = sdk::str(row_.arguments);
        request.idempotency_key = sdk::str(row_.key);
        request.call = sdk::str(row_.call);
        request.language = sdk::str(owner_.context_.language);
        request.now_local = sdk::str(now_local);
        jf_error error = sdk::make<jf_error>();
        const jf_status status = port.call(op_, request, &error);
        if (status != JF_OK) owner_.plugins_.ops().complete(*tool_.instance, op_, status, nullptr, &error);
    }

    /// The model is told now; the tool is given up, and what it answers to that is recorded.
    void on_deadline() {
        if (retry_timer_) {
            owner_.shard_.cancel_timer(std::exchange(retry_timer_, 0));
            return settle("failed", error_json("the tool failed and time is up"));
        }
        owner_.log_.warn("tool.timeout", {{"tool", row_.name}});
        const bool read_only = tool_.function.flags & JF_TOOL_READ_ONLY;
        answer(read_only ? error_json("the tool did not answer in time")
                         : error_json("the tool did not answer in time; whether it was done is not known, and it must not be repeated", true));
        owner_.plugins_.ops().cancel(op_);
    }

    void answer(std::string content) {
        if (std::exchange(answered_, true)) return;
        row_.result = content;
        owner_.context_.on_result(reply_, index_, content);
    }

    void settle(const char* state, std::string content) {
        if (timer_) owner_.shard_.cancel_timer(std::exchange(timer_, 0));
        row_.state = state;
        row_.ended = utc_now();
        // What comes after the model has been told is on record as it is.
        if (answered_) row_.result = content;
        if (row_.state == "failed") owner_.metrics_.failed.add();
        if (row_.state == "unknown") {
            owner_.metrics_.unknown.add();
            owner_.log_.error("tool.unknown", {{"tool", row_.name}, {"key", row_.key}});
        }
        answer(std::move(content));
        owner_.store_.finish(owner_.shard_, owner_.context_.tenant, row_, [this](base::Result<> stored) { recorded(stored); });
    }

    void record_refused() {
        owner_.metrics_.failed.add();
        owner_.store_.insert(owner_.shard_, owner_.context_.tenant, row_, [this](base::Result<> stored) {
            answer(row_.result);
            recorded(stored);
        });
    }

    void recorded(const base::Result<>& stored) {
        if (!stored) owner_.log_.error("tool.not_stored", {{"tool", row_.name}, {"error", stored.error().text()}});
        owner_.context_.on_recorded(row_);
        finish_soon();
    }

    /// Not from inside a callback of its own.
    void finish_soon() {
        owner_.shard_.post([this] { owner_.gone(*this); });
    }

    ToolRunner& owner_;
    const plugin_host::OfferedTool tool_;
    const std::uint64_t reply_;
    const std::uint32_t index_;
    const base::MonoTime deadline_;
    store::ToolCallRow row_;
    jf_op op_ = JF_NO_OP;
    bool answered_ = false;
    runtime::TimerId timer_ = 0;
    runtime::TimerId retry_timer_ = 0;
};

ToolRunner::ToolRunner(plugin_host::PluginHost& plugins, store::ToolCallStore& store, runtime::Shard& shard, observe::Logger log,
                       ToolMetrics metrics, Context context)
    : plugins_(plugins), store_(store), shard_(shard), log_(std::move(log)), metrics_(metrics), context_(std::move(context)) {}

ToolRunner::~ToolRunner() = default;

void ToolRunner::run(const plugin_host::OfferedTool& tool, std::uint64_t reply, std::uint32_t index, std::string arguments,
                     base::Milliseconds timeout) {
    running_.push_back(std::make_unique<Running>(*this, tool, reply, index, std::move(arguments), timeout));
    running_.back()->start();
}

void ToolRunner::gone(Running& running) {
    std::erase_if(running_, [&](const auto& one) { return one.get() == &running; });
    if (running_.empty()) context_.on_idle();
}

}  // namespace jackfield::call
