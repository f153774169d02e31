// Runs a fuzz target over the files of its corpus folders, then over mutations of each from a fixed seed.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    std::mt19937_64 random(1);
    int inputs = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            std::fprintf(stderr, "%s: no such corpus folder\n", argv[i]);
            return 1;
        }
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
            ++inputs;
            for (int round = 0; round < 2000 && !bytes.empty(); ++round) {
                std::vector<std::uint8_t> mutant = bytes;
                const int flips = 1 + static_cast<int>(random() % 6);
                for (int f = 0; f < flips; ++f) mutant[random() % mutant.size()] = static_cast<std::uint8_t>(random());
                if (random() % 4 == 0) mutant.resize(random() % (mutant.size() + 1));
                LLVMFuzzerTestOneInput(mutant.data(), mutant.size());
            }
        }
    }
    if (inputs == 0) {
        std::fprintf(stderr, "the corpus is empty\n");
        return 1;
    }
    std::printf("%d corpus files and 2000 mutations of each\n", inputs);
    return 0;
}
