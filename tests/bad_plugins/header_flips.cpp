#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <jackfield/llm.h>
#include <jackfield/module.h>

#include "plugin_host/descriptor.hpp"

/// header_flips [--flips N] [--seed N] [--every-bit] FILE...: flips bits of good plugins' headers. Whatever the checks that run before a load let
/// through is loaded, used and left in a child process: none may crash or hang. The same seed flips the same bits.
namespace jackfield::bad_plugins {
namespace {

struct Region {
    std::string name;
    std::size_t offset, size;
};

std::string read_file(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

template <typename T>
T at(const std::string& file, std::size_t offset) {
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

/// What the dynamic loader and the host believe, of a file that is well.
std::vector<Region> regions_of(const std::string& file) {
    const auto header = at<Elf64_Ehdr>(file, 0);
    std::vector<Region> out{{"ELF header", 0, sizeof header},
                            {"program headers", header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr)},
                            {"section headers", header.e_shoff, header.e_shnum * sizeof(Elf64_Shdr)}};
    const auto names = at<Elf64_Shdr>(file, header.e_shoff + header.e_shstrndx * sizeof(Elf64_Shdr));
    for (std::size_t i = 1; i < header.e_shnum; ++i) {
        const auto section = at<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
        const std::string name(file.data() + names.sh_offset + section.sh_name);
        if (name == ".dynamic" || name == ".note.jackfield" || name == JF_DESCRIPTOR_SECTION)
            out.push_back({name, section.sh_offset, section.sh_size});
    }
    return out;
}

// A host that answers everything with OK.
const void* no_facility(jf_host_ctx*, jf_str) { return nullptr; }
jf_status no_op(jf_host_ctx*, jf_op, const jf_sink*, jf_op*) { return JF_E_QUOTA; }
jf_status take_events(jf_host_ctx*, jf_op, const jf_event*, std::uint32_t) { return JF_OK; }
jf_status take_completion(jf_host_ctx*, jf_op, jf_status, const jf_event*, const jf_error*) { return JF_OK; }
jf_status take_cancel(jf_host_ctx*, jf_op) { return JF_OK; }
void take_log(jf_host_ctx*, std::uint32_t, jf_op, jf_str, jf_array) {}
std::uint64_t no_time(jf_host_ctx*) { return 1; }
std::uint32_t no_class(jf_host_ctx*) { return JF_THREAD_CONTROL; }

enum Exit : int { harmless = 0, not_loaded = 10, no_entry = 11 };

/// In the child: what a host would do with the file, and the end of the process with what the file registered for it.
[[noreturn]] void use(const std::string& bytes) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(20);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    const int fd = memfd_create("flipped", 0);
    if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::_Exit(20);
    void* const library = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) std::_Exit(not_loaded);
    const auto entry = reinterpret_cast<const jf_module_v1* (*)()>(dlsym(library, "jf_module_entry_v1"));
    const jf_module_v1* module = entry ? entry() : nullptr;
    if (!JF_HAS(module, jf_module_v1, create) || !module->create) std::_Exit(no_entry);
    const jf_host_v1 host{sizeof host, 0,           nullptr,  no_facility, no_op,   take_events,
                          take_completion, take_cancel, take_log, no_time,     no_class};
    jf_instance* self = nullptr;
    const jf_instance_v1* functions = nullptr;
    jf_error error{};
    error.struct_size = sizeof error;
    try {
        if (module->create(&host, {}, {}, {}, &self, &functions, &error) == JF_OK) {
            functions->start(self, 1, &error);
            const auto* llm = static_cast<const jf_llm_v1*>(functions->query(self, {JF_LLM_V1, sizeof JF_LLM_V1 - 1}));
            jf_llm_request request{};
            request.struct_size = sizeof request;
            try {
                if (llm && llm->start) llm->start(self, 2, &request, &error);
            } catch (int) {
                // One of the files throws on purpose: the unwinder has to find its way.
            }
            functions->destroy(self);
        }
    } catch (...) {
    }
    std::exit(harmless);
}

struct Count {
    std::size_t refused = 0, by_loader = 0, harmless = 0, defects = 0;
};

class Flipper {
  public:
    explicit Flipper(std::string path) : path_(std::move(path)), file_(read_file(path_)), regions_(regions_of(file_)) {
        if (!accepted(file_)) {
            std::fprintf(stderr, "%s is refused as it is\n", path_.c_str());
            std::exit(2);
        }
    }

