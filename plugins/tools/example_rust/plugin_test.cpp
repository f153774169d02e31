// The built plugin in the SDK's test host: plugin_test build/plugins/tools/example_rust.so

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
        sdk::TestInstance plugin(host, sdk::load_module(arguments[1]), {{"currency", "USD"}});
        check(plugin.start() == JF_OK, "it starts");
        const auto* tools = plugin.interface<jf_tools_v1>(JF_TOOLS_V1);

        const auto* list = plugin.begin(tools->list).last().as<jf_tool_list>();
        check(list && list->tools.n == 2, "it offers two functions");

        auto ask = [&](const char* function, const char* json) -> sdk::TestOp& {
            jf_tool_request request = sdk::make<jf_tool_request>();
            request.name = sdk::str(function);
            request.arguments = sdk::str(json);
            return plugin.begin(tools->call, &request);
        };
        const sdk::TestOp& answer = ask("split_bill", R"({"total_cents": 1000, "people": 3})");
        check(answer.last().text() == R"({"each_cents":333,"left_over_cents":1,"currency":"USD"})", "it divides a bill");
        check(ask("currency", "{}").last().text() == R"({"currency":"USD"})", "it says what it is paid in");
        check(ask("nothing", "{}").accepted() == JF_E_NOT_FOUND, "it refuses what it does not offer");
        check(ask("split_bill", "nonsense").accepted() == JF_E_INVALID, "it refuses what is no number");

        // The host keeps such arguments away; here the plugin's own code panics on them, and the panic goes no further.
        const sdk::TestOp& panicked = ask("split_bill", R"({"total_cents": 1000, "people": 0})");
        check(panicked.accepted() == JF_E_INTERNAL, "a panic is an error to the host");
        check(panicked.error().find("divide by zero") != std::string::npos, "... that says what happened: " + panicked.error());
        check(ask("split_bill", R"({"total_cents": 4, "people": 2})").status() == JF_OK, "it serves on after a panic");
    }
    for (const std::string& breach : host.breaches()) check(false, breach);
    return failures == 0 ? 0 : 1;
}
