// A report by local day, as a service makes it: jf.host.calendar/1 says where the days begin, jf.records/1 counts what falls into them.

#include "host_fixture.hpp"

namespace jackfield::test {
namespace {

namespace fs = std::filesystem;

std::string tenant_in(const std::string& zone) {
    return "[tenant]\nname = \"" + zone + "\"\ntime_zone = \"" + zone + "\"\n[services.almanac]\nplugin = \"service/test_almanac\"\n";
}

TEST(Calendar, GivesAServiceTheDaysOfItsTenant) {
    HostFolder folder;
    folder.copy_plugins();
    fs::create_directories(folder.plugins() / "service");
    fs::copy_file(fs::path(JACKFIELD_BINARY_DIR) / "test_plugins" / "service" / "test_almanac.so", folder.plugins() / "service" / "test_almanac.so");
    folder.write_tenant("york", tenant_in("America/New_York"));
    folder.write_tenant("reykjavik", tenant_in("Atlantic/Reykjavik"));
    folder.write_tenant("guest", tenant_in("Atlantic/Reykjavik") + "zone = \"America/New_York\"\n");
    folder.write_host();

    HostProcess host(folder);

    // The clocks of New York go forward in the second of the three days.
    EXPECT_TRUE(host.wait_log({"test_almanac.days", "york/almanac", "\"24 23 24\"", "\"0:1 1:2 2:1\""}, 20s)) << host.log();
    EXPECT_TRUE(host.wait_log({"test_almanac.days", "reykjavik/almanac", "\"24 24 24\"", "\"1:2 2:2\""}, 20s)) << host.log();
    EXPECT_TRUE(host.wait_log({"test_almanac.days", "guest/almanac", "\"24 23 24\"", "\"0:1 1:2 2:1\""}, 20s)) << "a zone that the service names: " << host.log();
    EXPECT_EQ(host.stop(20s), 0) << host.log();
}

}  // namespace
}  // namespace jackfield::test