    void flip_some(std::mt19937_64& random) {
        std::string flipped = file_;
        std::string what;
        // One bit as a rule; now and then a few, of any regions.
        const std::size_t bits = random() % 4 ? 1 : 2 + random() % 3;
        for (std::size_t i = 0; i < bits; ++i) {
            const Region& region = regions_[random() % regions_.size()];
            flip(flipped, region, random() % (region.size * 8), what);
        }
        judge(flipped, what);
    }
    void flip_every() {
        for (const Region& region : regions_)
            for (std::size_t bit = 0; bit < region.size * 8; ++bit) {
                std::string flipped = file_, what;
                flip(flipped, region, bit, what);
                judge(flipped, what);
            }
    }
    const Count& count() const { return count_; }

  private:
    static bool accepted(const std::string& bytes) {
        return plugin_host::inspect_plugin(std::as_bytes(std::span(bytes)), "flipped", plugin_host::HostAbi{}).has_value();
    }
    static void flip(std::string& bytes, const Region& region, std::size_t bit, std::string& what) {
        bytes[region.offset + bit / 8] = static_cast<char>(bytes[region.offset + bit / 8] ^ (1 << bit % 8));
        what += " " + region.name + " byte " + std::to_string(bit / 8) + " bit " + std::to_string(bit % 8);
    }
    void judge(const std::string& bytes, const std::string& what) {
        if (!accepted(bytes)) return static_cast<void>(++count_.refused);
        const pid_t child = fork();
        if (child == 0) use(bytes);
        int status = 0;
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == harmless) ++count_.harmless;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == not_loaded) ++count_.by_loader;
        else {
            ++count_.defects;
            std::printf("DEFECT %s:%s: %s %d\n", path_.c_str(), what.c_str(), WIFSIGNALED(status) ? "signal" : "exit",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }

    std::string path_, file_;
    std::vector<Region> regions_;
    Count count_;
};

}  // namespace
}  // namespace jackfield::bad_plugins

int main(int argc, char** argv) {
    using namespace jackfield::bad_plugins;
    std::size_t flips = 3000;
    std::uint64_t seed = 1;
    bool every = false;
    std::vector<Flipper> files;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--flips" && i + 1 < argc) flips = std::stoul(argv[++i]);
        else if (argument == "--seed" && i + 1 < argc) seed = std::stoul(argv[++i]);
        else if (argument == "--every-bit") every = true;
        else if (argument.starts_with("-")) files.clear(), i = argc;
        else files.emplace_back(argument);
    }
    if (files.empty()) {
        std::fputs("header_flips [--flips N] [--seed N] [--every-bit] FILE...\n"
                   "  --flips N    so many damaged copies in all (3000)\n"
                   "  --seed N     which bits (1)\n"
                   "  --every-bit  each bit of each header once, instead\n",
                   stderr);
        return 2;
    }
    std::mt19937_64 random(seed);
    if (every)
        for (Flipper& file : files) file.flip_every();
    else
        for (std::size_t i = 0; i < flips; ++i) files[i % files.size()].flip_some(random);
    Count all;
    for (const Flipper& file : files) {
        all.refused += file.count().refused;
        all.by_loader += file.count().by_loader;
        all.harmless += file.count().harmless;
        all.defects += file.count().defects;
    }
    std::printf("%zu refused unread, %zu refused by the dynamic loader, %zu loaded and harmless, %zu crashed or hung\n", all.refused, all.by_loader,
                all.harmless, all.defects);
    return all.defects ? 1 : 0;
}
