// The built file through its C tables.

#include <dlfcn.h>

#include <jackfield/llm.h>

#include "support/test_host.hpp"
#include "talk.hpp"

namespace jackfield::scripted {
namespace {

using namespace std::chrono_literals;

struct Heard {
    std::string text;
    std::vector<std::string> tokens;
    std::string call;
    std::string grammar;
    std::vector<std::string> phrases;
    std::uint32_t slot = 99;
    std::vector<std::uint32_t> order;
    jf_status status = 1;
    jf_llm_usage usage{};
};

class ScriptedPlugin : public ::testing::Test {
  protected:
    void SetUp() override {
        file_ = dlopen(JACKFIELD_BINARY_DIR "/plugins/llm/scripted.so", RTLD_NOW | RTLD_LOCAL);
        ASSERT_NE(file_, nullptr) << dlerror();
        const auto entry = reinterpret_cast<const jf_module_v1* (*)()>(dlsym(file_, "jf_module_entry_v1"));
        ASSERT_NE(entry, nullptr);
        module_ = entry();
    }
    void TearDown() override {
        if (instance_) table_->destroy(instance_);
    }

    jf_status create(const std::vector<std::pair<std::string, std::string>>& options) {
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        error_ = sdk::make<jf_error>();
        return module_->create(host_.table(), sdk::str("llm/scripted"), sdk::str("{}"), sdk::array(pairs), &instance_, &table_, &error_);
    }

    const jf_llm_v1* llm() { return static_cast<const jf_llm_v1*>(table_->query(instance_, sdk::str(JF_LLM_V1))); }

    jf_op op(Heard& heard) {
        return host_.start_op(
            [&heard](jf_op, const jf_event& event) {
                heard.order.push_back(event.type);
                if (const auto* token = event.type == JF_EV_TOKEN ? sdk::data_of<jf_str>(event) : nullptr) {
                    heard.tokens.emplace_back(sdk::view(*token));
                    heard.text += sdk::view(*token);
                }
                if (const auto* call = event.type == JF_EV_TOOL_CALL ? sdk::data_of<jf_tool_call>(event) : nullptr)
                    heard.call = std::string(sdk::view(call->name)) + std::string(sdk::view(call->arguments));
                if (const auto* hints = event.type == JF_EV_HINTS ? sdk::data_of<jf_hints>(event) : nullptr) {
                    heard.grammar = sdk::view(hints->grammar);
                    heard.slot = hints->slot;
                    for (std::uint32_t i = 0; i < hints->phrases.n; ++i)
                        heard.phrases.emplace_back(sdk::view(*JF_AT(jf_str, hints->phrases, i)));
                }
            },
            [&heard](jf_op, jf_status status, const jf_event* last, const jf_error*) {
                heard.status = status;
                if (const auto* usage = last ? sdk::data_of<jf_llm_usage>(*last) : nullptr) heard.usage = *usage;
            });
    }

    static jf_message message(std::uint32_t role, std::string_view text, std::uint32_t flags = 0) {
        jf_message out = sdk::make<jf_message>();
        out.role = role;
        out.flags = flags;
        out.content = sdk::str(text);
        return out;
    }

    static jf_llm_request request(const std::vector<jf_message>& messages) {
        jf_llm_request out = sdk::make<jf_llm_request>();
        out.messages = sdk::array(messages);
        out.now_local = sdk::str("2026-11-20T09:30:00-05:00");
        return out;
    }

    jf_op start(Heard& heard, const std::vector<jf_message>& messages) {
        const jf_op made = op(heard);
        const jf_llm_request asked = request(messages);
        EXPECT_EQ(llm()->start(instance_, made, &asked, &error_), JF_OK) << error_.text;
        return made;
    }

