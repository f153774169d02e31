#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "simulators/audio.hpp"
#include "support/listener.hpp"

namespace {

std::vector<std::string> read_lines(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(path + ": cannot be opened");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) lines.push_back(line);
    }
    return lines;
}

}  // namespace

int main(int argc, char** argv) {
    std::string recording;
    std::string replies_path;
    std::string expected_path;
    int channel = 0;
    bool as_json = false;
    CLI::App app("Listens to the agent's side of a recorded call and says whether the replies that were due were spoken. Exit status 0: at least\n"
                 "80 % of the right replies' words were found and at most 30 % of the shuffled ones', 1: they were not, 2: it could not be tried.");
    app.add_option("recording", recording, "WAV at 8000 Hz, PCM or G.711")->required();
    app.add_option("--channel", channel, "Which channel is the agent's; sip_phone --record puts it on 1");
    app.add_option("--replies", replies_path, "All that the tenant may say, one a line; {slots} are left out")->required();
    app.add_option("--expected", expected_path, "The replies that were due in this call, in order, one a line")->required();
    app.add_flag("--json", as_json, "Print the verdict as JSON");
    CLI11_PARSE(app, argc, argv);
    try {
        using namespace jackfield;
        const sim::Pcm audio = sim::read_speech(recording, channel);
        const std::vector<std::string> expected = read_lines(expected_path);
        std::vector<std::string> replies = read_lines(replies_path);
        replies.insert(replies.end(), expected.begin(), expected.end());
        listener::Listener ears(replies);
        const listener::Verdict verdict = listener::judge(ears, audio, expected);
        if (as_json) {
            std::cout << verdict.json() << '\n';
        } else {
            for (const std::string& word : ears.unknown_words()) std::cout << "not in the dictionary: " << word << '\n';
            for (const auto& reply : verdict.replies) {
                std::cout << static_cast<int>(100 * reply.right + 0.5) << " % (shuffled " << static_cast<int>(100 * reply.shuffled + 0.5) << " %)  expected: "
                          << reply.expected << "\n    heard: " << reply.heard << '\n';
            }
            std::cout << "all: " << 100 * verdict.right << " % of the right words, " << 100 * verdict.shuffled << " % of shuffled ones\n";
        }
        return verdict.passed() ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "call_listener: " << error.what() << '\n';
        return 2;
    }
}
