// A host's and a tenant's file from hostile bytes: TOML, references, option tables and a plugin's
// schema.

#include "base/assert.hpp"
#include "config/host_config.hpp"
#include "config/host_reader.hpp"
#include "config/plugin_schema.hpp"
#include "config/toml.hpp"

#include <cstdint>
#include <string>
#include <string_view>

using namespace jackfield::config;

namespace {

constexpr const char* schema = R"({"type":"object","properties":{
    "host":{"type":"object","properties":{"shards":{"type":"integer","minimum":0,"maximum":9,"default":1},
        "storage":{"type":"string","pattern":"^[a-z]+:","maxLength":64}},"required":["storage"]},
    "tenant":{"type":"object"}, "list":{"type":"array","items":{"type":"number"}}}})";

Environment environment() {
    Environment out = Environment::with({{"A", "12"}, {"B", "text"}, {"EMPTY", ""}});
    out.read_file = [](const std::filesystem::path& path) -> jackfield::base::Result<std::string> {
        if (path.filename() == "key") return std::string("from file\n");
        return jackfield::base::Error(jackfield::base::ErrorCode::not_found,
                                      "there is no file " + path.string());
    };
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Environment with = environment();
    const std::string_view text(reinterpret_cast<const char*>(data), size);

    const Outcome<Value> loaded = parse_toml(text, "fuzz.toml", with);
    Problems problems = loaded.problems;
    const Value host = check(host_option_table(), loaded.value, problems);
    HostConfig config = read_host(host, "fuzz.toml", problems);
    const Value tenant = check(tenant_option_table(), loaded.value, problems);
    config.tenants.push_back(read_tenant(tenant, "fuzz.toml", problems));
    check_references(config, host, problems);
    const Outcome<Value> checked = check_schema(schema, loaded.value);
    problems.insert(problems.end(), checked.problems.begin(), checked.problems.end());
    sort_problems(problems);

    for (const Problem& problem : problems)
        JF_ASSERT(!problem.what.empty(), "every problem says what is wrong");
    JF_ASSERT(jackfield::base::JsonDocument::parse(to_json(problems)).has_value(),
              "problems are JSON");
    static_cast<void>(flatten(checked.value));
    static_cast<void>(dump_json(loaded.value));
    return 0;
}
