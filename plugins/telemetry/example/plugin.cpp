// telemetry/example: traces as lines of JSON in a file. Copy the folder, send the lines to your backend in place of writing them.

#include <jackfield/sdk/async.hpp>
#include <jackfield/sdk/gate.hpp>
#include <jackfield/sdk/telemetry.hpp>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "lines.hpp"

namespace jackfield::telemetry_example {

class Exporter {
  public:
    static std::unique_ptr<Exporter> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Exporter>(host, config.text("file", "var/telemetry.jsonl"), static_cast<std::uintmax_t>(config.integer("max_mb", 100)) << 20);
    }
    Exporter(sdk::Host host, std::filesystem::path file, std::uintmax_t largest) : host_(host), file_(std::move(file)), largest_(largest) {}

    /// A control call may block: whether the file can be written is known before the first batch.
    void start(jf_op op) {
        std::error_code error;
        if (file_.has_parent_path()) std::filesystem::create_directories(file_.parent_path(), error);
        if (!append("")) throw sdk::Failure(JF_E_STATE, file_.string() + " cannot be written", JF_RETRY_AFTER);
        gate_.open();
        host_.complete(op);
    }
    void quiesce(jf_op op, std::uint32_t budget_ms) { gate_.close(host_, op, budget_ms); }
    const void* query(std::string_view interface_id) {
        return interface_id == JF_TELEMETRY_V1 ? sdk::telemetry_table<Exporter>() : nullptr;
    }
    /// A batch on its way to the disk is there in a moment: its op completes by itself.
    jf_status cancel(jf_op op) { return gate_.has(op) ? JF_OK : JF_E_INVALID; }

    /// Lines are made here, where the batch is borrowed, and written on a worker thread, since this one carries calls.
    void send(jf_op op, const jf_telemetry_batch& batch) {
        const std::uint32_t items = sdk::items_of(batch);
        if (items == 0) throw sdk::Failure(JF_E_INVALID, "there is nothing in the batch");
        const auto write = [this, lines = lines_of(batch)] { return append(lines) ? JF_OK : JF_E_QUOTA; };
        gate_.enter(op);
        try {
            sdk::blocking(host_, op, write, [this, op, items](jf_status status) {
                const sdk::Host host = host_;
                gate_.leave(host, op);
                if (status == JF_OK) sdk::telemetry_done(host, op, items);
                else host.fail(op, sdk::Failure(status, "the file cannot be written", JF_RETRY_AFTER));
            });
        } catch (...) {
            gate_.leave(host_, op);
            throw;
        }
    }

  private:
    /// One batch at a time, so that lines stay whole.
    bool append(const std::string& lines) {
        const std::lock_guard lock(file_mutex_);
        std::error_code error;
        if (std::filesystem::file_size(file_, error) > largest_ && !error) std::filesystem::rename(file_, file_.string() + ".1", error);
        std::ofstream file(file_, std::ios::binary | std::ios::app);
        file << lines;
        return static_cast<bool>(file.flush());
    }

    const sdk::Host host_;
    const std::filesystem::path file_;
    const std::uintmax_t largest_;
    std::mutex file_mutex_;
    sdk::Gate gate_;
};

}  // namespace jackfield::telemetry_example

JACKFIELD_MODULE(jackfield::telemetry_example::Exporter)
