// The example messenger through its table, on the SDK's test host; a folder of its own is the far end.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace jackfield::messaging_example {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Messenger : public testing::Test {
  protected:
    Messenger() { EXPECT_EQ(plugin_.start(), JF_OK); }
    ~Messenger() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    static fs::path fresh_folder() {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        fs::path folder = fs::path(testing::TempDir()) / (std::string("jf_messaging_example_") + test->name() + "_" + std::to_string(::getpid()));
        fs::remove_all(folder);
        return folder;
    }
    sdk::TestOp& send(std::string_view text, std::string_view key = {}, std::string_view channel = "file") {
        jf_outbound_message message = sdk::make<jf_outbound_message>();
        message.channel = sdk::str(channel);
        message.from = sdk::str("desk");
        message.to = sdk::str("ann\nbob");
        message.subject = sdk::str("About");
        message.text = sdk::str(text);
        message.idempotency_key = sdk::str(key);
        return plugin_.begin(messaging_->send, &message);
    }
    void lay_in(const std::string& name, const std::string& contents) const { std::ofstream(folder_ / "inbox" / name) << contents; }
    static std::string contents(const fs::path& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::vector<std::string> files(const char* where) const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(folder_ / where)) out.push_back(entry.path().filename());
        std::sort(out.begin(), out.end());
        return out;
    }
    static std::vector<std::string> ids(const sdk::TestOp& op) {
        std::vector<std::string> out;
        for (const sdk::Event& event : op.events())
            if (const auto* message = event.as<jf_inbound_message>()) out.emplace_back(sdk::view(message->id));
        return out;
    }

    const fs::path folder_ = fresh_folder();
    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1(), {{"folder", folder_.string()}, {"poll_ms", "100"}, {"webhook_secret", "known to two"}}};
    const jf_messaging_v1* messaging_ = plugin_.interface<jf_messaging_v1>(JF_MESSAGING_V1);
};

TEST_F(Messenger, WritesAFileAndSaysThatItIsSent) {
    sdk::TestOp& op = send("Hello\nthere");

    EXPECT_EQ(op.status(), JF_OK);
    ASSERT_EQ(op.count(JF_EV_MSG_SENT), 1u);
    const std::string id(sdk::view(op.events()[0].as<jf_message_receipt>()->id));
    EXPECT_EQ(contents(folder_ / "outbox" / id), "from: desk\nto: ann bob\nsubject: About\n\nHello\nthere");
}

TEST_F(Messenger, SendsOneKeyOnce) {
    send("first", "order-7");
    sdk::TestOp& again = send("second", "order-7");
    send("third", "another/key");

    EXPECT_EQ(again.status(), JF_OK);
    EXPECT_EQ(files("outbox"), (std::vector<std::string>{"key-616e6f746865722f6b6579", "order-7"}));
    EXPECT_TRUE(contents(folder_ / "outbox" / "order-7").ends_with("first"));
}

TEST_F(Messenger, RefusesWhatALetterCannotBe) {
    EXPECT_EQ(send("hi", "", "sms").status(), JF_E_UNSUPPORTED);
    host_.refuse_work(1);
    EXPECT_EQ(send("hi").status(), JF_E_AGAIN);
    EXPECT_EQ(send("hi").status(), JF_OK);
}

TEST_F(Messenger, TellsOfAFileThatCannotBeWritten) {
    fs::remove_all(folder_ / "outbox");

    EXPECT_EQ(send("hi").status(), JF_E_QUOTA);
}

TEST_F(Messenger, TellsWhatIsLaidIn) {
    sdk::TestOp& poll = plugin_.begin(messaging_->poll);
    lay_in("b1", "from: ann\nto: desk\nsubject: Re\n\nThanks!\n");
    lay_in("a1", "just text without a head");
    lay_in(".hidden", "x");
    host_.advance(250ms);

    ASSERT_EQ(ids(poll), (std::vector<std::string>{"a1", "b1"}));
    const auto* message = poll.events()[1].as<jf_inbound_message>();
    EXPECT_EQ(sdk::view(message->from), "ann");
    EXPECT_EQ(sdk::view(message->subject), "Re");
    EXPECT_EQ(sdk::view(message->text), "Thanks!\n");
    EXPECT_TRUE(poll.open());
}

