#include "runtime/runtime.hpp"

namespace jackfield::runtime {
namespace {

thread_local Shard* current_shard = nullptr;

}  // namespace

Shard* Shard::current() { return current_shard; }

void Shard::enter(base::UniqueFunction<void()>& task) {
    Shard* const before = current_shard;
    current_shard = this;
    task();
    if (after_task_) after_task_();
    current_shard = before;
}

}  // namespace jackfield::runtime
