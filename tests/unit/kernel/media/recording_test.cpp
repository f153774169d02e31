#include "media/recording.hpp"

#include "media/wav.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jackfield::media {
namespace {

namespace fs = std::filesystem;

class RecordingTest : public ::testing::Test {
  protected:
    RecordingTest() {
        std::string pattern = (fs::temp_directory_path() / "jackfield-recording-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~RecordingTest() override { fs::remove_all(folder_); }

    std::string path(const std::string& name = "call.wav") const {
        return (folder_ / name).string();
    }
    RecordingDone keep_report() {
        return [this](const RecordingReport& report) { report_ = report; };
    }

    fs::path folder_;
    std::optional<RecordingReport> report_;
};

std::vector<std::uint8_t> packet(int seed) {
    std::vector<std::uint8_t> codes(160);
    for (std::size_t i = 0; i < codes.size(); ++i)
        codes[i] = static_cast<std::uint8_t>(seed * 31 + static_cast<int>(i));
    return codes;
}

/// A disk with room for so many bytes; what does not fit is refused whole.
class SmallDisk final : public RecordingStorage {
  public:
    std::uint64_t room = 0;
    bool committed = false;
    std::vector<std::uint8_t> bytes;

    base::Result<std::unique_ptr<RecordingFile>> create(const std::string&) override {
        return std::unique_ptr<RecordingFile>(std::make_unique<File>(*this));
    }

  private:
    class File final : public RecordingFile {
      public:
        explicit File(SmallDisk& disk) : disk_(disk) {}
        base::Result<> write_at(std::uint64_t offset,
                                std::span<const std::uint8_t> bytes) override {
            const std::uint64_t end = offset + bytes.size();
            if (end > disk_.room) return base::Error(base::ErrorCode::internal, "no space left");
            if (disk_.bytes.size() < end) disk_.bytes.resize(end);
            std::copy(bytes.begin(),
                      bytes.end(),
                      disk_.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
            return {};
        }
        base::Result<> commit() override {
            disk_.committed = true;
            return {};
        }

      private:
        SmallDisk& disk_;
    };
};

TEST_F(RecordingTest, KeepsEveryByteOfBothSides) {
    for (const G711Law law : {G711Law::mu, G711Law::a}) {
        RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
        const std::string file = path(law == G711Law::mu ? "mu.wav" : "a.wav");
        auto recording = writer.open(file, {.law = law}, keep_report());
        std::vector<std::uint8_t> caller;
        std::vector<std::uint8_t> agent;
        for (int i = 0; i < 200; ++i) {
            const auto left = packet(i);
            const auto right = packet(1000 + i);
            EXPECT_TRUE(recording->write(RecordingSide::caller, 160 * i, left));
            EXPECT_TRUE(recording->write(RecordingSide::agent, 160 * i, right));
            caller.insert(caller.end(), left.begin(), left.end());
            agent.insert(agent.end(), right.begin(), right.end());
            if (i % 10 == 0) writer.drain();
        }
        recording->finish();
        writer.drain();

        ASSERT_TRUE(report_);
        EXPECT_TRUE(report_->outcome);
        EXPECT_EQ(report_->frames, 32000U);
        auto wav = read_wav(file);
        ASSERT_TRUE(wav) << wav.error().text();
        EXPECT_EQ(wav->info.codec, law == G711Law::mu ? WavCodec::mu_law : WavCodec::a_law);
        EXPECT_FALSE(wav->info.torn);
        EXPECT_EQ(wav->channel_codes(0), caller);
        EXPECT_EQ(wav->channel_codes(1), agent);
        EXPECT_EQ(writer.open_recordings(), 0U);
    }
}

TEST_F(RecordingTest, OnlyTheOwnerMayReadItAndThePartIsGone) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, {});
    recording->write(RecordingSide::caller, 0, packet(1));
    writer.drain();
    EXPECT_TRUE(fs::exists(path() + ".part"));
    EXPECT_FALSE(fs::exists(path()));

    recording->finish();
    writer.drain();

    struct stat info {};
    ASSERT_EQ(::stat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_FALSE(fs::exists(path() + ".part"));
}

TEST_F(RecordingTest, FillsHolesWithSilenceOnOneTimeLine) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, {});
    recording->write(RecordingSide::caller, 0, packet(1));
    recording->write(RecordingSide::agent, 40000, packet(2));
    recording->finish();
    writer.drain();

