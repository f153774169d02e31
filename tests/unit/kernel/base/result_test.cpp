#include "base/result.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace jackfield::base {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) return Error(ErrorCode::invalid, "odd");
    return n / 2;
}

Result<> check(bool good) {
    if (!good) return Error(ErrorCode::state, "bad");
    return Result<>();
}

Result<std::unique_ptr<int>> make(bool good) {
    if (!good) return Error(ErrorCode::quota, "no more");
    return std::make_unique<int>(3);
}

TEST(Result, HoldsAValueOrAnError) {
    ASSERT_TRUE(half(4).has_value());
    EXPECT_EQ(*half(4), 2);
    ASSERT_FALSE(half(3).has_value());
    EXPECT_EQ(half(3).error().code(), ErrorCode::invalid);
    EXPECT_EQ(half(3).error().text(), "odd");
}

TEST(Result, OfNothingSucceedsOrFails) {
    EXPECT_TRUE(check(true).has_value());
    EXPECT_EQ(check(false).error().code(), ErrorCode::state);
}

TEST(Result, CarriesWhatCannotBeCopied) {
    Result<std::unique_ptr<int>> made = make(true);

    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(**made, 3);
    EXPECT_FALSE(make(false).has_value());
}

TEST(ResultDeathTest, ReadingTheValueOfAFailureAbortsAndSaysWhy) {
    EXPECT_DEATH(static_cast<void>(half(3).value()), "value\\(\\) of a failed Result \\(odd\\)");
}

TEST(Error, GathersWhatEachLayerWasDoing) {
    const Error error = Error(ErrorCode::peer_lost, "connection refused", RetryClass::now)
                            .with_context("open stream")
                            .with_context("call");

    EXPECT_EQ(error.text(), "call: open stream: connection refused");
    EXPECT_EQ(error.code(), ErrorCode::peer_lost);
    EXPECT_EQ(error.retry(), RetryClass::now);
}

TEST(Error, KeepsTheVendorsCodeAndTheDelay) {
    const Error error = Error(ErrorCode::rate, "slow down")
                            .with_vendor_code(429)
                            .with_retry(RetryClass::after_ms, 250);

    EXPECT_EQ(error.vendor_code(), 429);
    EXPECT_EQ(error.retry(), RetryClass::after_ms);
    EXPECT_EQ(error.retry_after_ms(), 250u);
}

TEST(Error, EachCodeHasItsOwnWord) {
    for (int code = -14; code <= -1; ++code)
        EXPECT_NE(to_string(static_cast<ErrorCode>(code)), "unknown") << code;
    EXPECT_EQ(to_string(ErrorCode::peer_lost), "peer_lost");
    EXPECT_EQ(to_string(static_cast<ErrorCode>(-99)), "unknown");
}

}  // namespace
}  // namespace jackfield::base
