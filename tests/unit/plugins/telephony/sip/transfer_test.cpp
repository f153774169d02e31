// REFER in both directions.

#include "sip_calls.hpp"

namespace jackfield::test {
namespace {

std::string notify(unsigned status, const char* state) {
    return "Event: refer\r\nSubscription-State: " + std::string(state) +
           "\r\nX-Status: " + std::to_string(status) + "\r\n";
}

class SipTransfers : public SipCalls {
  protected:
    /// The NOTIFY by which the far end tells how the transfer goes.
    void tell(RawPhone& from, const std::string& dialog, unsigned status, const char* state) {
        from.request("NOTIFY",
                     dialog,
                     "message/sipfrag",
                     "SIP/2.0 " + std::to_string(status) + " Whatever\r\n",
                     notify(status, state));
        EXPECT_NE(from.wait_status(pump(), 200, "NOTIFY"), "");
    }
    bool transferred(const Call& call) { return seen(call, JF_EV_TRANSFERRED); }
};

TEST_F(SipTransfers, AskTheFarEndAndTellWhatBecameOfIt) {
    const auto call = answered();
    ASSERT_TRUE(call);

    ASSERT_EQ(control(*call, JF_TEL_TRANSFER, 0, "sip:desk@192.0.2.9"), JF_OK);
    const std::string refer = phone->wait_request(pump(), "REFER");
    ASSERT_NE(refer, "");
    EXPECT_EQ(header(refer, "Refer-To"), "<sip:desk@192.0.2.9>");
    EXPECT_TRUE(header(refer, "Referred-By").starts_with("<sip:+12125550100@")) << refer;
    EXPECT_EQ(control(*call, JF_TEL_TRANSFER, 0, "sip:other@192.0.2.9"), JF_E_STATE);
    phone->reply(refer, 202, "Accepted");
    tell(*phone, ok, 100, "active;expires=60");
    EXPECT_TRUE(call->transfers.empty());
    tell(*phone, ok, 200, "terminated;reason=noresource");

    ASSERT_TRUE(transferred(*call));
    EXPECT_EQ(call->transfers.front(), std::pair(JF_TRANSFER_DONE, std::uint64_t{200}));
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_NE(bye, "");
    phone->reply(bye, 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, ThatFailLeaveTheCallAsItWas) {
    const auto call = answered();
    ASSERT_TRUE(call);

    ASSERT_EQ(control(*call, JF_TEL_TRANSFER, 0, "sip:desk@192.0.2.9"), JF_OK);
    std::string refer = phone->wait_request(pump(), "REFER");
    phone->reply(refer, 603, "Decline");
    ASSERT_TRUE(until([&] { return call->transfers.size() == 1; }));
    EXPECT_EQ(call->transfers[0], std::pair(JF_TRANSFER_FAILED, std::uint64_t{603}));

    ASSERT_EQ(control(*call, JF_TEL_TRANSFER, 0, "sip:desk@192.0.2.9"), JF_OK);
    refer = phone->wait(pump(), [&](const std::string& m) {
        return m.starts_with("REFER ") && header(m, "CSeq") != header(refer, "CSeq");
    });
    phone->reply(refer, 202, "Accepted");
    tell(*phone, ok, 486, "terminated;reason=noresource");
    ASSERT_TRUE(until([&] { return call->transfers.size() == 2; }));
    EXPECT_EQ(call->transfers[1], std::pair(JF_TRANSFER_FAILED, std::uint64_t{486}));

    hear(*call, 1, 3);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, ToAnotherLegNameItsDialog) {
    const auto first = answered();
    ASSERT_TRUE(first);
    const std::string first_ok = ok;
    const std::unique_ptr<RawPhone> first_phone = std::move(phone);
    RawPhone& caller = *first_phone;
    phone = std::make_unique<RawPhone>(port);
    const auto second = answered();
    ASSERT_TRUE(second);

    ASSERT_EQ(control(*first, JF_TEL_TRANSFER, second->op), JF_OK);
    const std::string refer = caller.wait_request(pump(), "REFER");
    ASSERT_NE(refer, "");
    const std::string to = header(refer, "Refer-To");
    EXPECT_TRUE(to.starts_with("<sip:caller@" + phone->sip.address() + "?Replaces=")) << to;
    const std::string our_tag = header(ok, "To").substr(header(ok, "To").find("tag=") + 4);
    EXPECT_NE(to.find("%3Bto-tag%3Dtag1%3Bfrom-tag%3D" + our_tag), std::string::npos) << to;
    EXPECT_NE(to.find("%40phone"), std::string::npos) << to;
    EXPECT_EQ(control(*first, JF_TEL_TRANSFER, first->op), JF_E_STATE);
    caller.reply(refer, 202, "Accepted");
    tell(caller, first_ok, 200, "terminated;reason=noresource");
    ASSERT_TRUE(transferred(*first));
    caller.request("BYE", first_ok);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*first));
    EXPECT_TRUE(done(*second));
}

TEST_F(SipTransfers, AskedByTheFarEndAreDeclinedUnlessConfigured) {
    const auto call = answered();
    ASSERT_TRUE(call);
    phone->request("REFER", ok, {}, {}, "Refer-To: <sip:premium@192.0.2.9>\r\n");
    EXPECT_NE(phone->wait_status(pump(), 603, "REFER"), "");
    EXPECT_FALSE(call->has(JF_EV_REFER_RECEIVED));
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

class SipTransfersAsked : public SipTransfers {
  protected:
    void SetUp() override {
        SipTransfers::SetUp();
        start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"accept_refer", "true"}});
    }
    /// The phone of a call that has been answered asks for the desk to be called; the INVITE that
    /// comes of it.
    std::string ask(std::string_view more = {}, std::string_view uri_headers = {}) {
        desk.set_server(port);
        phone->request("REFER",
                       ok,
                       {},
                       {},
                       "Refer-To: <sip:desk@" + desk.sip.address() + std::string(uri_headers) +
                           ">\r\n" + std::string(more));
        EXPECT_NE(phone->wait_status(pump(), 202, "REFER"), "");
        return desk.wait_request(pump(), "INVITE");
    }
    /// The NOTIFY with that status; those before it are answered too, since they come one after the
    /// other.
    std::string told(unsigned status) {
        return phone->wait(pump(), [&](const std::string& m) {
            if (!m.starts_with("NOTIFY ")) return false;
            phone->reply(m, 200, "OK");
            return body(m).starts_with("SIP/2.0 " + std::to_string(status) + " ");
        });
    }
    RawPhone desk{0};
};

