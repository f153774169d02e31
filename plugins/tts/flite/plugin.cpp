// tts/flite: jf.tts/1 over CMU Flite. The stream machine is the SDK's; here are the options and the
// voices.

#include "config.hpp"
#include "voice.hpp"

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/sdk/tts.hpp>

#include <memory>

namespace jackfield::tts_flite {

class Speaker final : public sdk::tts::Speaker {
  public:
    static std::unique_ptr<Speaker> create(sdk::Host host, const sdk::Config& given) {
        const Config config = Config::from(given);
        if (!is_voice(config.voice))
            throw sdk::Failure(JF_E_INVALID, "no voice is called " + config.voice);
        return std::make_unique<Speaker>(host, config);
    }

    Speaker(sdk::Host host, Config config)
        : sdk::tts::Speaker(host, config.stream_options()), config_(std::move(config)) {}

    const void* query(std::string_view id) {
        return id == JF_TTS_V1 ? sdk::tts::table<Speaker>() : nullptr;
    }

  protected:
    void prepare() override { load_voices(); }

    std::shared_ptr<sdk::tts::Synthesiser> voice(std::string_view name,
                                                 std::string_view language) override {
        if (!language.empty() && !is_english(language))
            throw sdk::Failure(
                JF_E_UNSUPPORTED, "flite speaks English only", JF_RETRY_OTHER_PROVIDER);
        const std::string_view wanted = name.empty() ? std::string_view(config_.voice) : name;
        if (!is_voice(wanted))
            throw sdk::Failure(JF_E_NOT_FOUND, "flite has no voice called " + std::string(wanted));
        return make_voice(wanted, config_.speed, config_.pitch_hz);
    }

  private:
    static bool is_english(std::string_view language) {
        return language.starts_with("en") &&
               (language.size() == 2 || language[2] == '-' || language[2] == '_');
    }

    Config config_;
};

}  // namespace jackfield::tts_flite

JACKFIELD_MODULE(jackfield::tts_flite::Speaker)
