// The built plugin in the SDK's test host: plugin_test build/plugins/tts/example.so

#include <jackfield/sdk/test_host.hpp>

#include <chrono>
#include <cstdio>
#include <string>

namespace sdk = jackfield::sdk;
using namespace std::chrono_literals;

static int failures = 0;

static void check(bool right, const std::string& what) {
    std::printf("%s %s\n", right ? "ok    " : "FAILED", what.c_str());
    failures += !right;
}

static std::uint64_t samples(const sdk::TestOp& stream) {
    std::uint64_t n = 0;
    for (const sdk::Event& event : stream.events())
        if (const auto* frame = event.type == JF_EV_AUDIO ? event.as<jf_frame>() : nullptr) n += frame->samples;
    return n;
}

int main(int, char** arguments) {
    sdk::TestHost host;
    {
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]));
        check(plugin.start() == JF_OK, "it starts");
        const auto* tts = plugin.interface<jf_tts_v1>(JF_TTS_V1);
        const auto open = [&](std::uint64_t credit) -> sdk::TestOp& {
            jf_tts_open options = sdk::make<jf_tts_open>();
            options.format = sdk::make<jf_format>();
            options.format.codec = JF_CODEC_L16;
            options.format.channels = 1;
            options.format.rate_hz = 8000;
            options.credit = credit;
            return plugin.begin(tts->open, &options);
        };
        const auto say = [&](sdk::TestOp& stream, std::string_view words) {
            jf_tts_text text = sdk::make<jf_tts_text>();
            text.flush = JF_TTS_END;
            text.text = sdk::str(words);
            return plugin.on(stream, tts->text, &text);
        };

        sdk::TestOp& whole = open(0);
        check(say(whole, "Good morning. How are you?") == JF_OK && !whole.open(), "it speaks and completes");
        check(samples(whole) > 8000 && whole.count(JF_EV_TTS_MARK) > 0, "it emits audio and marks");
        check(whole.last().as<jf_tts_usage>() != nullptr, "it says what was used");

        sdk::TestOp& held = open(1600);
        say(held, "Good morning. How are you?");
        check(samples(held) <= 1600 && held.open(), "it waits for credit");
        check(plugin.cancel(held) == JF_OK && held.status() == JF_E_CANCELLED, "cancel ends it");

        sdk::TestOp& full = open(0);
        host.refuse_emits(2);
        say(full, "Good morning.");
        host.advance(1s);
        check(!full.open() && full.status() == JF_OK && samples(full) > 4000, "a host that was full gets all of it");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
