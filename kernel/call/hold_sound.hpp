#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "media/g711.hpp"
#include "media/tone.hpp"
#include "media/types.hpp"

namespace jackfield::call {

/// A piece of music at 8 kHz, shared by all who wait.
using Music = std::shared_ptr<const std::vector<std::int16_t>>;

/// Reads a WAV file of any rate and takes its first channel. INVALID, UNSUPPORTED and I/O errors as read_wav().
base::Result<Music> load_music(const std::filesystem::path& file);

/// Keeps what was read once. Any thread; the first caller of a file reads it.
class MusicLibrary {
  public:
    /// Null when the file can't be played.
    Music find(const std::filesystem::path& file);

  private:
    std::mutex mutex_;
    std::map<std::filesystem::path, Music> music_;
};

/// What somebody hears who waits for another: music over and over, or the tone of a telephone that rings.
class HoldSound {
  public:
    explicit HoldSound(Music music = nullptr) : music_(std::move(music)) {}
    void fill(media::G711Law law, std::span<std::uint8_t, media::packet_samples> codes);

  private:
    Music music_;
    std::size_t at_ = 0;
    media::ToneGenerator ring_{440.0F, 480.0F, -22.0F};
};

}  // namespace jackfield::call
