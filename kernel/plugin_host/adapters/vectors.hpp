#pragma once

#include <memory>

#include "plugin_host/adapters/ports.hpp"

namespace jackfield::plugin_host {

/// Called on pool threads, but for ensure, which is a control thread's.
class VectorsPort : public Port<jf_vectors_v1> {
  public:
    VectorsPort() = default;
    explicit VectorsPort(Instance& instance) : Port(instance, JF_VECTORS_V1) {}

    jf_status ensure(jf_op op, const jf_vector_space& space, jf_error* error) const {
        return instance_->invoke(ThreadClass::control, true, table_->ensure, op, &space, error);
    }
    jf_status upsert(jf_op op, const jf_vector_upsert& upsert, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->upsert, op, &upsert, error);
    }
    jf_status search(jf_op op, const jf_vector_query& query, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->search, op, &query, error);
    }
    jf_status remove(jf_op op, const jf_vector_remove& remove, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->remove, op, &remove, error);
    }
    jf_status stats(jf_op op, std::uint32_t space, jf_str tenant, jf_error* error) const {
        return instance_->invoke(ThreadClass::blocking, true, table_->stats, op, space, tenant, error);
    }
};

/// What is wrong with a request, for its maker; null when it may be sent.
const char* fault_of(const jf_vector_upsert& upsert);
const char* fault_of(const jf_vector_query& query);

/// For OpTable::open.
std::unique_ptr<OutputCheck> check_space();
std::unique_ptr<OutputCheck> check_changed_vectors();
std::unique_ptr<OutputCheck> check_matches(const jf_vector_query& query);
std::unique_ptr<OutputCheck> check_vector_stats();

}  // namespace jackfield::plugin_host
