#include "observe/log.hpp"

#include "base/json.hpp"

#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jackfield::observe {
namespace {

class FixedClock final : public base::Clock {
  public:
    base::MonoTime now() const override { return {0}; }
    // 2024-02-29T12:34:56.789Z
    base::UtcTime utc_now() const override { return {1'709'210'096'789'000}; }
};

const FixedClock fixed_clock;

/// A synchronous log into a list.
struct Captured {
    std::vector<std::string> lines;
    std::shared_ptr<Log> log;

    explicit Captured(LogLevel level = LogLevel::info)
        : log(std::make_shared<Log>(
              LogOptions{.level = level,
                         .asynchronous = false,
                         .write = [this](std::string_view line) { lines.emplace_back(line); },
                         .clock = &fixed_clock})) {}
};

TEST(Logger, WritesOneJsonLinePerEvent) {
    Captured captured;
    const Logger log(captured.log);

    log.info("call.started",
             {{"agent", "desk"},
              {"attempt", 2},
              {"bytes", std::uint64_t{18446744073709551615u}},
              {"ratio", 0.5},
              {"again", true}});

    ASSERT_EQ(captured.lines.size(), 1u);
    EXPECT_EQ(
        captured.lines[0],
        "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"info\",\"event\":\"call.started\","
        "\"agent\":\"desk\",\"attempt\":2,\"bytes\":18446744073709551615,\"ratio\":0.5,"
        "\"again\":true}\n");
}

TEST(Logger, BoundFieldsGoWithEveryEvent) {
    Captured captured;
    const Logger log = Logger(captured.log).with({{"tenant", "acme"}});
    const Logger of_call = log.with({{"call_id", "01J"}});

    of_call.warn("stt.reconnect", {{"attempt", 1}});
    log.info("tenant.loaded");

    EXPECT_THAT(captured.lines[0],
                testing::HasSubstr(
                    R"("event":"stt.reconnect","tenant":"acme","call_id":"01J","attempt":1})"));
    EXPECT_THAT(captured.lines[1],
                testing::HasSubstr(R"("event":"tenant.loaded","tenant":"acme"})"));
}

TEST(Logger, LeavesOutWhatIsBelowItsLevel) {
    Captured captured(LogLevel::warn);
    const Logger log(captured.log);

    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    captured.log->set_level(LogLevel::debug);
    log.debug("e");

    EXPECT_EQ(captured.lines.size(), 3u);
    EXPECT_TRUE(log.wants(LogLevel::debug));
}

TEST(Logger, ADefaultOneLogsNothing) {
    const Logger log;

    log.error("nobody.hears");

    EXPECT_FALSE(log.wants(LogLevel::error));
    EXPECT_FALSE(log.with({{"a", 1}}).wants(LogLevel::error));
}

TEST(Logger, EscapesWhatATerminalWouldObey) {
    Captured captured;

    // ESC, DEL, C1 CSI, a line break, and a byte that is no UTF-8.
    Logger(captured.log).info("x", {{"said", "a\x1b[2J\x7f\xc2\x9b\nz\xff"}});

    EXPECT_THAT(captured.lines[0],
                testing::HasSubstr("\"a\\u001b[2J\\u007f\\u009b\\nz\xef\xbf\xbd\""));
    EXPECT_TRUE(base::JsonDocument::parse(captured.lines[0]).has_value());
}

TEST(Logger, HidesSecretsInFieldsAndBoundFields) {
    Captured captured;
    captured.log->secrets().add("hunter2\"secret");
    const Logger log = Logger(captured.log).with({{"bound", "hunter2\"secret"}});

    log.error("x", {{"url", "https://a/?key=hunter2\"secret&b"}});

    EXPECT_THAT(captured.lines[0],
                testing::HasSubstr(R"("bound":"***","url":"https://a/?key=***&b")"));
}

TEST(Log, WritesInOrderFromItsThread) {
    std::vector<std::string> lines;
    {
        auto log = std::make_shared<Log>(
            LogOptions{.write = [&](std::string_view line) { lines.emplace_back(line); }});
        const Logger logger(log);
        for (int i = 0; i < 1000; ++i) logger.info("n", {{"i", i}});
    }
    ASSERT_EQ(lines.size(), 1000u);
    EXPECT_THAT(lines[0], testing::HasSubstr("\"i\":0}"));
    EXPECT_THAT(lines[999], testing::HasSubstr("\"i\":999}"));
}

TEST(Log, FlushWaitsForWhatWasLogged) {
    std::mutex mutex;
    std::size_t written = 0;
    auto log = std::make_shared<Log>(LogOptions{.write = [&](std::string_view) {
        const std::lock_guard lock(mutex);
        ++written;
    }});
    const Logger logger(log);
    for (int i = 0; i < 100; ++i) logger.info("n");

    log->flush();

    const std::lock_guard lock(mutex);
    EXPECT_EQ(written, 100u);
}

TEST(Log, ASlowDiskCostsLinesAndNeverTime) {
    std::promise<void> entered;
    std::promise<void> disk_is_back;
    bool first = true;
    std::vector<std::string> lines;
    auto log =
        std::make_shared<Log>(LogOptions{.queue_lines = 10, .write = [&](std::string_view line) {
                                             if (std::exchange(first, false)) {
                                                 entered.set_value();
                                                 disk_is_back.get_future().wait();
                                             }
                                             lines.emplace_back(line);
                                         }});
    const Logger logger(log);
    logger.info("first");
    entered.get_future().wait();

    // The writer hangs in the first line: ten wait, the others are dropped, and this loop ends.
    for (int i = 0; i < 50; ++i) logger.info("n", {{"i", i}});
    EXPECT_EQ(log->dropped(), 40u);
    disk_is_back.set_value();
    log->flush();

    ASSERT_EQ(lines.size(), 12u);
    EXPECT_THAT(lines,
                testing::Contains(testing::HasSubstr(R"("event":"log.dropped","lines":40})")));
}

TEST(Log, TakesLinesFromManyThreads) {
    std::size_t whole = 0;
    {
        auto log = std::make_shared<Log>(LogOptions{
            .queue_lines = 100'000,
            .write = [&](std::string_view line) { whole += line.ends_with("}\n") ? 1u : 0u; }});
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([logger = Logger(log).with({{"thread", t}})] {
                for (int i = 0; i < 2000; ++i) logger.info("n", {{"i", i}});
            });
        for (std::thread& thread : threads) thread.join();
    }
    EXPECT_EQ(whole, 8000u);
}

TEST(LogLevel, WordsGoBothWays) {
    for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error})
        EXPECT_EQ(parse_log_level(to_string(level)), level);
    EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace jackfield::observe
