// The built plugin in the SDK's test host: plugin_test build/plugins/stt/example.so

#include <jackfield/sdk/test_host.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace sdk = jackfield::sdk;

static int failures = 0;

static void check(bool right, const std::string& what) {
    std::printf("%s %s\n", right ? "ok    " : "FAILED", what.c_str());
    failures += !right;
}

static jf_stt_open options(std::uint16_t codec) {
    jf_stt_open open = sdk::make<jf_stt_open>();
    open.format = sdk::make<jf_format>();
    open.format.codec = codec;
    open.format.channels = 1;
    open.format.rate_hz = 8000;
    open.language = sdk::str("en-US");
    return open;
}

int main(int, char** arguments) {
    sdk::TestHost host;
    {
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]));
        check(plugin.start() == JF_OK, "it starts");
        const auto* stt = plugin.interface<jf_stt_v1>(JF_STT_V1);

        const jf_stt_open wrong = options(JF_CODEC_G722), right = options(JF_CODEC_L16);
        check(plugin.begin(stt->open, &wrong).accepted() == JF_E_UNSUPPORTED, "it refuses a codec that it hasn't");
        sdk::TestOp& stream = plugin.begin(stt->open, &right);
        check(stream.open(), "it opens a stream");

        // A second of silence, then the host's end of turn.
        const std::vector<std::int16_t> silence(160);
        jf_frame frame = sdk::make<jf_frame>();
        frame.codec = JF_CODEC_L16;
        frame.channels = 1;
        frame.rate_hz = 8000;
        frame.samples = 160;
        frame.data = {silence.data(), silence.size() * sizeof(std::int16_t)};
        bool taken = true;
        for (int i = 0; i < 50; ++i, frame.pts += 160) taken = taken && plugin.on(stream, stt->push, &frame) == JF_OK;
        check(taken, "it takes audio");
        jf_stt_control finalize = sdk::make<jf_stt_control>();
        finalize.verb = JF_STT_FINALIZE;
        finalize.value = 7;
        plugin.on(stream, stt->control, &finalize);
        check(stream.count(JF_EV_NO_MATCH) == 1 && stream.count(JF_EV_FINAL) == 0, "silence is no words");
        check(!stream.events().empty() && stream.events().back().pos == 7, "the answer says what it answers");

        plugin.on(stream, stt->close);
        const auto* usage = stream.last().as<jf_stt_usage>();
        check(!stream.open() && stream.status() == JF_OK && usage && usage->audio_ms == 1000, "close completes it with what was used");
        check(stt->push(plugin.self(), stream.id(), &frame) == JF_E_INVALID, "a stream that is over takes nothing");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
