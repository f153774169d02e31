// The built plugin in the SDK's test host: plugin_test build/plugins/tools/example_c.so

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
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]), {{"minutes_each", "5"}});
        check(plugin.start() == JF_OK, "it starts");
        const auto* tools = plugin.interface<jf_tools_v1>(JF_TOOLS_V1);

        const auto* list = plugin.begin(tools->list).last().as<jf_tool_list>();
        check(list && list->tools.n == 1, "it offers one function");

        auto ask = [&](const char* function, const char* json) -> sdk::TestOp& {
            jf_tool_request request = sdk::make<jf_tool_request>();
            request.name = sdk::str(function);
            request.arguments = sdk::str(json);
            return plugin.begin(tools->call, &request);
        };
        check(ask("waiting_time", R"({"ahead": 3})").last().text() == R"({"minutes":15})", "it reckons the time");
        check(ask("nothing", "{}").accepted() == JF_E_NOT_FOUND, "it refuses what it does not offer");
        check(ask("waiting_time", R"({"ahead": "many"})").accepted() == JF_E_INVALID, "it refuses what is no number");
        check(plugin.quiesce() && ask("waiting_time", R"({"ahead": 3})").accepted() == JF_E_STATE, "a quiescing instance takes no more calls");
        check(plugin.start() == JF_OK && !ask("waiting_time", R"({"ahead": 3})").last().text().empty(), "... until it is started again");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
