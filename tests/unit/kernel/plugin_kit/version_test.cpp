#include <gtest/gtest.h>

#include "plugin_kit/package.hpp"

namespace jackfield::plugin_kit {
namespace {

TEST(Versions, AreOrderedAsPeopleCountThem) {
    const char* const ascending[] = {"0.9", "1.0-alpha", "1.0-alpha.1", "1.0-alpha.beta", "1.0-rc1", "1.0", "1.0.1", "1.9", "1.10", "2.0.0-1", "2.0.0-2", "2.0.0-10", "2", "18446744073709551616", "18446744073709551617"};
    for (std::size_t i = 0; i < std::size(ascending); ++i)
        for (std::size_t k = 0; k < std::size(ascending); ++k)
            EXPECT_EQ(i < k, compare_versions(ascending[i], ascending[k]) < 0) << ascending[i] << " and " << ascending[k];
}

TEST(Versions, AreEqualWhateverTheBuildAndMissingZeros) {
    EXPECT_EQ(compare_versions("1.2", "1.2.0"), 0);
    EXPECT_EQ(compare_versions("1.2.0+debian", "1.2.0+fedora"), 0);
    EXPECT_EQ(compare_versions("1.02", "1.2"), 0);
}

}  // namespace
}  // namespace jackfield::plugin_kit
