#pragma once

// One plugin instance over a file of its own, asked through the C interface as a host would.

#include <jackfield/sdk/records.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/test_host.hpp"

namespace jackfield::test {

class TempFolder {
  public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "jackfield-sqlite-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

class Database {
  public:
    using Options = std::vector<std::pair<std::string, std::string>>;
    explicit Database(const std::string& path, int busy_timeout_ms = 5000, const Options& options = {}) {
        const std::string timeout = std::to_string(busy_timeout_ms);
        std::vector<jf_pair> pairs{{sdk::str("path"), sdk::str(path)}, {sdk::str("busy_timeout_ms"), sdk::str(timeout)}};
        for (const auto& [key, value] : options) pairs.push_back({sdk::str(key), sdk::str(value)});
        jf_error error = sdk::make<jf_error>();
        const jf_status status = jf_module_entry_v1()->create(
            host_.table(), sdk::str("storage/sqlite"), sdk::str("{}"), sdk::array(pairs), &self_, &functions_, &error);
        if (status != JF_OK) throw std::runtime_error(error.text);
        started_ = ask([&](jf_op op, jf_error* problem) { return functions_->start(self_, op, problem); });
        records_ = static_cast<const jf_records_v1*>(functions_->query(self_, sdk::str(JF_RECORDS_V1)));
    }
    ~Database() { functions_->destroy(self_); }
    Database(const Database&) = delete;

    const sdk::RecordsReply& started() const { return started_; }
    TestHost& host() { return host_; }
    jf_instance* self() { return self_; }
    const jf_instance_v1& functions() { return *functions_; }
    const jf_records_v1& records() { return *records_; }

    sdk::RecordsReply declare(const sdk::Collection& collection) {
        return ask([&](jf_op op, jf_error* error) { return records_->declare(self_, op, collection.abi(), error); });
    }
    sdk::RecordsReply operator()(const sdk::Query& query) { return raw(*query.abi()); }
    sdk::RecordsReply operator()(const sdk::Write& write) { return raw(*write.abi()); }
    sdk::RecordsReply operator()(const sdk::Batch& batch) {
        return ask([&](jf_op op, jf_error* error) { return records_->batch(self_, op, batch.abi(), error); });
    }
    sdk::RecordsReply raw(const jf_query& query) {
        return ask([&](jf_op op, jf_error* error) { return records_->query(self_, op, &query, error); });
    }
    sdk::RecordsReply raw(const jf_write& write) {
        return ask([&](jf_op op, jf_error* error) { return records_->write(self_, op, &write, error); });
    }

    sdk::RecordsReply migrate(std::uint32_t action, const std::string& collection = {}, bool lossy = false) {
        jf_migrate request = sdk::make<jf_migrate>();
        request.action = action;
        request.collection = sdk::str(collection);
        request.flags = lossy ? JF_MIGRATE_LOSSY : 0;
        return ask([&](jf_op op, jf_error* error) { return records_->migrate(self_, op, &request, error); });
    }

    /// Runs `start` for a new op and answers what came of it, a refusal too.
    template <typename Start>
    sdk::RecordsReply ask(Start start) {
        sdk::RecordsReply reply;
        jf_error error = sdk::make<jf_error>();
        bool done = false;
        const jf_op op = host_.start_op([&](jf_op, const jf_event& event) { reply.on_event(event); },
                                        [&](jf_op, jf_status status, const jf_event* last, const jf_error* problem) {
                                            done = true;
                                            reply.on_done(status, last, problem);
                                        });
        const jf_status status = start(op, &error);
        if (status != JF_OK) {
            if (done) throw std::logic_error("refused and completed");
            host_.table()->complete(host_.table()->ctx, op, status, nullptr, nullptr);
            reply.on_done(status, nullptr, &error);
        } else if (!host_.wait_done(op)) {
            throw std::logic_error("never completed");
        }
        return reply;
    }

  private:
    TestHost host_;
    jf_instance* self_ = nullptr;
    const jf_instance_v1* functions_ = nullptr;
    const jf_records_v1* records_ = nullptr;
    sdk::RecordsReply started_;
};

/// The collection that most tests use, and its fields' numbers.
namespace leads {
constexpr std::uint16_t name = 8, score = 9, rating = 10, due = 11, open = 12, notes = 13, photo = 14, owner = 15, log = 16;
inline sdk::Collection collection() {
    sdk::Collection made("test.leads", JF_SCOPE_TENANT);
    made.field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL)
        .field("score", JF_VALUE_INT)
        .field("rating", JF_VALUE_REAL)
        .field("due", JF_VALUE_TIME)
        .field("open", JF_VALUE_BOOL)
        .field("notes", JF_VALUE_JSON)
        .field("photo", JF_VALUE_BYTES)
        .field("owner", JF_VALUE_TEXT, 0, "test.owners")
        .field("log", JF_VALUE_TEXT)
        .index({"score"})
        .unique({"owner", "due"});
    return made;
}
inline sdk::Write add(std::uint32_t handle, std::string tenant, std::string id, std::int64_t points) {
    return sdk::Write::insert(handle, std::move(tenant), id).set(name, "lead " + id).set(score, points);
}
}  // namespace leads

inline std::vector<std::string> ids(const sdk::RecordsReply& reply) {
    std::vector<std::string> out;
    for (const sdk::Row& row : reply.rows) out.push_back(row.id());
    return out;
}

}  // namespace jackfield::test

namespace jackfield::sdk {
inline void PrintTo(const Value& value, std::ostream* out) {
    *out << "type " << value.type() << ": " << value.integer() << ' ' << value.real() << " '" << value.text() << "'";
}
inline void PrintTo(const Row& row, std::ostream* out) {
    for (std::size_t i = 0; i < row.size(); ++i) PrintTo(row[i], &(*out << (i ? ", " : "{")));
    *out << "}";
}
}  // namespace jackfield::sdk
