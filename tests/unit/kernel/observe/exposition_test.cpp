#include "observe/exposition.hpp"

#include <string>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::observe {
namespace {

std::string get(int port, const std::string& path) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
        static_cast<void>(::send(fd, request.data(), request.size(), MSG_NOSIGNAL));
        char buffer[4096];
        for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
            answer.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
    return answer;
}

TEST(Exposition, WritesThePrometheusTextFormat) {
    Metrics metrics(2);
    metrics.counter("jackfield_call_started_total", "Calls that began.", {{"tenant", "a\"b\\c\nd"}})
        .add(3);
    metrics.gauge("jackfield_call_live", "Live calls.").set(2);
    metrics.histogram("jackfield_call_reply_seconds", "Replies.", {}, {0.5, 1.0}).observe(0.75);

    const std::string text = scrape(metrics);

    using testing::HasSubstr;
    EXPECT_THAT(text, HasSubstr("# HELP jackfield_call_started_total Calls that began.\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE jackfield_call_started_total counter\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_started_total{tenant=\"a\\\"b\\\\c\\nd\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_live 2\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_reply_seconds_bucket{le=\"0.5\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_reply_seconds_bucket{le=\"1\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_reply_seconds_bucket{le=\"+Inf\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("jackfield_call_reply_seconds_count 1\n"));
}

TEST(MetricsServer, AnswersAScrapeOverHttp) {
    Metrics metrics(1);
    const Counter counter = metrics.counter("jackfield_test_hits_total", "Hits.");
    auto server = MetricsServer::create("127.0.0.1:0", metrics);
    ASSERT_TRUE(server.has_value()) << server.error().text();

    counter.add(7);
    const std::string answer = get((*server)->port(), "/metrics");

    EXPECT_THAT(answer, testing::HasSubstr("200 OK"));
    EXPECT_THAT(answer, testing::HasSubstr("jackfield_test_hits_total 7\n"));
}

TEST(MetricsServer, AnAddressInUseIsAnErrorThatNamesIt) {
    Metrics metrics(1);
    auto first = MetricsServer::create("127.0.0.1:0", metrics);
    ASSERT_TRUE(first.has_value());

    const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
    const auto second = MetricsServer::create(taken, metrics);

    ASSERT_FALSE(second.has_value());
    EXPECT_THAT(second.error().text(), testing::HasSubstr(taken));
}

}  // namespace
}  // namespace jackfield::observe
