// The example exporter through its table, on the SDK's test host.

#include <gtest/gtest.h>
#include <jackfield/sdk/test_host.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace jackfield::telemetry_example {
namespace {

namespace fs = std::filesystem;

class Exporter : public testing::Test {
  protected:
    ~Exporter() override {
        plugin_.close();
        for (const std::string& breach : host_.breaches()) ADD_FAILURE() << breach;
    }

    static fs::path fresh_file() {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        const fs::path folder = fs::path(testing::TempDir()) / (std::string("jf_telemetry_example_") + test->name() + "_" + std::to_string(::getpid()));
        fs::remove_all(folder);
        return folder / "traces.jsonl";
    }
    static jf_span span(std::uint8_t id, std::string_view name) {
        jf_span out = sdk::make<jf_span>();
        out.trace_id[0] = 0xab;
        out.span_id[7] = id;
        out.name = sdk::str(name);
        out.start_us = 1000;
        out.end_us = 2000;
        return out;
    }
    sdk::TestOp& send(const std::vector<jf_span>& spans, const jf_generation* generation = nullptr, const jf_score* score = nullptr) {
        jf_telemetry_batch batch = sdk::make<jf_telemetry_batch>();
        batch.environment = sdk::str("test");
        batch.spans = sdk::array(spans);
        if (generation) batch.generations = sdk::array(generation, 1);
        if (score) batch.scores = sdk::array(score, 1);
        return plugin_.begin(telemetry_->send, &batch);
    }
    std::string written() const {
        std::ifstream in(file_);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    const fs::path file_ = fresh_file();
    sdk::TestHost host_;
    sdk::TestInstance plugin_{host_, jf_module_entry_v1(), {{"file", file_.string()}, {"max_mb", "1"}}};
    const jf_telemetry_v1* telemetry_ = plugin_.interface<jf_telemetry_v1>(JF_TELEMETRY_V1);
};

TEST_F(Exporter, WritesALineForEachItem) {
    ASSERT_EQ(plugin_.start(), JF_OK);
    const jf_pair attribute{sdk::str("cause"), sdk::str("a \"busy\" line")};
    jf_span call = span(1, "call");
    call.attributes = sdk::array(&attribute, 1);
    jf_span answer = span(2, "generate");
    answer.parent_id[7] = 1;
    answer.status = JF_SPAN_ERROR;
    jf_generation generation = sdk::make<jf_generation>();
    generation.span = &answer;
    generation.provider = sdk::str("brain");
    generation.output = sdk::str(R"({"text":"hi"})");
    generation.tokens_out = 7;
    generation.cost = -1;
    jf_score score = sdk::make<jf_score>();
    score.id = sdk::str("s1");
    score.name = sdk::str("friendly");
    score.value = 0.5;

    sdk::TestOp& op = send({call}, &generation, &score);

    ASSERT_EQ(op.status(), JF_OK);
    EXPECT_EQ(op.last().as<jf_telemetry_done>()->accepted, 3u);
    EXPECT_EQ(written(),
              R"({"type":"span","environment":"test","trace":"ab000000000000000000000000000000","span":"0000000000000001","name":"call","start_us":1000,"end_us":2000,"status":"ok","attributes":{"cause":"a \"busy\" line"}})"
              "\n"
              R"({"type":"generation","environment":"test","trace":"ab000000000000000000000000000000","span":"0000000000000002","parent":"0000000000000001","name":"generate","start_us":1000,"end_us":2000,"status":"error","session":"","provider":"brain","model":"","output":{"text":"hi"},"tokens_in":0,"tokens_out":7,"tokens_cached":0,"first_token_us":0})"
              "\n"
              R"({"type":"score","environment":"test","trace":"00000000000000000000000000000000","span":"0000000000000000","id":"s1","name":"friendly","value":0.500000,"label":"","comment":""})"
              "\n");
}

TEST_F(Exporter, TakesABatchWhollyOrNotAtAll) {
    ASSERT_EQ(plugin_.start(), JF_OK);
    fs::remove_all(file_.parent_path());

    EXPECT_EQ(send({span(1, "call")}).status(), JF_E_QUOTA);
    EXPECT_EQ(send({}).status(), JF_E_INVALID);
    host_.refuse_work(1);
    EXPECT_EQ(send({span(1, "call")}).status(), JF_E_AGAIN);
}

TEST_F(Exporter, DoesNotStartWhereItCannotWrite) {
    fs::create_directories(file_);

    EXPECT_EQ(plugin_.start(), JF_E_STATE);
}

TEST_F(Exporter, SetsALargeFileAside) {
    fs::create_directories(file_.parent_path());
    std::ofstream(file_) << std::string((1 << 20) + 1, 'x');
    ASSERT_EQ(plugin_.start(), JF_OK);

    ASSERT_EQ(send({span(1, "call")}).status(), JF_OK);

    EXPECT_EQ(fs::file_size(file_.string() + ".1"), (1u << 20) + 1);
    EXPECT_TRUE(written().starts_with("{\"type\":\"span\""));
    fs::remove_all(file_.parent_path());
}

}  // namespace
}  // namespace jackfield::telemetry_example
