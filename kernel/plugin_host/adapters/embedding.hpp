#pragma once

#include <memory>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

class EmbeddingPort : public Port<jf_embedding_v1> {
  public:
    EmbeddingPort() = default;
    explicit EmbeddingPort(Instance& instance) : Port(instance, JF_EMBEDDING_V1) {}

    jf_status embed(jf_op op, const jf_embedding_request& request, jf_error* error) const {
        return instance_->invoke(ThreadClass::stream, true, table_->embed, op, &request, error);
    }
};

/// What is wrong with a request, for its maker; null when it may be sent.
const char* fault_of(const jf_embedding_request& request);
/// For OpTable::open: each text answered once, one dimension, finite values.
std::unique_ptr<OutputCheck> check_embeddings(const jf_embedding_request& request);

}  // namespace jackfield::plugin_host