TEST_F(SipTransfersAsked, MoveTheLegToWhoeverAnswersThere) {
    const auto call = answered();
    ASSERT_TRUE(call);
    hear(*call, 1, 2);
    const std::string invite =
        ask("Referred-By: <sip:boss@127.0.0.1>\r\n", "?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2");
    ASSERT_NE(invite, "");
    EXPECT_NE(call->refer_to.find("sip:desk@" + desk.sip.address()), std::string::npos);
    EXPECT_EQ(header(invite, "Referred-By"), "<sip:boss@127.0.0.1>");
    EXPECT_EQ(header(invite, "Replaces"), "a@b;to-tag=1;from-tag=2");
    const std::string trying = told(100);
    EXPECT_TRUE(header(trying, "Event").starts_with("refer;id=")) << trying;
    EXPECT_TRUE(header(trying, "Subscription-State").starts_with("active")) << trying;
    desk.reply(invite, 180, "Ringing");
    EXPECT_NE(told(180), "");

    desk.reply(invite, 200, "OK", desk.sdp("0 101"));
    EXPECT_EQ(header(told(200), "Subscription-State"), "terminated;reason=noresource");
    const std::string bye = phone->wait_request(pump(), "BYE");
    ASSERT_NE(bye, "");
    phone->reply(bye, 200, "OK");

    EXPECT_FALSE(call->done) << "it goes on, with somebody else";
    EXPECT_TRUE(until([&] {
        (void)say(*call, 0);
        return desk.audio.receive().has_value();
    }));
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string last = desk.wait_request(pump(), "BYE");
    EXPECT_NE(last, "");
    desk.reply(last, 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfersAsked, LeaveTheCallAsItWasWhenNobodyAnswersThere) {
    const auto call = answered();
    ASSERT_TRUE(call);
    const std::string invite = ask();
    EXPECT_NE(told(100), "");
    desk.reply(invite, 486, "Busy Here");
    EXPECT_EQ(header(told(486), "Subscription-State"), "terminated;reason=noresource");
    hear(*call, 1, 3);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfersAsked, GoOnWhenTheOneWhoAskedHangsUpAtOnce) {
    for (const bool answers : {true, false}) {
        const auto call = answered();
        ASSERT_TRUE(call);
        const std::string invite = ask("Refer-Sub: false\r\n");
        ASSERT_NE(invite, "");
        phone->request("BYE", ok);
        EXPECT_NE(phone->wait_status(pump(), 200, "BYE"), "");
        EXPECT_FALSE(call->done);
        if (answers) {
            desk.reply(invite, 200, "OK", desk.sdp("0 101"));
            EXPECT_TRUE(until([&] {
                (void)say(*call, 0);
                return desk.audio.receive().has_value();
            }));
            EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
            desk.reply(desk.wait_request(pump(), "BYE"), 200, "OK");
        } else {
            desk.reply(invite, 486, "Busy Here");
        }
        EXPECT_TRUE(done(*call));
        for (const std::string& message : phone->others)
            EXPECT_FALSE(message.starts_with("NOTIFY ")) << message;
        phone->others.clear();
    }
}

TEST_F(SipTransfersAsked, EndWithTheCall) {
    const auto call = answered();
    ASSERT_TRUE(call);
    const std::string invite = ask();
    desk.reply(invite, 180, "Ringing");
    EXPECT_NE(told(180), "");
    phone->request("REFER", ok, {}, {}, "Refer-To: <sip:x@192.0.2.9>\r\n");
    EXPECT_NE(phone->wait_status(pump(), 491, "REFER"), "") << "one at a time";
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string cancel = desk.wait_request(pump(), "CANCEL");
    EXPECT_NE(cancel, "");
    desk.reply(cancel, 200, "OK");
    desk.reply(invite, 487, "Request Terminated");
    phone->reply(phone->wait_request(pump(), "BYE"), 200, "OK");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfersAsked, AreRefusedWhereWeMayNotCall) {
    start({{"listen.0", "udp:127.0.0.1:0"},
           {"rtp_ports", "0"},
           {"accept_refer", "true"},
           {"dial_allow.0", "+1212"}});
    const auto call = answered();
    ASSERT_TRUE(call);
    phone->request("REFER", ok, {}, {}, "Refer-To: <sip:x@192.0.2.9;method=BYE>\r\n");
    EXPECT_NE(phone->wait_status(pump(), 400, "REFER"), "");
    phone->request("REFER", ok, {}, {}, "Refer-To: <sip:+19005550100@192.0.2.9>\r\n");
    EXPECT_NE(phone->wait_status(pump(), 202, "REFER"), "");
    EXPECT_NE(told(403), "");
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, OfOthersAreDialledInPlaceOfTheirDialog) {
    const auto call = host->open_call();
    const std::string to =
        "sip:desk@" + phone->sip.address() + "?Replaces=abc%40x%3Bto-tag%3D1%3Bfrom-tag%3D2&X=y";
    jf_dial what = sdk::make<jf_dial>();
    what.to = sdk::str(to);
    const jf_answer media = sdk::make<jf_answer>();
    jf_error error = sdk::make<jf_error>();
    ASSERT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
    const std::string invite = phone->wait_request(pump(), "INVITE");
    EXPECT_TRUE(invite.starts_with("INVITE sip:desk@" + phone->sip.address() + " SIP/2.0"))
        << invite;
    EXPECT_EQ(header(invite, "Replaces"), "abc@x;to-tag=1;from-tag=2");
    EXPECT_EQ(header(invite, "Require"), "replaces");
    EXPECT_EQ(header(invite, "X"), "");
    phone->reply(invite, 481, "Call Does Not Exist");
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, BringAnotherPhoneIntoTheCallByReplaces) {
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}, {"accept_refer", "true"}});
    const auto call = answered();
    ASSERT_TRUE(call);
    hear(*call, 1, 2);
    const std::string to = header(ok, "To");
    const std::string replaces = "Replaces: " + phone->call_id() +
                                 ";from-tag=tag1;to-tag=" + to.substr(to.find("tag=") + 4) +
                                 "\r\nRequire: replaces\r\n";

    const std::unique_ptr<RawPhone> first = std::move(phone);
    phone = std::make_unique<RawPhone>(port);
    RawPhone& other = *phone;
    other.invite("+12125550100", other.sdp(), "Replaces: nobody;from-tag=1;to-tag=2\r\n");
    const std::string unknown = other.wait_status(pump(), 481);
    ASSERT_NE(unknown, "");
    other.ack(unknown);
    other.invite("+12125550100", other.sdp(), replaces);
    const std::string other_ok = other.wait_status(pump(), 200);
    ASSERT_NE(other_ok, "");
    other.ack(other_ok);
    const std::string bye = first->wait_request(pump(), "BYE");
    ASSERT_NE(bye, "") << "the first dialog is over";
    first->reply(bye, 200, "OK");

    EXPECT_FALSE(host->take_incoming()) << "it is the same call";
    EXPECT_FALSE(call->done);
    EXPECT_NE(call->leg_state.find(other.call_id()), std::string::npos);
    rtp_port = audio_port(other_ok);
    hear(*call, 50, 3);
    ASSERT_EQ(say(*call, 0), JF_OK);
    EXPECT_NE(next_audio(), "");
    phone->request("BYE", other_ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, ByReplacesAreNotTakenUnlessConfigured) {
    const auto call = answered();
    ASSERT_TRUE(call);
    const std::string to = header(ok, "To");
    const std::string replaces = "Replaces: " + phone->call_id() +
                                 ";from-tag=tag1;to-tag=" + to.substr(to.find("tag=") + 4) +
                                 "\r\nRequire: replaces\r\n";
    RawPhone other(port);
    other.invite("+12125550100", other.sdp(), replaces);
    const std::string refused = other.wait_status(pump(), 420);
    EXPECT_EQ(header(refused, "Unsupported"), "replaces");
    EXPECT_FALSE(call->done);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

TEST_F(SipTransfers, NobodyAskedForAreNotBelieved) {
    const auto call = answered();
    ASSERT_TRUE(call);
    phone->request("NOTIFY",
                   ok,
                   "message/sipfrag",
                   "SIP/2.0 200 OK\r\n",
                   notify(200, "terminated;reason=noresource"));
    EXPECT_NE(phone->wait_status(pump(), 481, "NOTIFY"), "");
    phone->request("NOTIFY", ok, "text/plain", "x", "Event: message-summary\r\n");
    EXPECT_NE(phone->wait_status(pump(), 489, "NOTIFY"), "");
    EXPECT_TRUE(call->transfers.empty());
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

}  // namespace
}  // namespace jackfield::test
