#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "decoder.hpp"

namespace jackfield::pocketsphinx {

/// The instance's decoders. A worker borrows one for the time of one decoding; nobody waits inside a call: who finds all of
/// them busy leaves a function that is called when one is free, in turn.
class Pool {
  public:
    Pool(const Options& options, std::shared_ptr<const Lexicon> lexicon)
        : options_(options), lexicon_(std::move(lexicon)) {}

    /// Makes one more, for the start. Throws sdk::Failure.
    void warm();

    enum class Borrow { got, waiting, refused, failed };
    /// got: `out` is this thread's until give_back(). waiting: `wake` will be called, once, on another thread. refused: too many
    /// wait. failed: a decoder could not be made. Prefers a decoder that has the vocabulary; grows while all are busy.
    Borrow borrow(std::uint64_t vocabulary, std::unique_ptr<Decoder>& out, std::function<void()> wake);
    void give_back(std::unique_ptr<Decoder> decoder);

    std::size_t size() const;

  private:
    std::function<void()> next_waiter();

    const Options& options_;
    const std::shared_ptr<const Lexicon> lexicon_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Decoder>> idle_;
    std::size_t total_ = 0;
    std::deque<std::function<void()>> waiting_;
};

}  // namespace jackfield::pocketsphinx
