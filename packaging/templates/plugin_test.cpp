// The built plugin in the SDK's test host: plugin_test @FILE@
// docs/plugins/testing.md of Jackfield shows how to go on from here: ops, time, a scripted network, hosts in trouble.

#include <jackfield/sdk/test_host.hpp>

#include <cstdio>
#include <string>

namespace sdk = jackfield::sdk;

static int failures = 0;

static void check(bool right, const std::string& what) {
    std::printf("%s %s\n", right ? "ok    " : "FAILED", what.c_str());
    failures += !right;
}

int main(int, char** arguments) {
    sdk::TestHost host;
    {
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]), @OPTIONS@);
        check(plugin.start() == JF_OK, "it starts");
        for (const char* id : {@PROVIDES@}) check(plugin.interface<void>(id) != nullptr, std::string("it has ") + id);
        check(plugin.interface<void>("jf.nothing/1") == nullptr, "it has no interface that it does not know");
        check(plugin.quiesce(), "it comes to rest");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
