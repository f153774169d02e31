#pragma once

#include <jackfield/records.h>
#include <jackfield/sdk/plugin.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>

#include "simulators/plugins/faults.hpp"
#include "storage/sqlite/instance.hpp"

namespace jackfield::storage_sim {

/// storage/sqlite, of whose writes some go wrong.
class Store {
  public:
    static std::unique_ptr<Store> create(sdk::Host host, const sdk::Config& config);
    Store(sdk::Host host, std::unique_ptr<sqlite::Instance> inner, sim::Faults faults);

    void start(jf_op op) { inner_->start(op); }
    void quiesce(jf_op op, std::uint32_t budget_ms) { inner_->quiesce(op, budget_ms); }
    const void* query(std::string_view interface_id);
    jf_status cancel(jf_op op);

    const jf_records_v1& inner_table() const { return *inner_table_; }
    jf_instance* inner() const { return reinterpret_cast<jf_instance*>(inner_.get()); }
    /// Does the n-th write, as well as it goes.
    jf_status write(jf_op op, jf_error* error, const std::function<jf_status()>& really);

  private:
    sdk::Host host_;
    std::unique_ptr<sqlite::Instance> inner_;
    const jf_records_v1* inner_table_;
    sim::Faults faults_;
    std::mutex mutex_;
    std::uint64_t writes_ = 0;
    std::set<jf_op> standing_;
};

}  // namespace jackfield::storage_sim
