// Migrates a database and is gone in the middle of it, or finds the disk full. For migrate_crash_test.cpp.
//
//   sqlite_migrate_helper PATH forward|back kill|power|full POINT    at its POINT-th write or sync, 0 never; says on stdout how many there were

#include <cstdio>
#include <string_view>

#include "migrate_records.hpp"
#include "model/power_vfs.hpp"

int main(int argc, char** argv) {
    using namespace jackfield::test;
    if (argc != 5) {
        std::fprintf(stderr, "usage: %s PATH forward|back kill|power|full POINT\n", argv[0]);
        return 1;
    }
    model::PowerCut cut;
    const std::string_view how = argv[3];
    const std::uint64_t point = std::stoull(argv[4]);
    (how == "full" ? cut.error_at : cut.after) = point;
    cut.seed = point + 1;
    cut.kill = how == "kill";
    model::install_power_vfs(cut);
    Database db(argv[1]);
    const auto reply = migration::migrate(db, std::string_view(argv[2]) == "forward");
    std::printf("%llu %d %s\n", static_cast<unsigned long long>(model::power_vfs_operations()), reply.status, reply.error.c_str());
    return reply.status == JF_OK ? 0 : 2;
}
