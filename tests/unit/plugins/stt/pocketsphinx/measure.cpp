// Recognition figures over a list: lines "G name<TAB>phrase|phrase", then "T 1|0<TAB>recording<TAB>words said", where 0 is
// speech outside the grammar. Prints one line per recording and the totals.
//   ./stt_pocketsphinx_measure [option value]... < list.txt
// PACED=1 in the environment pushes at the pace of a call, PARTIALS=1 asks for partials.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#include "recogniser.hpp"

using namespace jackfield::test;

namespace {

double cpu_s() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) out.push_back(part);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    TestRecogniser::Options options;
    for (int i = 1; i + 1 < argc; i += 2) options.emplace_back(argv[i], argv[i + 1]);
    TestRecogniser recogniser(options);
    if (recogniser.start() != JF_OK) return 1;

    std::unique_ptr<TestStream> stream;
    int in = 0, exact = 0, accepted = 0, out = 0, rejected = 0;
    double audio_s = 0;
    std::vector<double> final_ms;
    const double cpu_before = cpu_s();
    for (std::string line; std::getline(std::cin, line);) {
        const std::vector<std::string> fields = split(line.substr(2), '\t');
        if (line[0] == 'G') {
            stream = std::make_unique<TestStream>(recogniser, split(fields[1], '|'), "",
                                                  std::getenv("PARTIALS") ? JF_STT_PARTIALS : 0);
            continue;
        }
        std::vector<std::int16_t> samples;
        try {
            samples = recording(fields[1]);
        } catch (const std::exception&) {
            continue;
        }
        audio_s += static_cast<double>(samples.size()) / 8000;
        stream->push_silence(500);
        if (std::getenv("PACED")) {
            for (std::size_t at = 0; at < samples.size(); at += 160) {
                stream->push({samples.begin() + static_cast<std::ptrdiff_t>(at),
                              samples.begin() + static_cast<std::ptrdiff_t>(std::min(samples.size(), at + 160))});
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            for (int ms = 0; ms < 300; ms += 20) {
                stream->push_silence(20);
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
        } else {
            stream->push(samples);
            stream->push_silence(300);
        }
        const auto asked = std::chrono::steady_clock::now();
        const Said said = stream->finalize();
        final_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - asked).count());
        const bool match = said.type == JF_EV_FINAL;
        if (fields[0] == "1") {
            ++in;
            accepted += match;
            exact += match && said.text == fields[2];
        } else {
            ++out;
            rejected += !match;
        }
        std::printf("%s\t%s\t%s\t%s\t%s\t%.3f\n", fields[0].c_str(), fields[1].c_str(), fields[2].c_str(),
                    match ? "FINAL" : "NO_MATCH", said.text.c_str(), static_cast<double>(said.confidence));
    }
    if (final_ms.empty()) return 1;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::sort(final_ms.begin(), final_ms.end());
    std::fprintf(stderr, "in grammar %d: accepted %.1f %%, exact %.1f %%; outside %d: rejected %.1f %%\n", in,
                 100.0 * accepted / std::max(1, in), 100.0 * exact / std::max(1, in), out, 100.0 * rejected / std::max(1, out));
    std::fprintf(stderr, "largest resident set %ld kB\n", usage.ru_maxrss);
    std::fprintf(stderr, "%.0f s audio, CPU %.4f of real time; FINALIZE answered in p50 %.0f ms, p99 %.0f ms\n", audio_s,
                 (cpu_s() - cpu_before) / audio_s, final_ms[final_ms.size() / 2], final_ms[final_ms.size() * 99 / 100]);
    return 0;
}
