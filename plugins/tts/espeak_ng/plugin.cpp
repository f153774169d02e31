// tts/espeak_ng: jf.tts/1 over the program espeak-ng. The stream machine is the SDK's; here are the
// options and the child process.

#include "config.hpp"
#include "voice.hpp"

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts.hpp>

#include <algorithm>
#include <memory>

namespace jackfield::tts_espeak_ng {

class Speaker final : public sdk::tts::Speaker {
  public:
    static std::unique_ptr<Speaker> create(sdk::Host host, const sdk::Config& given) {
        return std::make_unique<Speaker>(host, Config::from(given));
    }

    Speaker(sdk::Host host, Config config)
        : sdk::tts::Speaker(host, config.stream_options()), config_(std::move(config)) {}

    const void* query(std::string_view id) {
        return id == JF_TTS_V1 ? sdk::tts::table<Speaker>() : nullptr;
    }

  protected:
    // Says a word to nobody, so that a missing program or voice is known before the first call
    // needs it.
    void prepare() override {
        Config brief = config_;
        brief.child_timeout_ms = std::min(brief.child_timeout_ms, 4000);
        try_voice(brief, brief.voice_for({}, {}));
    }

    std::shared_ptr<sdk::tts::Synthesiser> voice(std::string_view name,
                                                 std::string_view language) override {
        return make_voice(config_, config_.voice_for(name, language));
    }

  private:
    Config config_;
};

}  // namespace jackfield::tts_espeak_ng

JACKFIELD_MODULE(jackfield::tts_espeak_ng::Speaker)
