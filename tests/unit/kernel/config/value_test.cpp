#include "config/value.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Value, FlattensToDottedKeysAndPlainText) {
    const Value value = toml(R"(
        listen = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
        size = -12
        ratio = 0.25
        large = 1e21
        on = true
        none = []
        [pool]
        name = "a b"
        inner = { x = 1 }
    )");

    EXPECT_THAT(flatten(value),
                ElementsAre(Pair("listen.0", "udp:0.0.0.0:5060"),
                            Pair("listen.1", "tcp:0.0.0.0:5060"),
                            Pair("size", "-12"),
                            Pair("ratio", "0.25"),
                            Pair("large", "1000000000000000000000"),
                            Pair("on", "true"),
                            Pair("pool.name", "a b"),
                            Pair("pool.inner.x", "1")));
}

TEST(Value, GoesIntoJsonInTheOrderOfTheFile) {
    const Value value = toml("z = 1\na = [true, 0.5, 'x\"y']\nm = {}\n");

    EXPECT_EQ(to_json(value), R"({"z":1,"a":[true,0.5,"x\"y"],"m":{}})");
}

TEST(Value, HidesSecretsInADumpAndKeepsThemForThePlugin) {
    const Outcome<Value> loaded = parse_toml("key = 'Bearer ${env:TOKEN}'\nplain = 'x'\n",
                                             "t.toml",
                                             Environment::with({{"TOKEN", "s3cret"}}));

    EXPECT_EQ(to_json(loaded.value), R"({"key":"Bearer s3cret","plain":"x"})");
    EXPECT_EQ(dump_json(loaded.value), R"({"key":"***","plain":"x"})");
    EXPECT_THAT(secrets_in(loaded.value), ElementsAre("s3cret"));
    EXPECT_TRUE(loaded.value["key"].secret_source());
    EXPECT_EQ(describe(loaded.value["key"]), "'***' is a string");
}

TEST(Value, ReadsAsEmptyWhatIsOfAnotherType) {
    const Value value("text");

    EXPECT_EQ(value.integer(), 0);
    EXPECT_FALSE(value.boolean());
    EXPECT_TRUE(value.array().empty());
    EXPECT_TRUE(value["x"]["y"].is_null());
    EXPECT_EQ(Value(std::int64_t{3}).number(), 3.0);
}

TEST(Value, ComesFromJson) {
    const auto document = base::JsonDocument::parse(R"({"a":[1,2.5,"x",true,null],"b":{"c":-1}})");

    const Value value = from_json(document->root(), {}, "opts");

    EXPECT_EQ(to_json(value), R"({"a":[1,2.5,"x",true,null],"b":{"c":-1}})");
    EXPECT_EQ(value["b"]["c"].path, "opts.b.c");
    EXPECT_EQ(value["a"].array().at(2).path, "opts.a.2");
}

TEST(Value, IsDescribedInASentence) {
    EXPECT_EQ(describe(Value("abc")), "'abc' is a string");
    EXPECT_EQ(describe(Value(std::int64_t{5})), "5 is a whole number");
    EXPECT_EQ(describe(Value(1.5)), "1.5 is a number with a point");
    EXPECT_EQ(describe(Value(true)), "true is a boolean");
    EXPECT_EQ(describe(Value(Value::Array())), "this is a list");
    EXPECT_EQ(describe(Value()), "nothing is given");
}

}  // namespace
}  // namespace jackfield::config
