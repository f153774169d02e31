#pragma once

#include <jackfield/base.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace jackfield::plugin_host {

/// What travels between a plugin and the host when it can't be a plain call. Followed in the ring by `data_size` bytes: a packed struct, or
/// the arguments of a call.
struct Message {
    enum Kind : std::uint16_t { event, completion, incoming, call };
    std::uint32_t size = 0; ///< with data, padded to 8; 0 marks the unused end of the ring
    std::uint16_t kind = event;
    std::uint16_t flags = 0;
    std::uint32_t type = 0;        ///< event type
    std::uint32_t event_flags = 0;
    jf_op op = 0;
    std::uint64_t mono_ns = 0;
    std::uint64_t pos = 0;
    std::int32_t status = 0;
    std::uint32_t data_size = 0;
    std::uint64_t error_offset = 0; ///< of a jf_error in the data, 0 none
    void* function = nullptr;       ///< call: the trampoline that unpacks the arguments

    static constexpr std::uint16_t has_last = 1; ///< completion: type, pos and data are those of `last`
};
static_assert(sizeof(Message) % 8 == 0);

/// A bounded ring of messages in one block of bytes, so that the same code serves a ring in shared memory. Not synchronised: one lock
/// around it, held for a copy, is cheaper here than a lock-free multi-producer ring and bounded as well.
class MessageRing {
  public:
    explicit MessageRing(std::size_t capacity) : buffer_(new std::uint64_t[capacity / 8]), capacity_(capacity & ~std::size_t{7}) {}

    /// False when it does not fit: nothing was written.
    bool push(Message message, std::span<const std::byte> data) {
        const std::size_t size = (sizeof(Message) + data.size() + 7) & ~std::size_t{7};
        std::size_t free_bytes = capacity_ - used_;
        const std::size_t to_end = capacity_ - tail_;
        const std::size_t skip = size > to_end ? to_end : 0;
        if (size + skip > free_bytes || size > capacity_ / 2) return false;
        if (skip) {
            if (skip >= sizeof(std::uint32_t)) std::memset(at(tail_), 0, sizeof(std::uint32_t));
            used_ += skip;
            tail_ = 0;
        }
        message.size = static_cast<std::uint32_t>(size);
        message.data_size = static_cast<std::uint32_t>(data.size());
        std::memcpy(at(tail_), &message, sizeof message);
        if (!data.empty()) std::memcpy(at(tail_) + sizeof message, data.data(), data.size());
        tail_ = (tail_ + size) % capacity_;
        used_ += size;
        return true;
    }

    bool empty() const { return used_ == 0; }

    /// What push() changes. Going back to it takes out what was pushed since, as long as nothing was popped.
    struct Mark {
        std::size_t tail, used;
    };
    Mark mark() const { return {tail_, used_}; }
    void back_to(Mark mark) {
        tail_ = mark.tail;
        used_ = mark.used;
    }

    /// Moves the oldest message out; not when empty. `data` keeps its capacity, and its start is 8-byte aligned.
    Message pop(std::vector<std::byte>& data) {
        std::uint32_t size = 0;
        std::memcpy(&size, at(head_), sizeof size);
        if (size == 0) {
            used_ -= capacity_ - head_;
            head_ = 0;
        }
        Message message;
        std::memcpy(&message, at(head_), sizeof message);
        data.assign(at(head_) + sizeof message, at(head_) + sizeof message + message.data_size);
        head_ = (head_ + message.size) % capacity_;
        used_ -= message.size;
        // Empty again and again is the rule: a ring that goes round for that would touch, and keep, all of its pages.
        if (used_ == 0) head_ = tail_ = 0;
        return message;
    }

  private:
    std::byte* at(std::size_t offset) { return reinterpret_cast<std::byte*>(buffer_.get()) + offset; }

    std::unique_ptr<std::uint64_t[]> buffer_;
    std::size_t capacity_;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
    std::size_t used_ = 0;
};

}  // namespace jackfield::plugin_host
