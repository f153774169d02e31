// Listening, transports, limits, and another implementation as the peer.

#include "sip_calls.hpp"

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jackfield::test {
namespace {

/// The `sipp` program as the other side; its exit status is 0 when all its calls went as its
/// scenario says.
class Sipp {
  public:
    explicit Sipp(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "sipp");
        for (const char* more : {"-nostdin", "-timeout", "30", "-timeout_error"})
            arguments.emplace_back(more);
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        for (const int fd : {0, 1, 2})
            posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
        if (posix_spawnp(&pid_, "sipp", &files, nullptr, argv.data(), environ) != 0) pid_ = -1;
        posix_spawn_file_actions_destroy(&files);
    }
    ~Sipp() {
        if (pid_ > 0 && status_ < 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    Sipp(const Sipp&) = delete;
    bool started() const { return pid_ > 0; }
    bool finished() {
        int raw = 0;
        if (status_ < 0 && waitpid(pid_, &raw, WNOHANG) == pid_)
            status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 255;
        return status_ >= 0;
    }
    int status() const { return status_; }

  private:
    pid_t pid_ = -1;
    int status_ = -1;
};

TEST_F(SipCalls, AreNotTakenWhileQuiescingAndQuiesceWaitsForTheLast) {
    const auto call = answered();
    ASSERT_TRUE(call);
    const std::string live = ok;
    jf_status status = 1;
    const jf_op op = host->base().start_op(
        {}, [&](jf_op, jf_status s, const jf_event*, const jf_error*) { status = s; });
    ASSERT_EQ(functions->quiesce(instance, op, 60'000), JF_OK);

    RawPhone other(port);
    other.invite("100", other.sdp());
    EXPECT_NE(other.wait_status(pump(), 503), "");
    EXPECT_EQ(status, 1);
    phone->request("BYE", live);
    ASSERT_TRUE(done(*call));
    EXPECT_EQ(status, JF_OK);
}

TEST_F(SipCalls, RunOutOfMediaPortsWithQuota) {
    std::vector<std::unique_ptr<UdpPort>> taken;
    do taken.push_back(std::make_unique<UdpPort>());
    while (taken.back()->port() % 2 != 0);
    const std::uint16_t even = taken.back()->port();
    start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", std::to_string(even)}});
    const auto call = incoming();
    ASSERT_TRUE(call);
    const jf_answer options = sdk::make<jf_answer>();
    EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_E_QUOTA);
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_UNAVAILABLE), JF_OK);
}

TEST_F(SipCalls, NameTheAddressThatCannotBeHad) {
    const std::string listen = "udp:127.0.0.1:" + std::to_string(port);
    jf_error error = sdk::make<jf_error>();

    EXPECT_EQ(start_another(listen, error), JF_E_CONFLICT);

    EXPECT_NE(std::string(error.text).find(listen), std::string::npos) << error.text;
    EXPECT_NE(std::string(error.text).find("choose another port"), std::string::npos) << error.text;
}

TEST_F(SipCalls, NameAnAddressThatThePeerReachesThoughTheListenerIsOnAll) {
    start({{"listen.0", "udp:0.0.0.0:0"}, {"rtp_ports", "0"}});
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_NE(ok.find("c=IN IP4 127.0.0.1"), std::string::npos) << ok;
    EXPECT_NE(header(ok, "Contact").find("@127.0.0.1:" + std::to_string(port)), std::string::npos)
        << ok;
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));

    const auto placed = dial();
    const std::string invite = phone->wait_request(pump(), "INVITE");
    EXPECT_TRUE(header(invite, "Via").starts_with("SIP/2.0/UDP 127.0.0.1:" + std::to_string(port)))
        << invite;
    phone->reply(invite, 486, "Busy Here");
    EXPECT_TRUE(done(*placed));

    jf_error error = sdk::make<jf_error>();
    EXPECT_EQ(start_another("udp:0.0.0.0:" + std::to_string(port), error), JF_E_CONFLICT)
        << "the port is ours alone";

    start({{"listen.0", "tcp:0.0.0.0:0"}, {"rtp_ports", "0"}});
    phone = std::make_unique<RawPhone>(port, true);
    const auto over_tcp = answered();
    ASSERT_TRUE(over_tcp);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*over_tcp));
}