TEST_F(Messenger, KeepsAMessageUntilItIsAccepted) {
    sdk::TestOp& poll = plugin_.begin(messaging_->poll);
    lay_in("m1", "to: desk\n\none");
    lay_in("m2", "to: desk\n\ntwo");
    host_.advance(150ms);
    ASSERT_EQ(ids(poll).size(), 2u);

    EXPECT_EQ(plugin_.on(poll, messaging_->accept, sdk::str("m1")), JF_OK);
    EXPECT_EQ(plugin_.on(poll, messaging_->accept, sdk::str("m1")), JF_E_NOT_FOUND);
    EXPECT_EQ(plugin_.on(poll, messaging_->accept, sdk::str("../m2")), JF_E_NOT_FOUND);
    host_.advance(500ms);

    EXPECT_EQ(ids(poll).size(), 2u) << "each is told once while the poll is open";
    EXPECT_EQ(files("accepted"), std::vector<std::string>{"m1"});
    plugin_.cancel(poll);
    EXPECT_EQ(poll.status(), JF_E_CANCELLED);
    sdk::TestOp& next = plugin_.begin(messaging_->poll);
    host_.advance(150ms);
    EXPECT_EQ(ids(next), std::vector<std::string>{"m2"});
}

TEST_F(Messenger, TellsAgainWhatTheHostHadNoRoomFor) {
    sdk::TestOp& poll = plugin_.begin(messaging_->poll);
    lay_in("m1", "to: desk\n\none");
    host_.refuse_emits(1);

    host_.advance(150ms);
    EXPECT_TRUE(ids(poll).empty());
    host_.advance(150ms);

    EXPECT_EQ(ids(poll), std::vector<std::string>{"m1"});
}

TEST_F(Messenger, BelievesAWebhookWithTheSecret) {
    const auto* webhook = plugin_.interface<jf_webhook_v1>(JF_WEBHOOK_V1);
    const std::string body = "from: ann\nto: desk\n\nto: nobody\n";
    const auto receive = [&](const char* secret, const char* id) -> sdk::TestOp& {
        const jf_pair headers[] = {{sdk::str("x-letter-secret"), sdk::str(secret)}, {sdk::str("x-letter-id"), sdk::str(id)}};
        jf_http_request request = sdk::make<jf_http_request>();
        request.headers = sdk::array(headers, 2);
        request.body = sdk::bytes(body);
        return plugin_.begin(webhook->receive, &request);
    };

    EXPECT_EQ(receive("", "m1").status(), JF_E_AUTH);
    EXPECT_EQ(receive("known to twoo", "m1").status(), JF_E_AUTH);
    EXPECT_EQ(receive("known to two", "../m1").status(), JF_E_INVALID);
    sdk::TestOp& op = receive("known to two", "m1");

    EXPECT_EQ(op.status(), JF_OK);
    ASSERT_EQ(op.events().size(), 2u);
    EXPECT_EQ(op.events()[0].type, JF_EV_HTTP_ONCE);
    EXPECT_EQ(op.events()[1].text(), "to: nobody\n");
    EXPECT_EQ(op.last().as<jf_http_reply>()->status, 204u);
}

TEST_F(Messenger, SaysWhomAWebhookIsFor) {
    const auto* webhook = plugin_.interface<jf_webhook_v1>(JF_WEBHOOK_V1);
    const auto route = [&](std::string_view body) -> std::string {
        jf_http_request request = sdk::make<jf_http_request>();
        request.body = sdk::bytes(body);
        jf_str key{};
        std::uint32_t n = 0;
        return webhook->route(&request, &key, 1, &n) == JF_OK && n == 1 ? std::string(sdk::view(key)) : "?";
    };

    EXPECT_EQ(route("from: ann\nto: desk\nsubject: x\n\ntext"), "desk");
    EXPECT_EQ(route("to: desk"), "desk");
    EXPECT_EQ(route("from: ann\n\nto: desk\n"), "?");
    EXPECT_EQ(route(""), "?");
}

TEST_F(Messenger, IsPolledByOne) {
    sdk::TestOp& poll = plugin_.begin(messaging_->poll);

    EXPECT_EQ(plugin_.begin(messaging_->poll).status(), JF_E_STATE);
    EXPECT_TRUE(poll.open());
}

}  // namespace
}  // namespace jackfield::messaging_example
