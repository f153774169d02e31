#include "config/problem.hpp"

#include <gtest/gtest.h>

namespace jackfield::config {
namespace {

TEST(Problem, ReadsAsFileLineColumnKeyWhatRemedy) {
    const Problem problem{"a.toml", 3, 7, "host.shards", "too many", "choose fewer"};

    EXPECT_EQ(to_text(problem), "a.toml:3:7: host.shards: too many; choose fewer");
    EXPECT_EQ(to_text(Problem{"a.toml", 0, 0, "", "there is no file", ""}),
              "a.toml: there is no file");
}

TEST(Problem, GoesIntoJson) {
    const Problem problem{"a.toml", 3, 7, "k", "a \"b\"", "c"};

    EXPECT_EQ(to_json(Problems{problem}),
              R"([{"file":"a.toml","line":3,"column":7,"key":"k","what":"a \"b\"","remedy":"c"}])");
}

TEST(Problems, AreSortedAndSaidOnce) {
    Problems problems{{"b", 1, 1, "k", "w", "r"},
                      {"a", 10, 1, "k", "w", "r"},
                      {"a", 9, 1, "k", "w", "r"},
                      {"a", 9, 1, "k", "w", "r"}};

    sort_problems(problems);

    ASSERT_EQ(problems.size(), 3u);
    EXPECT_EQ(problems[0].line, 9);
    EXPECT_EQ(problems[1].line, 10);
    EXPECT_EQ(problems[2].file, "b");
}

TEST(Nearest, FindsSlipsOfOneOrTwoKeys) {
    const std::vector<std::string> words{"endpoint_ms", "greeting", "stt", "tts"};

    EXPECT_EQ(nearest("endpont_ms", words), "endpoint_ms");
    EXPECT_EQ(nearest("greetign", words), "greeting");
    EXPECT_EQ(nearest("st", words), "stt");
    EXPECT_EQ(nearest("prompt", words), "");
    EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

TEST(OneOf, ReadsAsASentence) {
    EXPECT_EQ(one_of_text({"a"}), "a");
    EXPECT_EQ(one_of_text({"a", "b"}), "a or b");
    EXPECT_EQ(one_of_text({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace jackfield::config
