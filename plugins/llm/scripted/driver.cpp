#include "driver.hpp"

#include "dialogue.hpp"
#include "generation.hpp"

namespace jackfield::scripted {
namespace {

// A conversation of a call that lasts an hour has some hundreds of turns; more is a mistake of the host's.
constexpr std::uint32_t max_messages = 4096;

Role role_of(std::uint32_t role) {
    switch (role) {
        case JF_ROLE_SYSTEM: return Role::system;
        case JF_ROLE_ASSISTANT: return Role::assistant;
        case JF_ROLE_TOOL: return Role::tool;
        default: return Role::user;
    }
}

std::vector<Message> messages_of(const jf_llm_request& request) {
    std::vector<Message> out;
    for (std::uint32_t i = 0; i < request.messages.n; ++i) {
        const jf_message& from = *JF_AT(jf_message, request.messages, i);
        Message message;
        message.role = role_of(from.role);
        message.content = sdk::view(from.content);
        message.no_match = (from.flags & JF_MESSAGE_NO_MATCH) != 0;
        message.silence = (from.flags & JF_MESSAGE_SILENCE) != 0;
        message.dtmf = (from.flags & JF_MESSAGE_DTMF) != 0;
        message.interrupted = (from.flags & JF_MESSAGE_INTERRUPTED) != 0;
        out.push_back(message);
    }
    return out;
}

std::uint64_t words_in(const std::vector<Message>& messages) {
    std::uint64_t n = 0;
    for (const Message& message : messages) {
        bool in_word = false;
        for (const char c : message.content) {
            n += c != ' ' && !in_word;
            in_word = c != ' ';
        }
    }
    return n;
}

const jf_llm_v1* llm_table() {
    static const jf_llm_v1 table = [] {
        jf_llm_v1 t = sdk::make<jf_llm_v1>();
        t.start = [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
            return sdk::guarded(error, [&]() -> jf_status {
                if (!request) throw sdk::Failure(JF_E_INVALID, "there is no request");
                return reinterpret_cast<Scripted*>(self)->generate(op, sdk::known(request));
            });
        };
        t.prewarm = [](jf_instance* self, jf_op op, const jf_llm_request*, jf_error* error) {
            return sdk::guarded(error, [&] { return reinterpret_cast<Scripted*>(self)->prewarm(op); });
        };
        return t;
    }();
    return &table;
}

}  // namespace

std::unique_ptr<Scripted> Scripted::create(sdk::Host host, const sdk::Config& config) {
    return std::make_unique<Scripted>(host, read_options(host, config));
}

Scripted::Scripted(sdk::Host host, Options options) : host_(host), options_(std::move(options)) {}
Scripted::~Scripted() = default;

const void* Scripted::query(std::string_view interface_id) {
    return interface_id == JF_LLM_V1 ? llm_table() : nullptr;
}

jf_status Scripted::generate(jf_op op, const jf_llm_request& request) {
    if (refusing_) throw sdk::Failure(JF_E_STATE, "the instance is closing", JF_RETRY_OTHER_PROVIDER);
    if (request.messages.n > max_messages) throw sdk::Failure(JF_E_INVALID, "the conversation has more than 4096 messages");
    const std::vector<Message> messages = messages_of(request);
    Conversation conversation;
    conversation.messages = messages;
    for (std::uint32_t i = 0; i < request.tools.n; ++i)
        conversation.tools.push_back(sdk::view(JF_AT(jf_tool, request.tools, i)->name));
    conversation.now = parse_local_time(sdk::view(request.now_local));
    return run(op, std::make_unique<Generation>(host_, op, next_turn(options_.script, conversation), words_in(messages)));
}

jf_status Scripted::prewarm(jf_op op) {
    Turn turn;
    turn.hints = hints_for(options_.script, Asking::open, nullptr, nullptr);
    return run(op, std::make_unique<Generation>(host_, op, std::move(turn), 0));
}

jf_status Scripted::run(jf_op op, std::unique_ptr<Generation> generation) {
    generation->owner = this;
    generation->on_finished = [](void* owner, jf_op done) { static_cast<Scripted*>(owner)->forget(done); };
    Generation& running = *generation;
    {
        // Entered before it runs: its timer's completion may come on the op's strand as soon as this call has returned.
        const std::lock_guard lock(mutex_);
        waiting_[op] = std::move(generation);
    }
    if (running.pump(options_.token_delay) == Generation::Progress::done) forget(op);
    return JF_OK;
}

void Scripted::forget(jf_op op) {
    std::unique_ptr<Generation> gone;
    const std::lock_guard lock(mutex_);
    if (const auto found = waiting_.find(op); found != waiting_.end()) {
        gone = std::move(found->second);
        waiting_.erase(found);
    }
}

jf_status Scripted::cancel(jf_op op) {
    Generation* running = nullptr;
    {
        const std::lock_guard lock(mutex_);
        const auto found = waiting_.find(op);
        if (found == waiting_.end()) return JF_E_INVALID;
        running = found->second.get();
    }
    // Calls about one op are serial, so nobody else ends this generation meanwhile.
    running->cancel();
    return JF_OK;
}

}  // namespace jackfield::scripted
