#include "config.hpp"
#include "conformance/tts/speech_bench.hpp"
#include "voice.hpp"

#include <cstdio>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace jackfield::tts_espeak_ng {
namespace {

using test::SpeechBench;
using test::Spoken;
using Options = SpeechBench::Options;

/// A program of this test's own, gone with it.
class Program {
  public:
    explicit Program(const std::string& script) {
        char name[] = "/tmp/jackfield_espeak_XXXXXX";
        const int fd = ::mkstemp(name);
        EXPECT_GE(fd, 0);
        ::close(fd);
        path_ = name;
        std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
        ::chmod(name, 0700);
    }
    ~Program() { std::remove(path_.c_str()); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// The real program when it is asked for the letter that start() tries, the script otherwise.
std::string after_start(const std::string& script) {
    return "text=$(cat); if [ \"$text\" = a ]; then printf a | espeak-ng \"$@\"; exit; fi; " +
           script;
}

TEST(EspeakNg, IsInstalled) {
    SpeechBench bench;
    ASSERT_EQ(bench.started(), JF_OK)
        << bench.failure() << "\nThese tests need it: apt-get install espeak-ng";
}

TEST(EspeakNg, SpeaksOtherLanguages) {
    SpeechBench bench;
    jf_tts_open german = bench.options();
    german.language = sdk::str("de");
    Spoken& spoken = bench.open(german);

    ASSERT_EQ(bench.text(spoken, "Guten Morgen, hier ist die Klinik f\xc3\xbcr Z\xc3\xa4hne."),
              JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    EXPECT_EQ(spoken.status, JF_OK) << spoken.error;
    EXPECT_GT(spoken.samples, 10'000u);
    EXPECT_GT(spoken.rms(), 300);
}

TEST(EspeakNg, SaysAtStartWhatIsMissing) {
    const SpeechBench program(Options{{"command", "no-such-espeak"}}),
        voice(Options{{"voice", "klingon-north"}});

    EXPECT_EQ(program.started(), JF_E_NOT_FOUND);
    EXPECT_NE(program.failure().find("no-such-espeak"), std::string::npos);
    EXPECT_NE(program.failure().find("apt-get install espeak-ng"), std::string::npos);
    EXPECT_EQ(voice.started(), JF_E_PEER_LOST);
    EXPECT_NE(voice.failure().find("voice does not exist"), std::string::npos) << voice.failure();
}

TEST(EspeakNg, FailsTheStreamWhenTheProgramHangs) {
    const Program hangs(after_start("exec sleep 600"));
    SpeechBench bench(Options{{"command", hangs.path()}, {"child_timeout_ms", "300"}});
    ASSERT_EQ(bench.started(), JF_OK) << bench.failure();
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, "Hello there."), JF_OK);
    ASSERT_TRUE(bench.wait_done(spoken));

    EXPECT_EQ(spoken.status, JF_E_TIMEOUT);
    EXPECT_NE(spoken.error.find("300 ms"), std::string::npos);
    EXPECT_EQ(spoken.samples, 0u);
    EXPECT_EQ(spoken.completions, 1);
}

TEST(EspeakNg, FreesThePoolThreadWhenAHangingPieceIsCancelled) {
    const Program hangs(after_start("exec sleep 600"));
    SpeechBench bench(Options{{"command", hangs.path()}, {"child_timeout_ms", "60000"}});
    Spoken& spoken = bench.open();

    ASSERT_EQ(bench.text(spoken, "Hello there."), JF_OK);
    ASSERT_EQ(bench.functions().cancel(bench.instance(), spoken.op), JF_OK);

    EXPECT_EQ(spoken.status, JF_E_CANCELLED);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(bench.wait_idle(0));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

TEST(EspeakNg, FailsTheStreamWhenTheProgramAnswersNonsense) {
    const Program garbage(after_start("echo usage: not audio at all")),
        silent(after_start("exit 0")), crashes(after_start("echo out of luck >&2; kill -SEGV $$"));
    const std::pair<const Program*, std::string_view> cases[] = {
        {&garbage, "no WAV stream"}, {&silent, "status 0"}, {&crashes, "signal 11: out of luck"}};
    for (const auto& [program, wanted] : cases) {
        SpeechBench bench(Options{{"command", program->path()}});
        Spoken& spoken = bench.open();
        ASSERT_EQ(bench.text(spoken, "Hello there."), JF_OK);
        ASSERT_TRUE(bench.wait_done(spoken));
        EXPECT_EQ(spoken.status, JF_E_PEER_LOST);
        EXPECT_NE(spoken.error.find(wanted), std::string::npos) << spoken.error;
    }
}

TEST(EspeakNg, TakesNoPathForAVoice) {
    const Config config;
    EXPECT_EQ(config.voice_for("", ""), "en-us");
    EXPECT_EQ(config.voice_for("", "en_GB"), "en-gb");
    EXPECT_EQ(config.voice_for("de+f3", "en"), "de+f3");
    for (const std::string_view name : {"../../etc/passwd", "-f", "a b", "a/b", "--help"})
        EXPECT_THROW(config.voice_for(name, ""), sdk::Failure) << name;
}

TEST(EspeakNg, ReadsOnlyWellFormedText) {
    EXPECT_EQ(plain_text("Z\xc3\xa4hne \xff\xc3 a\x01"
                         "b\x7f\xf0\x9f\x98\x80"),
              "Z\xc3\xa4hne    a b \xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace jackfield::tts_espeak_ng
