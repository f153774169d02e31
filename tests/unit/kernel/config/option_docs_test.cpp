#include "config/option_docs.hpp"

#include "config_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

using testing::HasSubstr;

OptionTable small() {
    return {{
        Option::table(
            "host",
            {{Option::whole("wait_ms", 50, "How long.").in("milliseconds").between(10, 100),
              Option::strings("roles", {"api"}, "What.").among({"api", "jobs"})}},
            "The host."),
        Option::tables("providers",
                       {{Option::string("plugin", "", "Id.").must_be_given()}, true},
                       "Providers."),
    }};
}

TEST(OptionDocs, TheSchemaSaysTypesBoundsAndDefaults) {
    const auto document = base::JsonDocument::parse(schema_json(small(), "Small"));

    ASSERT_TRUE(document.has_value()) << document.error().text();
    const base::JsonView wait = document->root()["properties"]["host"]["properties"]["wait_ms"];
    EXPECT_EQ(wait["type"].text_or(""), "integer");
    EXPECT_EQ(wait["minimum"].integer_or(0), 10);
    EXPECT_EQ(wait["maximum"].integer_or(0), 100);
    EXPECT_EQ(wait["default"].integer_or(0), 50);
    const base::JsonView provider =
        document->root()["properties"]["providers"]["additionalProperties"];
    EXPECT_EQ(provider["required"].at(0).text_or(""), "plugin");
    EXPECT_TRUE(provider["additionalProperties"].boolean_or(false));
    EXPECT_FALSE(document->root()["additionalProperties"].boolean_or(true));
}

TEST(OptionDocs, TheListingSaysWhatAnOptionDoes) {
    const std::string listing = toml_listing(small());

    EXPECT_THAT(listing,
                HasSubstr("[host]\n# How long. In milliseconds. 10 to 100.\nwait_ms = 50\n"));
    EXPECT_THAT(listing, HasSubstr("# What. Any of: api or jobs.\nroles = [\"api\"]\n"));
    EXPECT_THAT(listing,
                HasSubstr("# [providers.name]\n# Id. Must be given.\n# plugin = \"...\"\n"));
}

TEST(OptionDocs, TheListingLoadsAndMeansTheDefaults) {
    for (const OptionTable& table : {small(), host_option_table(), turn_option_table()}) {
        Problems of_listing;
        Problems of_nothing;

        const Value listed = check(table, toml(toml_listing(table)), of_listing);
        const Value defaults = check(table, toml(""), of_nothing);

        EXPECT_EQ(to_json(listed), to_json(defaults));
        EXPECT_TRUE(of_listing.empty());
    }
}

TEST(OptionDocs, LinesOfAListingFitTheirWidth) {
    std::istringstream listing(toml_listing(tenant_option_table()));
    for (std::string line; std::getline(listing, line);) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace jackfield::config
