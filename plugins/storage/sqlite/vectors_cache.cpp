#include "vectors_cache.hpp"

#include <algorithm>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t largest_journal = 64u << 20;
constexpr std::chrono::milliseconds look_for_cancel{20};

void put_into(VectorSet& set, const VectorChange& change) {
    std::vector<jf_value> attributes;
    for (const VectorChange::Put& put : change.puts) {
        attributes.clear();
        for (const sdk::Value& value : put.attributes) attributes.push_back(value.abi());
        set.put(put.row, put.values.data(), attributes);
    }
    for (const std::int64_t row : change.removes) set.remove(row);
}

}  // namespace

std::size_t VectorChange::bytes() const {
    std::size_t total = removes.size() * sizeof(std::int64_t);
    for (const Put& put : puts) total += put.values.size() * sizeof(float) + put.attributes.size() * sizeof(sdk::Value);
    return total;
}

VectorSpaces::Entry CachedVectors::space() const {
    const std::lock_guard lock(mutex_);
    return space_;
}

void CachedVectors::set_space(VectorSpaces::Entry space) {
    drop();
    const std::lock_guard lock(mutex_);
    space_ = std::move(space);
    journal_lost_ = true;
}

void CachedVectors::apply(const VectorChange& change) {
    const std::lock_guard lock(mutex_);
    if (journaling_ && !journal_lost_) {
        journal_bytes_ += change.bytes();
        if (journal_bytes_ > largest_journal) journal_lost_ = true;
        else journal_.push_back(change);
        if (journal_lost_) journal_.clear();
    }
    if (!set_) return;
    if (change.version != version_ + 1) {
        // Another process wrote between: what it did is not in here.
        set_ = next_ = nullptr;
        return;
    }
    put_into(*set_, change);
    if (next_) put_into(*next_, change);
    version_ = change.version;
}

std::shared_ptr<VectorSet> CachedVectors::current(std::uint64_t version) const {
    const std::lock_guard lock(mutex_);
    return version_ >= version ? set_ : nullptr;
}

std::shared_ptr<VectorSet> CachedVectors::serving() const {
    const std::lock_guard lock(mutex_);
    return set_;
}

std::shared_ptr<VectorSet> CachedVectors::being_built() const {
    const std::lock_guard lock(mutex_);
    return next_ ? next_ : set_;
}

void CachedVectors::drop() {
    const std::lock_guard lock(mutex_);
    set_ = next_ = nullptr;
}

std::size_t CachedVectors::bytes() const {
    const std::lock_guard lock(mutex_);
    return (set_ ? set_->bytes() : 0) + (next_ ? next_->bytes() : 0);
}

bool CachedVectors::load(const std::function<std::uint64_t(VectorSet&)>& read) {
    std::shared_ptr<VectorSet> made;
    {
        const std::lock_guard lock(mutex_);
        made = std::make_shared<VectorSet>(space_->measure(), space_->attribute_types());
        journaling_ = true;
        journal_lost_ = false;
    }
    struct Journal {
        CachedVectors& of;
        ~Journal() {
            const std::lock_guard lock(of.mutex_);
            of.journaling_ = false;
            of.journal_.clear();
            of.journal_bytes_ = 0;
            of.load_ended_.notify_all();
        }
    } const end_of_journal{*this};
    std::uint64_t version = read(*made);

    const std::lock_guard lock(mutex_);
    if (journal_lost_) return false;
    for (const VectorChange& change : journal_) {
        if (change.version <= version) continue;
        if (change.version != version + 1) return false;
        put_into(*made, change);
        version = change.version;
    }
    if (set_ && version_ != version) set_ = nullptr;
    version_ = version;
    (set_ ? next_ : set_) = std::move(made);
    return true;
}

void CachedVectors::wait_for_load(const std::atomic<bool>& cancelled, std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    std::unique_lock lock(mutex_);
    while (!set_ && journaling_ && !cancelled.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until)
        load_ended_.wait_for(lock, look_for_cancel);
}

void CachedVectors::promote() {
    const std::lock_guard lock(mutex_);
    if (next_) set_ = std::move(next_);
    next_ = nullptr;
}

VectorCache::Entry VectorCache::entry(const VectorSpaces::Entry& space, std::string_view tenant) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[{space->number(), std::string(tenant)}];
    if (!entry) entry = std::make_shared<CachedVectors>(space, std::string(tenant));
    return entry;
}

VectorCache::Entry VectorCache::find(std::uint32_t space, std::string_view tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find({space, std::string(tenant)});
    return found == entries_.end() ? nullptr : found->second;
}

void VectorCache::space_changed(const VectorSpaces::Entry& space) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, entry] : entries_)
        if (key.first == space->number()) entry->set_space(space);
}

bool VectorCache::make_room(const CachedVectors& for_whom, std::size_t bytes, std::size_t budget, std::uint64_t recent) {
    const std::lock_guard lock(mutex_);
    std::size_t total = bytes;
    std::vector<Entry> others;
    for (const auto& [key, entry] : entries_) {
        const std::size_t held = entry->bytes();
        total += held;
        if (entry.get() != &for_whom && held > 0 && !entry->worked_on && entry->last_used < recent) others.push_back(entry);
    }
    std::sort(others.begin(), others.end(), [](const Entry& a, const Entry& b) { return a->last_used < b->last_used; });
    for (const Entry& entry : others) {
        if (total <= budget) break;
        total -= std::min(total, entry->bytes());
        entry->drop();
    }
    return total <= budget;
}

std::size_t VectorCache::bytes() const {
    const std::lock_guard lock(mutex_);
    std::size_t total = 0;
    for (const auto& [key, entry] : entries_) total += entry->bytes();
    return total;
}

}  // namespace jackfield::sqlite
