// The example model through its two tables, on the SDK's test host.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

#include <numeric>

namespace jackfield::llm_example {
namespace {

class Model : public testing::Test {
  protected:
    Model() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Model() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    /// What it says to the last of `said`; the first is the caller's, and so on in turn.
    sdk::TestOp& ask(const std::vector<std::string>& said, std::uint32_t flags = 0) {
        std::vector<jf_message> messages;
        for (std::size_t i = 0; i < said.size(); ++i) {
            jf_message& message = messages.emplace_back(sdk::make<jf_message>());
            message.role = i % 2 == 0 ? JF_ROLE_USER : JF_ROLE_ASSISTANT;
            message.content = sdk::str(said[i]);
        }
        if (!messages.empty()) messages.back().flags = flags;
        jf_tool hang_up = sdk::make<jf_tool>();
        hang_up.name = sdk::str("hang_up");
        jf_llm_request request = sdk::make<jf_llm_request>();
        request.messages = sdk::array(messages);
        request.tools = sdk::array(&hang_up, 1);
        return plugin_.begin(llm_->start, &request);
    }
    std::string reply(const std::vector<std::string>& said, std::uint32_t flags = 0) {
        std::string out;
        for (const sdk::Event& event : ask(said, flags).events())
            if (event.type == JF_EV_TOKEN) out += event.text();
        return out;
    }
    sdk::TestOp& embed(const std::vector<std::string>& texts, std::uint32_t dim = 0) {
        std::vector<jf_str> strings;
        for (const std::string& text : texts) strings.push_back(sdk::str(text));
        jf_embedding_request request = sdk::make<jf_embedding_request>();
        request.dim = dim;
        request.texts = sdk::array(strings);
        return plugin_.begin(embedding_->embed, &request);
    }
    static std::vector<std::vector<float>> vectors(const sdk::TestOp& op) {
        std::vector<std::vector<float>> out;
        for (const sdk::Event& event : op.events()) {
            const auto* part = event.as<jf_embeddings>();
            for (std::uint32_t i = 0; i < part->n; ++i) {
                const auto* from = static_cast<const float*>(part->values.ptr) + i * part->dim;
                out.emplace_back(from, from + part->dim);
            }
        }
        return out;
    }
    static float product(const std::vector<float>& a, const std::vector<float>& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0f);
    }

    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1(), {{"greeting", "Good day."}}};
    const jf_llm_v1* llm_ = plugin_.interface<jf_llm_v1>(JF_LLM_V1);
    const jf_embedding_v1* embedding_ = plugin_.interface<jf_embedding_v1>(JF_EMBEDDING_V1);
};

TEST_F(Model, GreetsThenTurnsAroundWhatItIsTold) {
    EXPECT_EQ(reply({}), "Good day.");
    EXPECT_EQ(reply({"I need my car back."}), "Why do you need your car back?");
    EXPECT_EQ(reply({"hm", "Go on.", "Well, I am tired of you!"}), "How long have you been tired of me?");
    EXPECT_EQ(reply({"the weather"}), "Please go on.");
    EXPECT_EQ(reply({""}, JF_MESSAGE_SILENCE), "Are you still there?");
}

TEST_F(Model, SaysItsReplyWordByWordAndCompletesWithUsage) {
    sdk::TestOp& op = ask({"I feel fine"});

    EXPECT_EQ(op.count(JF_EV_TOKEN), 5u);
    ASSERT_NE(op.last().as<jf_llm_usage>(), nullptr);
    EXPECT_EQ(op.last().as<jf_llm_usage>()->tokens_out, 5u);
    EXPECT_EQ(op.last().as<jf_llm_usage>()->finish, JF_FINISH_STOP);
}

TEST_F(Model, EndsTheCallWhenTheCallerDoes) {
    sdk::TestOp& op = ask({"OK, bye!"});

    ASSERT_EQ(op.count(JF_EV_TOOL_CALL), 1u);
    EXPECT_EQ(sdk::view(op.events().back().as<jf_tool_call>()->name), "hang_up");
    EXPECT_EQ(op.last().as<jf_llm_usage>()->finish, JF_FINISH_TOOLS);
}

TEST_F(Model, GoesOnWhereTheHostTookNothing) {
    host_.refuse_emits(2);
    sdk::TestOp& op = ask({"I want more"});
    EXPECT_TRUE(op.open());

    host_.advance(std::chrono::milliseconds(50));

    EXPECT_FALSE(op.open());
    std::string said;
    for (const sdk::Event& event : op.events()) said += event.text();
    EXPECT_EQ(said, "What would it mean to you to have more?");
}

TEST_F(Model, FallsSilentWhenItIsGivenUp) {
    host_.refuse_emits(1);
    sdk::TestOp& op = ask({"I want more"});

    plugin_.cancel(op);
    host_.advance(std::chrono::milliseconds(50));

    EXPECT_EQ(op.status(), JF_E_CANCELLED);
    EXPECT_EQ(op.count(JF_EV_TOKEN), 0u);
}

TEST_F(Model, PutsTextsWithCommonWordsNearOneAnother) {
    const auto found = vectors(embed({"the red car", "a car that is red", "winter in Norway", "..."}));

    ASSERT_EQ(found.size(), 4u);
    for (const auto& vector : found) {
        EXPECT_EQ(vector.size(), 64u);
        EXPECT_NEAR(product(vector, vector), 1, 1e-5);
    }
    EXPECT_GT(product(found[0], found[1]), product(found[0], found[2]) + 0.3f);
}

TEST_F(Model, EmbedsInTheDimensionThatIsWanted) {
    EXPECT_EQ(vectors(embed({"hello"}, 7))[0].size(), 7u);
    EXPECT_EQ(embed({"hello"}, 5000).status(), JF_E_UNSUPPORTED);
    EXPECT_EQ(embed({"hello", ""}).status(), JF_E_INVALID);
    EXPECT_EQ(embed(std::vector<std::string>(300, "x")).status(), JF_E_QUOTA);
}

}  // namespace
}  // namespace jackfield::llm_example
