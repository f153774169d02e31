// Writes to a database until it is killed or fails, and says on stdout what was acknowledged. For crash_test.cpp.
//
//   sqlite_crash_helper PATH pairs ROUND    threads write batches: "ack ROUND THREAD NUMBER"
//   sqlite_crash_helper PATH limit BYTES    no file may grow beyond BYTES: "ack ID", then for each thread "failed CODE RETRY_AFTER TEXT"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "crash_records.hpp"

namespace jackfield::test {
namespace {

/// One write(2), so that a line is never torn by a kill.
void say(const std::string& line) {
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
}

int write_pairs(Database& db, const std::string& round) {
    const std::uint32_t h = db.declare(crash::collection()).collection;
    std::vector<std::thread> threads;
    for (int t = 0; t < crash::threads; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0;; ++i) {
                const std::string name = round + " " + std::to_string(t) + " " + std::to_string(i);
                if (db(crash::pair(h, t, name)).status != JF_OK) ::_exit(2);
                say("ack " + name + "\n");
            }
        });
    for (std::thread& thread : threads) thread.join();
    return 0;
}

/// Several threads at once: when the disk is full, a whole group of writes loses its transaction.
int write_until_full(Database& db, rlim_t bytes) {
    const std::uint32_t h = db.declare(crash::collection()).collection;
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string filling(3000, 'x');
    std::atomic<std::int64_t> made = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 6; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0;; ++i) {
                const std::string id = std::to_string(t) + "-" + std::to_string(i);
                const auto reply = db(sdk::Write::insert(h, "t", id).set(crash::text, filling));
                if (reply.status == JF_OK) {
                    ++made;
                    say("ack " + id + "\n");
                    continue;
                }
                say("failed " + std::to_string(reply.status) + " " + std::to_string(reply.retry_after_ms) + " " + reply.error + "\n");
                return;
            }
        });
    for (std::thread& thread : threads) thread.join();
    const auto readable = db(sdk::Query(h, "t").count());
    return readable.status == JF_OK && readable.rows[0][0].integer() == made ? 0 : 4;
}

}  // namespace
}  // namespace jackfield::test

int main(int argc, char** argv) {
    using namespace jackfield::test;
    if (argc != 4) {
        std::fprintf(stderr, "usage: %s PATH pairs ROUND | PATH limit BYTES\n", argv[0]);
        return 1;
    }
    Database db(argv[1]);
    if (db.started().status != JF_OK) {
        std::fprintf(stderr, "%s\n", db.started().error.c_str());
        return 1;
    }
    return std::string(argv[2]) == "pairs" ? write_pairs(db, argv[3]) : write_until_full(db, std::stoul(argv[3]));
}
