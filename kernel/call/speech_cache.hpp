#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "media/g711.hpp"

namespace jackfield::call {

/// A text as a voice spoke it: a call's wire format, with how much of the text each stretch reaches.
struct SpokenAudio {
    std::vector<std::uint8_t> codes;
    std::vector<std::pair<std::size_t, std::uint64_t>> tags; ///< up to this sample, text up to this byte
};

/// What is the same for every caller of an agent is synthesised once: its greeting. Least recently used ones go when the bytes are used up.
/// Any thread; a lookup is one lock a call.
class SpeechCache {
  public:
    /// Whose voice: an entry is good as long as this very object lives. Its options cannot change while it does, and a reload makes another.
    using Voice = std::shared_ptr<const void>;
    struct Key {
        std::string text;
        std::string language;
        media::G711Law law = media::G711Law::mu;

        friend bool operator==(const Key&, const Key&) = default;
    };

    static constexpr std::size_t default_bytes = 16u << 20; ///< half an hour of greetings
    explicit SpeechCache(std::size_t most_bytes = default_bytes) : most_bytes_(most_bytes) {}

    std::shared_ptr<const SpokenAudio> find(const Voice& voice, const Key& key);
    /// Takes the place of what was kept for the same voice and key. What would take more than a quarter of all is not kept.
    void keep(const Voice& voice, Key key, SpokenAudio audio);
    std::size_t bytes() const;
    std::size_t entries() const;

  private:
    struct Entry {
        std::weak_ptr<const void> voice;
        Key key;
        std::shared_ptr<const SpokenAudio> audio;
        std::size_t bytes = 0;

        bool is(const Voice& other, const Key& wanted) const;
    };
    void drop_dead();
    std::list<Entry>::iterator drop(std::list<Entry>::iterator entry);

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_; ///< the last used first
    std::size_t bytes_ = 0;
};

}  // namespace jackfield::call
