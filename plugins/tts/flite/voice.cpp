#include "voice.hpp"

#include "ascii_text.hpp"

#include <jackfield/sdk/speex_resampler.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include <flite/flite.h>

extern "C" {
cst_voice* register_cmu_us_slt(const char* voxdir);
cst_voice* register_cmu_us_kal16(const char* voxdir);
cst_voice* register_cmu_us_kal(const char* voxdir);
cst_voice* register_cmu_us_awb(const char* voxdir);
cst_voice* register_cmu_us_rms(const char* voxdir);
}

namespace jackfield::tts_flite {
namespace {

struct Known {
    std::string_view name;
    cst_voice* (*load)(const char*);
    cst_voice* voice;
};

std::array<Known, 5>& known_voices() {
    static std::array<Known, 5> voices{{{"slt", register_cmu_us_slt, nullptr},
                                        {"kal16", register_cmu_us_kal16, nullptr},
                                        {"kal", register_cmu_us_kal, nullptr},
                                        {"awb", register_cmu_us_awb, nullptr},
                                        {"rms", register_cmu_us_rms, nullptr}}};
    return voices;
}

Known* find(std::string_view name) {
    for (Known& known : known_voices())
        if (known.name == name) return &known;
    return nullptr;
}

// Flite counts the uses of a voice's values without atomics, and every utterance of every thread
// counts the same ones. Over days the count would drift, and at zero the value is freed under the
// voice. Flite leaves a count of -1 alone, as it does for values in read-only memory; voices are
// never freed here, so that is what theirs get.
void make_immortal(cst_features* features) {
    for (cst_featvalpair* pair = features->head; pair; pair = pair->next)
        if (pair->val && !cst_val_consp(pair->val)) CST_VAL_REFCOUNT(pair->val) = -1;
}

struct DeleteUtterance {
    void operator()(cst_utterance* utterance) const { delete_utterance(utterance); }
};

/// One piece on its way from Flite to the sink.
class Utterance {
  public:
    Utterance(const AsciiText& text, sdk::tts::Sink& sink) : text_(text), sink_(sink) {}

    void run(cst_voice* voice, double speed, int pitch_hz) {
        const std::unique_ptr<cst_utterance, DeleteUtterance> utterance(new_utterance());
        utt_set_input_text(utterance.get(), text_.text.c_str());
        utt_init(utterance.get(), voice);
        // Everything that is this stream's goes to the utterance: the voice's own features are
        // shared by all threads.
        cst_features* features = utterance->features;
        if (speed != 1.0) {
            const float own = get_param_float(voice->features, "duration_stretch", 1.0F);
            feat_set_float(features, "duration_stretch", own / static_cast<float>(speed));
        }
        if (pitch_hz > 0)
            feat_set_float(features, "int_f0_target_mean", static_cast<float>(pitch_hz));
        cst_audio_streaming_info* streaming = new_audio_streaming_info();
        streaming->asc = &Utterance::on_audio;
        streaming->utt = utterance.get();
        streaming->userdata = this;
        feat_set(features, "streaming_info", audio_streaming_info_val(streaming));

        if (!utt_synth(utterance.get()))
            throw sdk::Failure(JF_E_INTERNAL, "flite could not speak this text");
        finish();
    }

  private:
    struct Word {
        float end_s;
        std::size_t bytes;  // of the original, up to the word after this one
    };

    /// Called by Flite in steps of 5 to 25 ms of speech, from inside utt_synth().
    static int on_audio(
        const cst_wave* wave, int start, int size, int, cst_audio_streaming_info* info) {
        auto* self = static_cast<Utterance*>(info->userdata);
        jf_error error = sdk::make<jf_error>();
        bool go_on = false;
        // Flite is C: nothing may be thrown through it.
        const jf_status status =
            sdk::guarded(&error, [&] { go_on = self->take(*wave, start, size, info->utt); });
        if (status != JF_OK) self->failed_ = true;
        return go_on ? CST_AUDIO_STREAM_CONT : CST_AUDIO_STREAM_STOP;
    }

    bool take(const cst_wave& wave, int start, int size, const cst_utterance* utterance) {
        if (!resampler_) {
            resampler_.emplace(static_cast<std::uint32_t>(wave.sample_rate), sink_.rate_hz());
            read_words(utterance);
        }
        if (size <= 0) return !sink_.stopped();
        const float now_s = static_cast<float>(start + size) / static_cast<float>(wave.sample_rate);
        while (next_word_ < words_.size() && words_[next_word_].end_s <= now_s)
            spoken_ = words_[next_word_++].bytes;
        resampler_->process(wave.samples + start, static_cast<std::size_t>(size), samples_);
        going_ = sink_.audio(samples_.data(), samples_.size(), spoken_);
        return going_;
    }

    /// When each word will have been said. Durations are settled before the first sample is made.
    void read_words(const cst_utterance* utterance) {
        for (const cst_item* token = utt_rel_head(utterance, "Token"); token;
             token = item_next(token)) {
            const cst_item* word = item_last_daughter(token);
            if (!word) continue;
            const float end_s =
                flite_ffeature_float(word, "R:SylStructure.daughtern.daughtern.R:Segment.end");
            const int bytes = flite_ffeature_int(token, "file_pos");
            if (end_s <= 0 || bytes <= 0) continue;
            words_.push_back({end_s, text_.original_offset(static_cast<std::size_t>(bytes))});
        }
    }

    void finish() {
        if (failed_) throw sdk::Failure(JF_E_INTERNAL, "flite's audio could not be converted");
        if (!going_ || !resampler_) return;
        resampler_->finish(samples_);
        sink_.audio(samples_.data(), samples_.size(), text_.origin.back());
    }

    const AsciiText& text_;
    sdk::tts::Sink& sink_;
    std::optional<sdk::SpeexResampler> resampler_;
    std::vector<std::int16_t> samples_;
    std::vector<Word> words_;
    std::size_t next_word_ = 0;
    std::size_t spoken_ = 0;
    bool going_ = true;
    bool failed_ = false;
};

class Voice final : public sdk::tts::Synthesiser {
  public:
    Voice(cst_voice* voice, double speed, int pitch_hz)
        : voice_(voice), speed_(speed), pitch_hz_(pitch_hz) {}

    void synthesise(std::string_view text, sdk::tts::Sink& sink) override {
        const AsciiText ascii = to_ascii(text);
        if (!sdk::tts::is_speakable(ascii.text)) return;
        Utterance(ascii, sink).run(voice_, speed_, pitch_hz_);
    }

  private:
    cst_voice* voice_;
    double speed_;
    int pitch_hz_;
};

}  // namespace

bool is_voice(std::string_view name) {
    return find(name) != nullptr;
}

void load_voices() {
    static std::once_flag once;
    std::call_once(once, [] {
        flite_init();
        for (Known& known : known_voices()) {
            known.voice = known.load(nullptr);
            if (known.voice) make_immortal(known.voice->features);
        }
    });
}

std::shared_ptr<sdk::tts::Synthesiser> make_voice(std::string_view name,
                                                  double speed,
                                                  int pitch_hz) {
    const Known* known = find(name);
    if (!known || !known->voice) throw sdk::Failure(JF_E_STATE, "flite's voices are not loaded");
    return std::make_shared<Voice>(known->voice, speed, pitch_hz);
}

}  // namespace jackfield::tts_flite