    auto wav = read_wav(path());
    ASSERT_TRUE(wav);
    EXPECT_EQ(wav->info.frames(), 40160U);
    const auto caller = wav->channel_codes(0);
    const auto agent = wav->channel_codes(1);
    EXPECT_EQ(caller[159], packet(1)[159]);
    EXPECT_EQ(caller[160], 0xFF);
    EXPECT_EQ(agent[39999], 0xFF);
    EXPECT_EQ(agent[40000], packet(2)[0]);
}

TEST_F(RecordingTest, ASideThatLagsFindsItsPlace) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, keep_report());
    for (int i = 0; i < 90; ++i) {
        recording->write(RecordingSide::agent, 160 * i, packet(i));
        writer.drain();
    }
    for (int i = 0; i < 90; ++i) recording->write(RecordingSide::caller, 160 * i, packet(i));
    recording->finish();
    writer.drain();

    auto wav = read_wav(path());
    EXPECT_EQ(wav->channel_codes(0), wav->channel_codes(1));
    EXPECT_EQ(report_->late_samples, 0U);
}

TEST_F(RecordingTest, CountsWhatComesAfterItsPlaceWasWritten) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, keep_report());
    for (int i = 0; i < 300; ++i) {
        recording->write(RecordingSide::agent, 160 * i, packet(i));
        writer.drain();
    }
    recording->write(RecordingSide::caller, 0, packet(1));
    recording->finish();
    writer.drain();

    EXPECT_EQ(report_->late_samples, 160U);
    EXPECT_EQ(report_->frames, 48000U);
}

TEST_F(RecordingTest, AStalledDiskDropsAudioAndNeverStallsTheCall) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {.ring = base::Milliseconds(1000)}, keep_report());
    int refused = 0;
    for (int i = 0; i < 400; ++i)
        refused += recording->write(RecordingSide::caller, 160 * i, packet(i)) ? 0 : 1;

    EXPECT_GT(refused, 0);
    writer.drain();
    EXPECT_TRUE(recording->write(RecordingSide::caller, 160 * 400, packet(400)));
    recording->finish();
    writer.drain();

    EXPECT_EQ(report_->dropped_samples, static_cast<std::uint64_t>(refused) * 160U);
    auto wav = read_wav(path());
    EXPECT_EQ(wav->info.frames(), 401U * 160U);
    EXPECT_EQ(wav->channel_codes(0)[160 * 390], 0xFF);
    EXPECT_EQ(wav->channel_codes(0)[160 * 400], packet(400)[0]);
}

TEST_F(RecordingTest, AFullDiskLosesAudioAndTheHeaderStaysTrue) {
    auto disk = std::make_shared<SmallDisk>();
    disk->room = 20000;
    RecordingWriter writer(disk);
    auto recording = writer.open("x", {}, keep_report());
    for (int i = 0; i < 200; ++i) {
        recording->write(RecordingSide::caller, 160 * i, packet(i));
        recording->write(RecordingSide::agent, 160 * i, packet(i));
        writer.drain();
    }
    recording->finish();
    writer.drain();

    EXPECT_GT(report_->lost_frames, 0U);
    EXPECT_TRUE(disk->committed);
    auto info = parse_wav(disk->bytes);
    ASSERT_TRUE(info);
    EXPECT_FALSE(info->torn);
    EXPECT_EQ(info->frames(), report_->frames);
    EXPECT_EQ(report_->frames + report_->lost_frames, 32000U);
}

