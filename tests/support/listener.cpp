#include "support/listener.hpp"

#include <pocketsphinx.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <numbers>
#include <set>
#include <sstream>
#include <stdexcept>

#include "support/language_model.hpp"

namespace jackfield::listener {
namespace {

const std::filesystem::path model_folder = "/usr/share/pocketsphinx/model/en-us";
constexpr int rate_hz = 8000;
constexpr int frame = 80;  // 10 ms

/// The texts around slots: "at {time} on {day}" is "at" and "on".
std::vector<std::vector<std::string>> sentences_of(const std::vector<std::string>& replies) {
    std::set<std::vector<std::string>> sentences;  // the same text twice would only bend the counts
    for (const std::string& reply : replies) {
        std::string_view rest = reply;
        while (!rest.empty()) {
            const auto open = rest.find('{');
            std::vector<std::string> words = spoken_words(rest.substr(0, open));
            if (!words.empty()) sentences.insert(std::move(words));
            const auto close = open == std::string_view::npos ? open : rest.find('}', open);
            rest = close == std::string_view::npos ? std::string_view{} : rest.substr(close + 1);
        }
    }
    return {sentences.begin(), sentences.end()};
}

/// The dictionary's lines for these words, other pronunciations included; takes what it finds out of `words`.
std::string dictionary_of(std::set<std::string>& words) {
    const auto path = model_folder / "cmudict-en-us.dict";
    std::ifstream file(path);
    if (!file) throw std::runtime_error("listener: " + path.string() + " is missing; install it: apt-get install pocketsphinx-en-us");
    const std::set<std::string> wanted = words;
    std::string out;
    for (std::string line; std::getline(file, line);) {
        const std::string word = line.substr(0, line.find_first_of(" ("));
        if (!wanted.contains(word)) continue;
        out += line + '\n';
        words.erase(word);
    }
    return out;
}

/// Twice the rate by inserting zeros and a windowed-sinc low pass at 4 kHz.
std::vector<std::int16_t> to_16_khz(Audio audio) {
    constexpr int half = 31;
    static const std::vector<double> taps = [] {
        std::vector<double> values;
        for (int i = -half; i <= half; ++i) {
            const double x = std::numbers::pi * i / 2;
            const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * i / (half + 1));
            values.push_back((i == 0 ? 1 : std::sin(x) / x) * window);
        }
        return values;
    }();
    std::vector<std::int16_t> out(audio.size() * 2);
    for (std::size_t n = 0; n < out.size(); ++n) {
        double sum = 0;
        for (int i = -half; i <= half; ++i) {
            const auto at = static_cast<std::ptrdiff_t>(n) - i;
            if (at % 2 != 0 || at < 0 || at / 2 >= static_cast<std::ptrdiff_t>(audio.size())) continue;
            sum += taps[static_cast<std::size_t>(i + half)] * audio[static_cast<std::size_t>(at / 2)];
        }
        out[n] = static_cast<std::int16_t>(std::clamp(sum, -32768.0, 32767.0));
    }
    return out;
}

struct TemporaryFolder {
    std::filesystem::path path;
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "jackfield-listener-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("listener: no temporary folder");
        path = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path);
    if (!(file << text)) throw std::runtime_error("listener: " + path.string() + " cannot be written");
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

/// Which reply each utterance belongs to: replies in order, every utterance somewhere, as many words found as possible.
std::vector<std::vector<std::string>> assign(const std::vector<std::vector<std::string>>& utterances,
                                             const std::vector<std::vector<std::string>>& replies) {
    const std::size_t n = utterances.size();
    const std::size_t m = replies.size();
    auto words_found = [&](std::size_t reply, std::size_t begin, std::size_t end) {
        std::vector<std::string> heard;
        for (std::size_t i = begin; i < end; ++i) heard.insert(heard.end(), utterances[i].begin(), utterances[i].end());
        return share_found(replies[reply], heard) * static_cast<double>(replies[reply].size());
    };
    // best[j][i]: words found when the first j replies take the first i utterances.
    std::vector<std::vector<double>> best(m + 1, std::vector<double>(n + 1, -1));
    std::vector<std::vector<std::size_t>> from(m + 1, std::vector<std::size_t>(n + 1, 0));
    best[0][0] = 0;
    for (std::size_t j = 1; j <= m; ++j) {
        for (std::size_t i = 0; i <= n; ++i) {
            for (std::size_t k = 0; k <= i; ++k) {
                if (best[j - 1][k] < 0) continue;
                const double found = best[j - 1][k] + words_found(j - 1, k, i);
                if (found > best[j][i]) {
                    best[j][i] = found;
                    from[j][i] = k;
                }
            }
        }
    }
    std::vector<std::vector<std::string>> heard(m);
    std::size_t i = n;
    for (std::size_t j = m; j > 0; --j) {
        for (std::size_t k = from[j][i]; k < i; ++k) heard[j - 1].insert(heard[j - 1].end(), utterances[k].begin(), utterances[k].end());
        i = from[j][i];
    }
    return heard;
}

}  // namespace

