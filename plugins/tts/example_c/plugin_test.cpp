// The built plugin in the SDK's test host: plugin_test build/plugins/tts/example_c.so

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

struct Voice {
    Voice(sdk::TestHost& host, const char* file) : plugin(host, sdk::load_module(file), {{"letter_ms", "100"}}) {
        check(plugin.start() == JF_OK, "it starts");
        tts = plugin.interface<jf_tts_v1>(JF_TTS_V1);
    }
    sdk::TestOp& open(std::uint64_t credit = 0, std::uint32_t rate_hz = 8000) {
        jf_tts_open options = sdk::make<jf_tts_open>();
        options.format = sdk::make<jf_format>();
        options.format.codec = JF_CODEC_L16;
        options.format.channels = 1;
        options.format.rate_hz = rate_hz;
        options.credit = credit;
        return plugin.begin(tts->open, &options);
    }
    jf_status say(sdk::TestOp& stream, std::string_view words, std::uint32_t flush = JF_TTS_END) {
        jf_tts_text text = sdk::make<jf_tts_text>();
        text.flush = flush;
        text.text = sdk::str(words);
        return plugin.on(stream, tts->text, &text);
    }
    static std::uint64_t samples(const sdk::TestOp& stream) {
        std::uint64_t n = 0;
        for (const sdk::Event& event : stream.events())
            if (const auto* frame = event.type == JF_EV_AUDIO ? event.as<jf_frame>() : nullptr) n += frame->samples;
        return n;
    }

    sdk::TestInstance plugin;
    const jf_tts_v1* tts = nullptr;
};

int main(int, char** arguments) {
    sdk::TestHost host;
    {
        Voice voice(host, arguments[1]);

        sdk::TestOp& whole = voice.open();
        check(voice.say(whole, "Hello. Bye.") == JF_OK && whole.status() == JF_OK && !whole.open(), "it speaks and completes");
        check(Voice::samples(whole) == 8 * 800 + 2 * 160 + 160, "a letter takes 100 ms, a gap 20 ms");
        check(whole.count(JF_EV_TTS_MARK) == 2, "a mark stands after each sentence");
        check(whole.events().back().pos == 11, "the positions count the text's bytes");
        const auto* usage = whole.last().as<jf_tts_usage>();
        check(usage && usage->characters == 11, "it says what was used");

        sdk::TestOp& held = voice.open(1600);
        voice.say(held, "A long sentence that goes on.", JF_TTS_FLUSH);
        check(Voice::samples(held) == 1600 && held.open(), "it waits for credit");
        voice.plugin.on(held, voice.tts->credit, std::uint64_t{800});
        check(Voice::samples(held) == 2400, "... and goes on with it");
        voice.plugin.on(held, voice.tts->clear);
        check(held.events().back().type == JF_EV_CLEARED, "clear is answered");
        check(voice.plugin.cancel(held) == JF_OK && held.status() == JF_E_CANCELLED, "cancel completes at once");

        sdk::TestOp& full = voice.open();
        host.refuse_emits(3);
        voice.say(full, "Hello.");
        check(Voice::samples(full) == 0, "a full host gets nothing");
        host.advance(100ms);
        check(Voice::samples(full) == 5 * 800 + 160 && !full.open(), "... and all of it a moment later");

        check(voice.open(0, 4000).accepted() == JF_E_UNSUPPORTED, "it refuses a rate that it hasn't");

        sdk::TestOp& late = voice.open(160);
        voice.say(late, "Still speaking.");
        check(!voice.plugin.quiesce(500ms) || late.open(), "quiesce waits no longer than its budget");
        check(voice.open().accepted() == JF_E_STATE, "a quiescing voice takes no more speech");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
