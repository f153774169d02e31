#include "call/speech_cache.hpp"

#include <algorithm>

namespace jackfield::call {

/// The same control block, not the same address: a new object may stand where a dead one stood.
bool SpeechCache::Entry::is(const Voice& other, const Key& wanted) const {
    return !voice.owner_before(other) && !other.owner_before(voice) && key == wanted;
}

std::shared_ptr<const SpokenAudio> SpeechCache::find(const Voice& voice, const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.is(voice, key); });
    if (found == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found);
    return found->audio;
}

void SpeechCache::keep(const Voice& voice, Key key, SpokenAudio audio) {
    Entry entry;
    entry.bytes = audio.codes.size() + audio.tags.size() * sizeof(audio.tags[0]) + key.text.size() + sizeof(Entry);
    if (audio.codes.empty() || entry.bytes > most_bytes_ / 4) return;
    entry.voice = voice;
    entry.audio = std::make_shared<const SpokenAudio>(std::move(audio));
    entry.key = std::move(key);
    const std::lock_guard lock(mutex_);
    drop_dead();
    const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.is(voice, entry.key); });
    if (same != entries_.end()) drop(same);
    bytes_ += entry.bytes;
    entries_.push_front(std::move(entry));
    while (bytes_ > most_bytes_) drop(std::prev(entries_.end()));
}

void SpeechCache::drop_dead() {
    for (auto entry = entries_.begin(); entry != entries_.end();) entry = entry->voice.expired() ? drop(entry) : std::next(entry);
}

std::list<SpeechCache::Entry>::iterator SpeechCache::drop(std::list<Entry>::iterator entry) {
    bytes_ -= entry->bytes;
    return entries_.erase(entry);
}

std::size_t SpeechCache::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::size_t SpeechCache::entries() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace jackfield::call
