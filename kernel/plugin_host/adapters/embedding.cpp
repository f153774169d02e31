#include "plugin_host/adapters/embedding.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace jackfield::plugin_host {
namespace {

// embedding.h publishes these.
constexpr std::uint32_t most_texts = 2048;
constexpr std::uint64_t longest_text = 1u << 20;
constexpr std::uint32_t largest_dimension = 8192;

class EmbeddingCheck final : public OutputCheck {
  public:
    EmbeddingCheck(std::uint32_t texts, std::uint32_t dim) : answered_(texts), dim_(dim) {}

    Verdict look(const jf_event& event) override {
        if (event.type != JF_EV_EMBEDDINGS) return Verdict::drop;
        const auto* part = sdk::data_of<jf_embeddings>(event);
        return part && take(*part) ? Verdict::pass : Verdict::fail;
    }
    bool complete(const jf_event* last) override {
        return left_after_all() == 0 && (!last || last->type == JF_EV_EMBEDDING_USAGE);
    }

  private:
    bool take(const jf_embeddings& part) {
        if (part.n == 0 || part.first >= answered_.size() || part.n > answered_.size() - part.first) return false;
        if (part.dim == 0 || part.dim > largest_dimension || (dim_ != 0 && part.dim != dim_)) return false;
        if (part.values.stride != sizeof(float) || part.values.n != std::uint64_t{part.n} * part.dim) return false;
        dim_ = part.dim;
        const auto* values = static_cast<const float*>(part.values.ptr);
        for (std::uint32_t i = 0; i < part.values.n; ++i)
            if (!std::isfinite(values[i])) return false;
        for (std::uint32_t i = part.first; i < part.first + part.n; ++i) {
            if (answered_[i]) return false;
            answered_[i] = true;
        }
        return true;
    }
    std::size_t left_after_all() const { return static_cast<std::size_t>(std::count(answered_.begin(), answered_.end(), false)); }

    std::vector<bool> answered_;
    std::uint32_t dim_;
};

}  // namespace

const char* fault_of(const jf_embedding_request& request) {
    if (request.texts.n == 0) return "there is no text to embed";
    if (request.texts.n > most_texts) return "a request has at most 2048 texts";
    if (request.dim > largest_dimension) return "a vector has at most 8192 values";
    if (request.texts.stride < sizeof(jf_str)) return "the array of texts is malformed";
    for (std::uint32_t i = 0; i < request.texts.n; ++i) {
        const jf_str& text = *JF_AT(jf_str, request.texts, i);
        if (text.len == 0) return "an empty text has no vector";
        if (text.len > longest_text) return "a text has at most 1 MiB";
    }
    return nullptr;
}

std::unique_ptr<OutputCheck> check_embeddings(const jf_embedding_request& request) {
    return std::make_unique<EmbeddingCheck>(request.texts.n, request.dim);
}

}  // namespace jackfield::plugin_host
