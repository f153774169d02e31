// The built plugin in the SDK's test host: plugin_test build/plugins/tools/example.so

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
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]), {{"most_votes", "2"}});
        check(plugin.start() == JF_OK, "it starts");
        const auto* tools = plugin.interface<jf_tools_v1>(JF_TOOLS_V1);
        const auto* list = plugin.begin(tools->list).last().as<jf_tool_list>();
        check(list && list->tools.n == 2, "it offers two functions");

        auto ask = [&](const char* function, const char* json, const char* key = "") -> sdk::TestOp& {
            jf_tool_request request = sdk::make<jf_tool_request>();
            request.name = sdk::str(function);
            request.arguments = sdk::str(json);
            request.idempotency_key = sdk::str(key);
            request.now_local = sdk::str("2026-11-20T09:30:00-05:00");
            return plugin.begin(tools->call, &request);
        };
        check(ask("days_until", R"({"date": "2026-12-25"})").last().text() == R"({"days":35})", "it counts days");
        ask("vote", R"({"choice": "tea"})", "key1");
        check(ask("vote", R"({"choice": "tea"})", "key1").last().text() == R"({"choice":"tea","votes":1})", "one key is one vote");
        check(ask("nothing", "{}").accepted() == JF_E_NOT_FOUND, "it refuses what it does not offer");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
