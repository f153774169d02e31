// llm/example: the smallest language model there is, and an embedding beside it. Copy the folder, put a real model into generate() and embed().

#include <jackfield/sdk/async.hpp>
#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/llm.hpp>


#include "embedding.hpp"
#include "rules.hpp"

namespace jackfield::llm_example {

constexpr std::uint32_t largest_dim = 4096;
constexpr std::uint32_t most_texts = 256;

class Model {
  public:
    static std::unique_ptr<Model> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Model>(host, config.text("greeting", "Hello. What is on your mind?"));
    }
    Model(sdk::Host host, std::string greeting) : host_(host), greeting_(std::move(greeting)) {}

    void start(jf_op op) {
        gate_.open();
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t budget_ms) { gate_.close(host_, op, budget_ms); }
    const void* query(std::string_view interface_id) {
        if (interface_id == JF_LLM_V1) return sdk::llm_table<Model>();
        if (interface_id == JF_EMBEDDING_V1) return sdk::embedding_table<Model>();
        return nullptr;
    }
    /// The caller has begun to speak: silence at once. Embeddings are over before they can be given up.
    jf_status cancel(jf_op op) {
        const sdk::Host host = host_;
        if (!gate_.leave(host, op)) return JF_E_INVALID;
        host.complete(op, JF_E_CANCELLED);
        return JF_OK;
    }

    void generate(jf_op op, const jf_llm_request& request) {
        if (request.reply_schema.len) throw sdk::Failure(JF_E_UNSUPPORTED, "this model answers in free text only");
        // The request is borrowed: what is needed of it is taken now.
        const jf_message* user = sdk::last_message(request, JF_ROLE_USER);
        const std::string said(user ? sdk::view(user->content) : std::string_view());
        auto reply = std::make_shared<Reply>();
        reply->op = op;
        reply->hangs_up = user && is_farewell(said) && sdk::offers_tool(request, "hang_up");
        if (!user) reply->text = greeting_;
        else if (user->flags & JF_MESSAGE_SILENCE) reply->text = "Are you still there?";
        else reply->text = reply->hangs_up ? "Goodbye." : answer_to(said);
        gate_.enter(op);
        say(reply);
    }

    void embed(jf_op op, const jf_embedding_request& request) {
        gate_.enter(op);
        try {
            const jf_embedding_usage usage = emit_vectors(op, request);
            const sdk::Host host = host_;
            gate_.leave(host, op);
            host.complete_with(op, JF_OK, JF_EV_EMBEDDING_USAGE, usage);
        } catch (...) {
            gate_.leave(host_, op);
            throw;
        }
    }

  private:
    /// Throws Failure; then nothing was emitted.
    jf_embedding_usage emit_vectors(jf_op op, const jf_embedding_request& request) {
        const std::uint32_t dim = request.dim ? request.dim : own_dim;
        if (dim > largest_dim) throw sdk::Failure(JF_E_UNSUPPORTED, "vectors of at most 4096 values");
        if (request.texts.n > most_texts) throw sdk::Failure(JF_E_QUOTA, "at most 256 texts in one request");
        if (request.texts.n == 0) throw sdk::Failure(JF_E_INVALID, "there is no text");
        std::vector<float> values;
        std::uint64_t bytes = 0;
        for (std::uint32_t i = 0; i < request.texts.n; ++i) {
            const std::string_view text = sdk::view(*JF_AT(jf_str, request.texts, i));
            if (text.empty()) throw sdk::Failure(JF_E_INVALID, "an empty text has no vector");
            const std::vector<float> vector = llm_example::embed(text, dim);
            values.insert(values.end(), vector.begin(), vector.end());
            bytes += text.size();
        }
        jf_embeddings embeddings = sdk::make<jf_embeddings>();
        embeddings.n = request.texts.n;
        embeddings.dim = dim;
        embeddings.values = sdk::array(values);
        if (const jf_status status = host_.emit(op, JF_EV_EMBEDDINGS, embeddings); status != JF_OK)
            throw sdk::Failure(status, "the host takes nothing at present", JF_RETRY_AFTER);
        jf_embedding_usage usage = sdk::make<jf_embedding_usage>();
        usage.tokens = bytes / 4;
        return usage;
    }
    /// A generation under way. A model that computes has more to remember here: its request's connection, its place in the text.
    struct Reply {
        jf_op op = JF_NO_OP;
        std::string text;
        std::size_t said = 0; ///< bytes of it
        std::uint64_t words = 0;
        bool hangs_up = false;
    };

    /// Word by word. Where the host's queue is full it goes on a moment later with the same word.
    void say(const std::shared_ptr<Reply>& reply) {
        while (reply->said < reply->text.size()) {
            const std::size_t to = std::min(reply->text.find(' ', reply->said + 1), reply->text.size());
            const jf_str word = sdk::str(std::string_view(reply->text).substr(reply->said, to - reply->said));
            if (host_.emit(reply->op, JF_EV_TOKEN, word) == JF_E_AGAIN) return say_later(reply);
            reply->said = to;
            ++reply->words;
        }
        if (reply->hangs_up && end_the_call(reply->op) == JF_E_AGAIN) return say_later(reply);
        jf_llm_usage usage = sdk::make<jf_llm_usage>();
        usage.finish = reply->hangs_up ? JF_FINISH_TOOLS : JF_FINISH_STOP;
        usage.tokens_out = reply->words;
        // With its op complete nothing keeps the host from destroying the instance.
        const sdk::Host host = host_;
        if (gate_.leave(host, reply->op)) host.complete_with(reply->op, JF_OK, JF_EV_LLM_USAGE, usage);
    }
    /// A child of the op: when that is over it does not fire.
    void say_later(const std::shared_ptr<Reply>& reply) {
        sdk::after(host_, reply->op, std::chrono::milliseconds(5), [this, reply] { say(reply); });
    }
    jf_status end_the_call(jf_op op) const {
        jf_tool_call call = sdk::make<jf_tool_call>();
        call.id = sdk::str("bye");
        call.name = sdk::str("hang_up");
        call.arguments = sdk::str("{}");
        return host_.emit(op, JF_EV_TOOL_CALL, call);
    }
    const sdk::Host host_;
    const std::string greeting_;
    sdk::Gate gate_; // ops run side by side: it has a lock
};

}  // namespace jackfield::llm_example

JACKFIELD_MODULE(jackfield::llm_example::Model)
