#include "call/trace_log.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace jackfield::call {
namespace {

constexpr base::MonoTime at(std::int64_t ms) { return {ms * 1'000'000}; }

TraceEntry message(std::int64_t ms, std::string text) {
    TraceEntry entry;
    entry.at = at(ms);
    entry.kind = TraceEntry::Kind::signalling;
    entry.transport = "udp";
    entry.local = "192.0.2.1:5060";
    entry.remote = "192.0.2.9:5060";
    entry.text = std::move(text);
    return entry;
}

TEST(TraceLog, TellsMessagesAndOpsInTheirOrder) {
    TraceLog log;
    log.begin(at(1000), {77});
    log.add(message(999, "INVITE sip:100@192.0.2.1 SIP/2.0\r\n\r\n"));
    TraceEntry op;
    op.at = at(1250);
    op.kind = TraceEntry::Kind::op_done;
    op.name = "stt";
    op.remote = "ears";
    op.status = -6;
    op.text = "too slow";
    log.add(op);

    const auto json = base::JsonDocument::parse(log.json());

    ASSERT_TRUE(json);
    EXPECT_EQ(json->root()["started_us"].integer_or(0), 77);
    const base::JsonView first = json->root()["entries"].at(0);
    EXPECT_EQ(first["at_us"].integer_or(0), -1000);
    EXPECT_EQ(first["kind"].text_or(""), "sip");
    EXPECT_FALSE(first["out"].boolean_or(true));
    EXPECT_EQ(first["text"].text_or(""), "INVITE sip:100@192.0.2.1 SIP/2.0\r\n\r\n");
    const base::JsonView second = json->root()["entries"].at(1);
    EXPECT_EQ(second["kind"].text_or(""), "done");
    EXPECT_EQ(second["provider"].text_or(""), "ears");
    EXPECT_EQ(second["status"].integer_or(0), -6);
}

TEST(TraceLog, StaysWithinItsBytesAndKeepsBothEnds) {
    TraceLog log;
    log.begin(at(0), {0});

    for (int i = 0; i < 1000; ++i) log.add(message(i, std::to_string(i) + std::string(700, 'x')));

    const std::string text = log.json();
    EXPECT_LT(text.size(), TraceLog::most_bytes + 8192);
    EXPECT_GT(log.left_out(), 900u);
    const auto json = base::JsonDocument::parse(text);
    ASSERT_TRUE(json);
    const base::JsonView entries = json->root()["entries"];
    EXPECT_TRUE(entries.at(0)["text"].text_or("").starts_with("0x"));
    EXPECT_TRUE(entries.at(entries.size() - 1)["text"].text_or("").starts_with("999x"));
    std::int64_t left_out = 0;
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries.at(i)["kind"].text_or("") == "left_out") left_out = entries.at(i)["number"].integer_or(0);
    EXPECT_EQ(left_out + static_cast<std::int64_t>(entries.size()) - 1, 1000);
}

}  // namespace
}  // namespace jackfield::call
