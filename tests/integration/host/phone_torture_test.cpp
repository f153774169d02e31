// Fifty thousand broken SIP messages, with everything switched on that reads something of them.
// JACKFIELD_TORTURE_COUNT and JACKFIELD_TORTURE_SEED choose another dose.

#include "host_fixture.hpp"
#include "simulators/torture.hpp"

#include <cstdlib>
#include <fstream>

namespace jackfield::test {
namespace {

long from_environment(const char* name, long otherwise) {
    const char* text = std::getenv(name);
    return text && *text ? std::atol(text) : otherwise;
}

long resident_kb(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    return 0;
}

TEST(PhoneTorture, LeavesAHostThatTakesCallsAndHasNotGrown) {
    HostFolder folder;
    folder.write_tenant("desk", desk_tenant());
    // Our own address is trusted, so that what isn't a registration goes all the way; the flood
    // guard is off, or it would see to it that nothing is ever read.
    folder.write_host(
        0,
        0,
        "max_requests_per_second = 0\nallow = [\"127.0.0.0/8\"]\naccept_refer = true\n"
        "users = [{name = \"anna\", password = \"correct horse\"}]\n");
    HostProcess host(folder);
    sim::TortureOptions options;
    options.target = {sim::loopback, host.udp_port()};
    options.count = 5000;
    options.seed = static_cast<std::uint64_t>(from_environment("JACKFIELD_TORTURE_SEED", 1));
    ASSERT_EQ(sim::torture(options).sent, 5000);
    expect_normal_call(folder, host);
    const long before_kb = resident_kb(host.pid());

    options.count = static_cast<int>(from_environment("JACKFIELD_TORTURE_COUNT", 50'000));
    ++options.seed;
    const sim::TortureReport report = sim::torture(options);

    EXPECT_EQ(report.sent, options.count);
    EXPECT_GT(report.replies, options.count / 20) << "they were read";
    EXPECT_EQ(report.server_errors, 0);
    ASSERT_TRUE(host.running()) << host.log();
    expect_normal_call(folder, host);
    EXPECT_LE(resident_kb(host.pid()) - before_kb, 16'384);
    RecordProperty("resident_kb_before", std::to_string(before_kb));
    RecordProperty("resident_kb_after", std::to_string(resident_kb(host.pid())));
}

}  // namespace
}  // namespace jackfield::test
