#include "decoder.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
#include <sphinxbase/fsg_model.h>

namespace jackfield::pocketsphinx {
namespace {

/// Scores are logarithms to the base 1.0001, shifted right by 10 bits.
const double nats_per_score = 1024 * std::log(1.0001);

/// Making and freeing decoders touches statics of libsphinxbase (the log's set-up, the generator of random numbers for dither).
std::mutex& library() {
    static std::mutex mutex;
    return mutex;
}

void drop_message(void*, err_lvl_t, const char*, ...) {}

void silence_log() {
    static std::once_flag once;
    std::call_once(once, [] {
        err_set_logfp(nullptr);
        err_set_callback(drop_message, nullptr);
    });
}

}  // namespace

std::string Heard::text() const {
    std::string out;
    for (const Word& word : words) out += (out.empty() ? "" : " ") + word.text;
    return out;
}

std::unique_ptr<Decoder> Decoder::create(const Options& options, std::shared_ptr<const Lexicon> lexicon) {
    check_model(options);
    silence_log();
    const std::lock_guard lock(library());
    // compallsen: every state of the model is scored in each frame, which makes a path's score its distance from the best sounds of
    // any kind. The verdict lives on that; it takes a frame from 0.10 to 0.36 ms. remove_silence: done by Utterance, which
    // knows the whole of it. bestpath changes words without changing the path's score.
    // Beams: with the default ones (1e-48, 1e-7, 7e-29) a whole sentence over the telephone often ended without any path; these grammars are
    // so small that searching all of them costs nothing that can be measured.
    cmd_ln_t* config = cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", options.model_dir.c_str(), "-compallsen", "yes",
                                   "-remove_silence", "no", "-bestpath", "no", "-cmn", "batch", "-beam", "1e-300", "-pbeam", "1e-300", "-wbeam", "1e-300", nullptr);
    if (!config) throw sdk::Failure(JF_E_INTERNAL, "libpocketsphinx refused its options");
    ps_decoder_t* made = ps_init(config);
    cmd_ln_free_r(config);
    if (!made) throw sdk::Failure(JF_E_INTERNAL, "libpocketsphinx can't use the model in " + options.model_dir);
    return std::unique_ptr<Decoder>(new Decoder(made, options, std::move(lexicon)));
}

Decoder::Decoder(ps_decoder_s* decoder, const Options& options, std::shared_ptr<const Lexicon> lexicon)
    : decoder_(decoder), capacity_(options.searches_per_decoder), lexicon_(std::move(lexicon)) {}

Decoder::~Decoder() {
    const std::lock_guard lock(library());
    ps_free(decoder_);
}

bool Decoder::select(const Vocabulary& vocabulary) {
    const std::string name = "v" + std::to_string(vocabulary.id);
    if (const auto found = searches_.find(vocabulary.id); found != searches_.end()) {
        latest_.splice(latest_.begin(), latest_, found->second);
        return ps_set_search(decoder_, name.c_str()) == 0;
    }
    if (latest_.size() >= capacity_) {
        ps_unset_search(decoder_, ("v" + std::to_string(latest_.back())).c_str());
        searches_.erase(latest_.back());
        latest_.pop_back();
    }
    if (!add_search(vocabulary, name)) return false;
    latest_.push_front(vocabulary.id);
    searches_[vocabulary.id] = latest_.begin();
    return ps_set_search(decoder_, name.c_str()) == 0;
}

bool Decoder::add_search(const Vocabulary& vocabulary, const std::string& name) {
    const Network& network = vocabulary.network;
    for (const std::string& word : network.words) {
        if (words_.contains(word)) continue;
        const std::vector<std::string> variants = lexicon_->variants(word);
        for (std::size_t i = 0; i < variants.size(); ++i) {
            const std::string entry = i == 0 ? word : word + '(' + std::to_string(i + 1) + ')';
            if (ps_add_word(decoder_, entry.c_str(), variants[i].c_str(), FALSE) < 0 && i == 0) return false;
        }
        words_.insert(word);
    }

    logmath_t* math = ps_get_logmath(decoder_);
    const auto weight = static_cast<float32>(cmd_ln_float32_r(ps_get_config(decoder_), "-lw"));
    fsg_model_t* fsg = fsg_model_init(name.c_str(), math, weight, static_cast<int32>(network.states));
    if (!fsg) return false;
    fsg->start_state = static_cast<int32>(network.start);
    fsg->final_state = static_cast<int32>(network.final);
    std::vector<int32> ids;
    for (const std::string& word : network.words) ids.push_back(fsg_model_word_add(fsg, word.c_str()));
    for (const Network::Arc& arc : network.arcs) {
        const auto from = static_cast<int32>(arc.from);
        const auto to = static_cast<int32>(arc.to);
        const auto log = std::min(0, static_cast<int32>(static_cast<float32>(logmath_ln_to_log(math, arc.log_probability)) * weight));
        if (arc.word == Network::no_word) fsg_model_null_trans_add(fsg, from, to, log);
        else fsg_model_trans_add(fsg, from, to, log, ids[static_cast<std::size_t>(arc.word)]);
    }
    const bool ok = ps_set_fsg(decoder_, name.c_str(), fsg) == 0;
    fsg_model_free(fsg);
    return ok;
}

bool Decoder::decode(const Vocabulary& vocabulary, std::span<const std::int16_t> audio, Heard& out, Heard& so_far) {
    out = {};
    so_far = {};
    if (vocabulary.network.empty() || !select(vocabulary)) return false;
    // The library turns this to "live" for good once it has seen an utterance in parts.
    ps_get_feat(decoder_)->cmn = CMN_BATCH;
    ps_start_stream(decoder_);
    if (ps_start_utt(decoder_) < 0) return false;
    const int searched = ps_process_raw(decoder_, audio.data(), audio.size(), FALSE, TRUE);
    read_words(so_far);
    const int ended = ps_end_utt(decoder_);
    if (searched < 0 || ended < 0) return false;
    out.frames = static_cast<std::uint32_t>(std::max(0, ps_get_n_frames(decoder_)));
    read_words(out);
    return true;
}

void Decoder::read_words(Heard& out) const {
    double sum = 0;
    for (ps_seg_t* segment = ps_seg_iter(decoder_); segment; segment = ps_seg_next(segment)) {
        const char* text = ps_seg_word(segment);
        // Silence, noise and steps without a word are in brackets of some kind.
        if (!text || std::string_view("<[(+").find(text[0]) != std::string_view::npos) continue;
        int from = 0;
        int to = 0;
        int32 acoustic = 0;
        int32 language = 0;
        int32 history = 0;
        ps_seg_frames(segment, &from, &to);
        ps_seg_prob(segment, &acoustic, &language, &history);
        if (from < 0 || to < from) continue;
        const double distance = -acoustic * nats_per_score;
        const auto frames = static_cast<std::uint32_t>(to - from + 1);
        std::string word = text;
        if (const std::size_t variant = word.find('('); variant != word.npos && variant > 0) word.resize(variant);
        out.words.push_back({std::move(word), static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to + 1),
                             distance / frames});
        out.word_frames += frames;
        sum += distance;
    }
    if (out.word_frames > 0) out.distance = sum / out.word_frames;
}

}  // namespace jackfield::pocketsphinx