TEST_F(SipCalls, ComeOverTcpAsWell) {
    start({{"listen.0", "tcp:127.0.0.1:0"}, {"rtp_ports", "0"}});
    phone = std::make_unique<RawPhone>(port, true);
    const auto call = answered();
    ASSERT_TRUE(call);
    EXPECT_NE(header(ok, "Contact").find(";transport=tcp"), std::string::npos) << ok;
    hear(*call, 1, 2);
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    const std::string bye = phone->wait_request(pump(), "BYE");
    EXPECT_NE(bye, "") << "on the connection that the call came by";
    phone->reply(bye, 200, "OK");

    phone->send("NONSENSE\r\n\r\n");
    RawPhone second(port, true);
    second.invite("100", second.sdp());
    EXPECT_NE(second.wait_status(pump(), 100), "") << "one connection's nonsense is its own";
    second.cancel();
    EXPECT_NE(second.wait_status(pump(), 487), "");
}

TEST_F(SipCalls, AreUnderstoodBySippAsCaller) {
    Sipp sipp({"-sn",
               "uac",
               "127.0.0.1:" + std::to_string(port),
               "-i",
               "127.0.0.1",
               "-m",
               "50",
               "-r",
               "50",
               "-d",
               "100"});
    ASSERT_TRUE(sipp.started()) << "apt-get install sip-tester";
    std::vector<std::shared_ptr<Call>> calls;
    EXPECT_TRUE(until(
        [&] {
            while (const auto call = host->take_incoming()) {
                calls.push_back(call);
                const jf_answer options = sdk::make<jf_answer>();
                EXPECT_EQ(control(*call, JF_TEL_RING), JF_OK);
                EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
            }
            return sipp.finished();
        },
        std::chrono::seconds(40)));
    EXPECT_EQ(sipp.status(), 0);
    EXPECT_EQ(calls.size(), 50u);
    for (const auto& call : calls) EXPECT_TRUE(done(*call));
}

TEST_F(SipCalls, AreUnderstoodBySippAsCallee) {
    std::uint16_t there = 0;
    {
        UdpPort free;
        there = free.port();
    }
    Sipp sipp({"-sn", "uas", "-i", "127.0.0.1", "-p", std::to_string(there), "-m", "1"});
    ASSERT_TRUE(sipp.started()) << "apt-get install sip-tester";
    const auto call = host->open_call();
    const std::string to = "sip:service@127.0.0.1:" + std::to_string(there);
    jf_dial what = sdk::make<jf_dial>();
    what.to = sdk::str(to);
    const jf_answer media = sdk::make<jf_answer>();
    jf_error error = sdk::make<jf_error>();
    ASSERT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
    ASSERT_TRUE(seen(*call, JF_EV_ANSWERED));
    EXPECT_EQ(telephony->hangup(instance, call->op, JF_CAUSE_NORMAL), JF_OK);
    EXPECT_TRUE(until([&] { return sipp.finished(); }, std::chrono::seconds(40)));
    EXPECT_EQ(sipp.status(), 0);
}

TEST_F(SipCalls, RunOnTwoInstancesOfOneProcess) {
    const std::vector<jf_pair> pairs{{sdk::str("listen.0"), sdk::str("udp:127.0.0.1:0")},
                                     {sdk::str("listen.1"), sdk::str("tcp:127.0.0.1:0")},
                                     {sdk::str("rtp_ports"), sdk::str("0")}};
    jf_instance* second = nullptr;
    const jf_instance_v1* table = nullptr;
    jf_error error = sdk::make<jf_error>();
    ASSERT_EQ(module()->create(host->table(),
                               sdk::str("telephony/sip"),
                               {},
                               sdk::array(pairs),
                               &second,
                               &table,
                               &error),
              JF_OK);
    ASSERT_EQ(table->start(second, host->base().start_op(), &error), JF_OK) << error.text;
    ASSERT_EQ(host->log_fields("sip.listening", "address").size(), 3u);
    EXPECT_EQ(host->log_fields("sip.listening", "transport"),
              (std::vector<std::string>{"udp", "udp", "tcp"}));

    const auto call = answered();
    ASSERT_TRUE(call);
    table->destroy(second);
    hear(*call, 1, 2);
    phone->request("BYE", ok);
    EXPECT_TRUE(done(*call));
}

}  // namespace
}  // namespace jackfield::test