struct Listener::Decoder {
    TemporaryFolder folder;
    cmd_ln_t* config = nullptr;
    ps_decoder_t* decoder = nullptr;
    ~Decoder() {
        if (decoder != nullptr) ps_free(decoder);
        if (config != nullptr) cmd_ln_free_r(config);
    }
};

Listener::Listener(const std::vector<std::string>& replies) : decoder_(std::make_unique<Decoder>()) {
    auto sentences = sentences_of(replies);
    std::set<std::string> words;
    for (const auto& sentence : sentences) words.insert(sentence.begin(), sentence.end());
    const std::string dictionary = dictionary_of(words);
    unknown_.assign(words.begin(), words.end());
    for (auto& sentence : sentences) std::erase_if(sentence, [&](const std::string& word) { return words.contains(word); });
    std::erase_if(sentences, [](const auto& sentence) { return sentence.empty(); });
    if (sentences.empty()) throw std::runtime_error("listener: the replies hold no known word");

    const std::string lm = (decoder_->folder.path / "replies.arpa").string();
    const std::string dict = (decoder_->folder.path / "replies.dict").string();
    write_file(lm, build_arpa(sentences));
    write_file(dict, dictionary);
    const std::string hmm = (model_folder / "en-us").string();
    // Batch mean normalisation: what was heard before must not change what is heard now.
    decoder_->config = cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", hmm.c_str(), "-lm", lm.c_str(), "-dict", dict.c_str(), "-cmn", "batch",
                                   "-logfn", "/dev/null", nullptr);
    decoder_->decoder = decoder_->config == nullptr ? nullptr : ps_init(decoder_->config);
    if (decoder_->decoder == nullptr) throw std::runtime_error("listener: PocketSphinx did not start; install it: apt-get install pocketsphinx-en-us");
}

Listener::~Listener() = default;

std::vector<std::string> Listener::recognise(Audio utterance) {
    const std::vector<std::int16_t> audio = to_16_khz(utterance);
    ps_start_utt(decoder_->decoder);
    ps_process_raw(decoder_->decoder, audio.data(), audio.size(), FALSE, TRUE);
    ps_end_utt(decoder_->decoder);
    int score = 0;
    const char* text = ps_get_hyp(decoder_->decoder, &score);
    std::vector<std::string> words;
    std::istringstream stream(text == nullptr ? "" : text);
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

std::vector<Segment> cut_utterances(Audio audio, int pause_ms) {
    constexpr double threshold = 150;  // RMS of 10 ms, -47 dBFS: below any speech, above line noise
    constexpr std::size_t shortest = 150 * rate_hz / 1000;
    constexpr std::size_t margin = 200 * rate_hz / 1000;
    const std::size_t pause = static_cast<std::size_t>(pause_ms) * rate_hz / 1000;
    std::vector<Segment> segments;
    for (std::size_t at = 0; at + frame <= audio.size(); at += frame) {
        double energy = 0;
        for (std::size_t i = at; i < at + frame; ++i) energy += static_cast<double>(audio[i]) * audio[i];
        if (std::sqrt(energy / frame) < threshold) continue;
        if (segments.empty() || at - segments.back().end > pause) segments.push_back({at, at});
        segments.back().end = at + frame;
    }
    std::erase_if(segments, [](const Segment& segment) { return segment.end - segment.begin < shortest; });
    for (Segment& segment : segments) {
        segment.begin -= std::min(segment.begin, margin);
        segment.end = std::min(segment.end + margin, audio.size());
    }
    return segments;
}

Verdict judge(Listener& listener, Audio agent, const std::vector<std::string>& expected) {
    std::vector<std::vector<std::string>> utterances;
    for (const Segment& segment : cut_utterances(agent)) {
        utterances.push_back(listener.recognise(agent.subspan(segment.begin, segment.end - segment.begin)));
    }
    std::vector<std::vector<std::string>> replies;
    for (const std::string& reply : expected) replies.push_back(spoken_words(reply));
    const auto heard = assign(utterances, replies);

    Verdict verdict;
    double words = 0;
    double other_words = 0;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        HeardReply reply{expected[i], joined(heard[i]), share_found(replies[i], heard[i]), 0};
        double others = 0;
        for (std::size_t j = 0; j < replies.size(); ++j) {
            if (replies[j] == replies[i]) continue;
            const double share = share_found(replies[j], heard[i]);
            const auto size = static_cast<double>(replies[j].size());
            reply.shuffled += share;
            others += 1;
            verdict.shuffled += share * size;
            other_words += size;
        }
        if (others > 0) reply.shuffled /= others;
        verdict.right += reply.right * static_cast<double>(replies[i].size());
        words += static_cast<double>(replies[i].size());
        verdict.replies.push_back(std::move(reply));
    }
    if (words > 0) verdict.right /= words;
    if (other_words > 0) verdict.shuffled /= other_words;
    return verdict;
}

}  // namespace jackfield::listener
