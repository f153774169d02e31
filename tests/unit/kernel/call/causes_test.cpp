#include "call/causes.hpp"

#include <gtest/gtest.h>

namespace jackfield::call {
namespace {

jf_call_end ended(std::uint32_t cause, std::string_view text) {
    jf_call_end end{};
    end.struct_size = sizeof end;
    end.cause = cause;
    end.text = {text.data(), text.size()};
    return end;
}

TEST(Causes, TakeTheCarriersWordsForAReason) {
    const jf_call_end busy = ended(JF_CAUSE_BUSY, "user busy");

    EXPECT_EQ(reason_of(&busy), "user busy");
}

TEST(Causes, NeedNoReasonForTheUsualEnd) {
    const jf_call_end usual = ended(JF_CAUSE_NORMAL, "the far end hung up");

    EXPECT_EQ(reason_of(&usual), "");
    EXPECT_EQ(reason_of(nullptr), "");
}

TEST(Causes, BoundAReasonAndKeepItText) {
    const jf_call_end broken = ended(JF_CAUSE_REJECTED, "no \xff way");
    const std::string much(100000, 'x');
    const jf_call_end long_one = ended(JF_CAUSE_REJECTED, much);

    EXPECT_EQ(reason_of(&broken), "no \xef\xbf\xbd way");
    EXPECT_EQ(reason_of(&long_one).size(), 200U);
}

}  // namespace
}  // namespace jackfield::call
