#pragma once

// An instance of the built plugin, a host with real sockets around it, and a hand-written phone.

#include "raw_phone.hpp"
#include "real_net_host.hpp"

#include <jackfield/module.h>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace jackfield::test {

using std::chrono::milliseconds;

inline const jf_module_v1* module() {
    static const jf_module_v1* const loaded = []() -> const jf_module_v1* {
        void* library =
            dlopen(JACKFIELD_BINARY_DIR "/plugins/telephony/sip.so", RTLD_NOW | RTLD_LOCAL);
        if (!library) return nullptr;
        return reinterpret_cast<const jf_module_v1* (*)()>(dlsym(library, "jf_module_entry_v1"))();
    }();
    return loaded;
}

class SipCalls : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(module(), nullptr) << dlerror();
        start({{"listen.0", "udp:127.0.0.1:0"}, {"rtp_ports", "0"}});
    }
    void TearDown() override { stop(); }

    void start(const std::vector<std::pair<std::string, std::string>>& options) {
        stop();
        host = std::make_unique<RealNetHost>();
        std::vector<jf_pair> pairs;
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        jf_error error = sdk::make<jf_error>();
        ASSERT_EQ(module()->create(host->table(),
                                   sdk::str("telephony/sip"),
                                   {},
                                   sdk::array(pairs),
                                   &instance,
                                   &functions,
                                   &error),
                  JF_OK)
            << error.text;
        const jf_op op = host->base().start_op();
        ASSERT_EQ(functions->start(instance, op, &error), JF_OK) << error.text;
        ASSERT_FALSE(host->base().is_open(op));
        const std::string address = host->log_field("sip.listening", "address");
        port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
        ASSERT_NE(port, 0);
        phone = std::make_unique<RawPhone>(port);
        telephony = static_cast<const jf_telephony_v1*>(
            functions->query(instance, sdk::str(JF_TELEPHONY_V1)));
        ASSERT_NE(telephony, nullptr);
    }
    /// What start() says of a second instance that listens there.
    jf_status start_another(const std::string& listen, jf_error& error) {
        const std::vector<jf_pair> pairs{{sdk::str("listen.0"), sdk::str(listen)}};
        jf_instance* second = nullptr;
        const jf_instance_v1* table = nullptr;
        if (module()->create(host->table(),
                             sdk::str("telephony/sip"),
                             {},
                             sdk::array(pairs),
                             &second,
                             &table,
                             &error) != JF_OK)
            return JF_OK;
        const jf_status status = table->start(second, host->base().start_op(), &error);
        table->destroy(second);
        return status;
    }
    void stop() {
        if (!instance) return;
        functions->destroy(instance);
        instance = nullptr;
        host->base().poll();
        EXPECT_EQ(host->open_sockets(), 0u);
        EXPECT_EQ(host->base().double_completions(), 0);
        phone.reset();
        host.reset();
    }
    std::function<void()> pump() {
        return [this] { host->pump(); };
    }
    bool until(const std::function<bool()>& ready, milliseconds timeout = std::chrono::seconds(5)) {
        return host->pump_until(ready, timeout);
    }
    bool done(const Call& call) {
        return until([&] { return host->read(call, [](const Call& c) { return c.done; }); });
    }
    bool seen(const Call& call, std::uint32_t type) {
        return until([&] { return host->read(call, [&](const Call& c) { return c.has(type); }); });
    }

    std::shared_ptr<Call> incoming(std::string_view user = "+12125550100",
                                   const std::string& description = {}) {
        phone->invite(user, description.empty() ? phone->sdp() : description);
        std::shared_ptr<Call> call;
        until([&] { return (call = host->take_incoming()) != nullptr; });
        return call;
    }
    /// A call that has been answered; `ok` gets the 200.
    std::shared_ptr<Call> answered(std::uint32_t no_media_ms = 0, std::uint32_t media_ms = 0) {
        const auto call = incoming();
        if (!call) return nullptr;
        jf_answer options = sdk::make<jf_answer>();
        options.no_media_timeout_ms = no_media_ms;
        options.media_timeout_ms = media_ms;
        EXPECT_EQ(telephony->answer(instance, call->op, &options), JF_OK);
        ok = phone->wait_status(pump(), 200);
        EXPECT_NE(ok, "");
        phone->ack(ok);
        rtp_port = audio_port(ok);
        EXPECT_TRUE(seen(*call, JF_EV_ANSWERED));
        return call;
    }
    void hear(const Call& call,
              std::uint16_t first,
              std::uint16_t count,
              std::uint8_t payload_type = 0) {
        const std::size_t before = host->read(call, [](const Call& c) { return c.pts.size(); });
        for (std::uint16_t i = 0; i < count; ++i)
            phone->audio.send(rtp_port,
                              rtp(payload_type,
                                  static_cast<std::uint16_t>(first + i),
                                  160u * (first + i),
                                  77,
                                  std::string(160, 'u')));
        EXPECT_TRUE(until([&] {
            return host->read(call, [&](const Call& c) { return c.pts.size() >= before + count; });
        }));
    }
    jf_status say(const Call& call,
                  std::uint64_t pts,
                  std::uint16_t codec = JF_CODEC_PCMU,
                  std::uint8_t flags = 0) {
        const std::string audio(160, 'v');
        jf_frame frame = sdk::make<jf_frame>();
        frame.codec = codec;
        frame.channels = 1;
        frame.flags = flags;
        frame.rate_hz = 8000;
        frame.samples = 160;
        frame.pts = pts;
        frame.data = sdk::bytes(audio);
        return telephony->media_out(instance, call.op, &frame);
    }
    std::string next_audio(int timeout_ms = 2000) {
        std::string out;
        until(
            [&] {
                if (const auto datagram = phone->audio.receive()) out = datagram->bytes;
                return !out.empty();
            },
            milliseconds(timeout_ms));
        return out;
    }
    jf_status control(const Call& call,
                      std::uint32_t verb,
                      std::uint64_t value = 0,
                      std::string_view text = {}) {
        jf_telephony_control what = sdk::make<jf_telephony_control>();
        what.verb = verb;
        what.value = value;
        what.text = sdk::str(text);
        return telephony->control(instance, call.op, &what);
    }
    std::shared_ptr<Call> dial(std::uint32_t ring_timeout_ms = 0) {
        const auto call = host->open_call();
        const std::string to = "sip:+12125550123@" + phone->sip.address();
        jf_dial what = sdk::make<jf_dial>();
        what.ring_timeout_ms = ring_timeout_ms;
        what.to = sdk::str(to);
        what.from = sdk::str("+12125550100");
        what.from_name = sdk::str("Acme");
        const jf_answer media = sdk::make<jf_answer>();
        jf_error error = sdk::make<jf_error>();
        EXPECT_EQ(telephony->dial(instance, call->op, &what, &media, &error), JF_OK) << error.text;
        return call;
    }

    std::unique_ptr<RealNetHost> host;
    std::unique_ptr<RawPhone> phone;
    jf_instance* instance = nullptr;
    const jf_instance_v1* functions = nullptr;
    const jf_telephony_v1* telephony = nullptr;
    std::uint16_t port = 0;
    std::uint16_t rtp_port = 0;
    std::string ok;
};

}  // namespace jackfield::test