    void* file_ = nullptr;
    const jf_module_v1* module_ = nullptr;
    test::TestHost host_;
    jf_instance* instance_ = nullptr;
    const jf_instance_v1* table_ = nullptr;
    jf_error error_ = sdk::make<jf_error>();
};

TEST_F(ScriptedPlugin, StreamsAReplyWordByWordAfterItsHints) {
    ASSERT_EQ(create({{"script", clinic_path()}}), JF_OK) << error_.text;

    Heard greeting, day;
    start(greeting, {});
    start(day, {message(JF_ROLE_ASSISTANT, "Thank you for calling the clinic.", JF_MESSAGE_INTERRUPTED),
                message(JF_ROLE_USER, "I would like to book an appointment")});

    EXPECT_EQ(greeting.text, "Thank you for calling the clinic. How can I help you?");
    EXPECT_EQ(greeting.tokens.size(), 11u);
    EXPECT_EQ(greeting.status, JF_OK);
    EXPECT_EQ(greeting.usage.finish, JF_FINISH_STOP);
    EXPECT_EQ(greeting.order.front(), JF_EV_HINTS);
    EXPECT_EQ(day.text, "Which day would you like?");
    EXPECT_EQ(day.usage.tokens_in, 13u);
    EXPECT_NE(day.grammar.find("monday"), std::string::npos);
    EXPECT_EQ(host_.open_ops(), 0u);
    EXPECT_EQ(host_.double_completions(), 0);
}

TEST_F(ScriptedPlugin, HintsTheFirstTurnWhenWarmedUp) {
    ASSERT_EQ(create({{"script", clinic_path()}}), JF_OK) << error_.text;
    Heard heard;
    const jf_llm_request asked = request({});

    ASSERT_EQ(llm()->prewarm(instance_, op(heard), &asked, &error_), JF_OK);

    EXPECT_EQ(heard.order, std::vector<std::uint32_t>{JF_EV_HINTS});
    EXPECT_EQ(heard.slot, JF_SLOT_NONE);
    EXPECT_NE(std::find(heard.phrases.begin(), heard.phrases.end(), "opening hours"), heard.phrases.end());
    EXPECT_EQ(heard.status, JF_OK);
}

TEST_F(ScriptedPlugin, EndsAGoodbyeWithTheHostsTool) {
    ASSERT_EQ(create({{"script", clinic_path()}}), JF_OK) << error_.text;
    Heard heard;
    start(heard, {message(JF_ROLE_USER, "goodbye")});

    EXPECT_EQ(heard.call, "hang_up{}");
    EXPECT_EQ(heard.order.back(), JF_EV_TOOL_CALL);
    EXPECT_EQ(heard.usage.finish, JF_FINISH_TOOLS);
}

TEST_F(ScriptedPlugin, PausesBetweenWordsWhenTold) {
    ASSERT_EQ(create({{"script", clinic_path()}, {"token_delay_ms", "20"}}), JF_OK) << error_.text;
    Heard heard;
    start(heard, {});

    EXPECT_EQ(heard.tokens.size(), 1u);
    host_.advance(60ms);
    EXPECT_EQ(heard.tokens.size(), 4u);
    host_.advance(1s);
    EXPECT_EQ(heard.text, "Thank you for calling the clinic. How can I help you?");
    EXPECT_EQ(heard.status, JF_OK);
    EXPECT_EQ(host_.open_ops(), 0u);
}

TEST_F(ScriptedPlugin, CompletesACancelledReplyOnce) {
    ASSERT_EQ(create({{"script", clinic_path()}, {"token_delay_ms", "20"}}), JF_OK) << error_.text;
    Heard heard;
    const jf_op made = start(heard, {});

    EXPECT_EQ(table_->cancel(instance_, made), JF_OK);
    EXPECT_EQ(table_->cancel(instance_, made), JF_OK);
    host_.advance(1s);

    EXPECT_EQ(heard.status, JF_E_CANCELLED);
    EXPECT_EQ(heard.tokens.size(), 1u);
    EXPECT_EQ(table_->cancel(instance_, made), JF_E_INVALID);
    EXPECT_EQ(host_.double_completions(), 0);
    EXPECT_EQ(host_.open_ops(), 0u);
}

TEST_F(ScriptedPlugin, RefusesAScriptWithAllItsErrors) {
    EXPECT_EQ(create({{"script_inline", "[dialogue]\ngreting = \"Hi\"\n[intents.a]\nphrases = [\"(a\"]\n"}}), JF_E_INVALID);
    const std::string text = error_.text;
    EXPECT_TRUE(text.starts_with("3 errors: script_inline:1:")) << text;
    EXPECT_EQ(host_.log_events(), std::vector<std::string>(3, "llm.script_error"));

    EXPECT_EQ(create({}), JF_E_INVALID);
    EXPECT_EQ(create({{"script", "no/such/file.toml"}}), JF_E_NOT_FOUND);
}

}  // namespace
}  // namespace jackfield::scripted
