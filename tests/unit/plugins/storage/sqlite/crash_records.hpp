#pragma once

#include "database.hpp"

// What the helper writes and the test looks for.
namespace jackfield::test::crash {

constexpr int threads = 3;
constexpr std::uint16_t text = 8, count = 9;

inline sdk::Collection collection() {
    return sdk::Collection("test.crash", JF_SCOPE_TENANT).field("text", JF_VALUE_TEXT).field("count", JF_VALUE_INT);
}

/// Two records and a counter that must move together.
inline sdk::Batch pair(std::uint32_t handle, int thread, const std::string& name) {
    sdk::Batch batch;
    batch.add(sdk::Write::insert(handle, "pairs", name + " a").set(text, "a"));
    batch.add(sdk::Write::insert(handle, "pairs", name + " b").set(text, "b"));
    const std::string counter = std::to_string(thread);
    batch.add(sdk::Write::insert_or_get(handle, "counters", counter).set(count, 0));
    batch.add(sdk::Write::update(handle, "counters", counter).inc(count, 1));
    return batch;
}

}  // namespace jackfield::test::crash