TEST_F(RecordingTest, SilenceStandsForWhatAFullDiskRefusedForAWhile) {
    auto disk = std::make_shared<SmallDisk>();
    RecordingWriter writer(disk);
    auto recording = writer.open("x", {}, keep_report());
    for (int i = 0; i < 200; ++i) {
        disk->room = i > 60 && i < 120 ? 0 : 1'000'000;
        recording->write(RecordingSide::caller, 160 * i, packet(i));
        recording->write(RecordingSide::agent, 160 * i, packet(i));
        writer.drain();
    }
    recording->finish();
    writer.drain();

    EXPECT_GT(report_->lost_frames, 0U);
    EXPECT_EQ(report_->frames, 32000U);
    const std::size_t frame_90 = g711_wav_header_size + 2 * 160 * 90;
    EXPECT_EQ(disk->bytes[frame_90], 0xFF);
    EXPECT_EQ(disk->bytes[g711_wav_header_size + 2 * 160 * 199], packet(199)[0]);
}

TEST_F(RecordingTest, LettingGoOfARecordingFinishesIt) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, keep_report());
    recording->write(RecordingSide::caller, 0, packet(1));

    recording.reset();
    writer.drain();

    ASSERT_TRUE(report_);
    EXPECT_EQ(report_->frames, 160U);
}

TEST_F(RecordingTest, TheThreadFinishesAllWhenItStops) {
    auto writer = std::make_unique<RecordingWriter>(std::make_shared<DiskRecordingStorage>());
    writer->start(base::Milliseconds(1));
    auto recording = writer->open(path(), {}, keep_report());
    for (int i = 0; i < 50; ++i) recording->write(RecordingSide::caller, 160 * i, packet(i));

    writer.reset();

    ASSERT_TRUE(report_);
    EXPECT_TRUE(report_->outcome);
    EXPECT_EQ(read_wav(path())->info.frames(), 8000U);
}

TEST_F(RecordingTest, ReportsAFolderThatIsNotThere) {
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path("no/such/folder.wav"), {}, keep_report());
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(recording->write(RecordingSide::caller, 160 * i, packet(i)));
    recording->finish();
    writer.drain();

    ASSERT_TRUE(report_);
    EXPECT_FALSE(report_->outcome);
    EXPECT_EQ(report_->frames, 0U);
}

TEST_F(RecordingTest, NeverReplacesARecording) {
    std::ofstream(path()) << "kept";
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, keep_report());
    recording->finish();
    writer.drain();

    ASSERT_FALSE(report_->outcome);
    EXPECT_EQ(report_->outcome.error().code(), base::ErrorCode::conflict);
    EXPECT_EQ(fs::file_size(path()), 4U);
}

TEST_F(RecordingTest, ACrashLeavesAPlayableFileThatRepairCompletes) {
    // The writer is taken away without its destructor, as by kill -9: what is on disk then is
    // copied.
    RecordingWriter writer(std::make_shared<DiskRecordingStorage>());
    auto recording = writer.open(path(), {}, {});
    for (int i = 0; i < 120; ++i) {
        recording->write(RecordingSide::caller, 160 * i, packet(i));
        recording->write(RecordingSide::agent, 160 * i, packet(i));
        writer.drain();
    }
    fs::create_directory(folder_ / "crashed");
    fs::copy_file(path() + ".part", folder_ / "crashed" / "call.wav.part");
    std::ofstream(folder_ / "crashed" / "empty.wav.part") << "RIFF";
    std::ofstream(folder_ / "crashed" / "other.wav.part") << std::string(200, 'x');

    auto before = read_wav((folder_ / "crashed" / "call.wav.part").string());
    ASSERT_TRUE(before);
    EXPECT_GE(before->info.frames(), 8000U);
    const RepairSummary summary = repair_recordings((folder_ / "crashed").string());

    EXPECT_EQ(summary.repaired, 1);
    EXPECT_EQ(summary.removed, 1);
    EXPECT_EQ(summary.refused, 1);
    auto after = read_wav((folder_ / "crashed" / "call.wav").string());
    ASSERT_TRUE(after);
    EXPECT_FALSE(after->info.torn);
    EXPECT_GE(after->info.frames(), before->info.frames());
    EXPECT_GE(after->info.frames(), 120U * 160U - 4000U);
    EXPECT_EQ(after->channel_codes(0)[160 * 50], packet(50)[0]);
}

}  // namespace
}  // namespace jackfield::media
