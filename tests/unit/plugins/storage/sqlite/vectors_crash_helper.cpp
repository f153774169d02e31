// Writes vectors until it is killed, and says on stdout what was acknowledged. For vectors_crash_test.cpp.
//
//   sqlite_vectors_crash_helper PATH ROUND    "put ROUND-N" for three vectors at once, "gone ROUND-N" for their removal

#include <unistd.h>

#include <cstdio>
#include <string>

#include "support/vectors_client.hpp"
#include "vectors_crash.hpp"

namespace {

/// One write(2), so that a line is never torn by a kill.
void say(const std::string& line) {
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace jackfield::test;
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s PATH ROUND\n", argv[0]);
        return 1;
    }
    VectorsClient client(*jf_module_entry_v1(), "storage/sqlite", {{"path", argv[1]}, {"vectors_exact_below", "0"}});
    const std::uint32_t space = vector_crash::ensure(client);
    for (int i = 0;; ++i) {
        const std::string name = std::string(argv[2]) + "-" + std::to_string(i);
        if (client.upsert(space, "t", vector_crash::three(name)).status != JF_OK) return 2;
        say("put " + name + "\n");
        if (i % 3 != 2) continue;
        if (client.remove(space, "t", {name + ".0", name + ".1", name + ".2"}).pos != 3) return 2;
        say("gone " + name + "\n");
    }
}
