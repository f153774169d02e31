#include "base/pattern.hpp"

#include <re2/re2.h>

namespace jackfield::base {
namespace {

constexpr std::int64_t most_memory = 1 << 20;

RE2::Options options() {
    RE2::Options out;
    out.set_log_errors(false);
    out.set_max_mem(most_memory);
    return out;
}

}  // namespace

struct Pattern::Impl {
    explicit Impl(const std::string& expression) : compiled(expression, options()) {}
    RE2 compiled;
};

Pattern::Pattern(const std::string& expression) : impl_(std::make_unique<Impl>(expression)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

bool Pattern::valid() const { return impl_->compiled.ok(); }
bool Pattern::found_in(std::string_view text) const {
    return valid() && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), impl_->compiled);
}

}  // namespace jackfield::base
