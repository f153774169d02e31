#include "store.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>

namespace jackfield::sqlite {
namespace {

constexpr std::size_t most_jobs_together = 64;
constexpr std::chrono::milliseconds look_for_cancel{20};

StoreFailure failure_of(const std::exception& problem) {
    if (const auto* failure = dynamic_cast<const StoreFailure*>(&problem)) return *failure;
    return StoreFailure(JF_E_INTERNAL, problem.what());
}

/// Interrupts what runs on the connection once the flag is set, while this lives.
class StopWhen {
  public:
    StopWhen(Connection& connection, const std::atomic<bool>& cancelled) : connection_(connection) { connection_.stop_when(&cancelled); }
    ~StopWhen() { connection_.stop_when(nullptr); }
    StopWhen(const StopWhen&) = delete;

  private:
    Connection& connection_;
};

void run(Connection& connection, const char* sql) { connection.prepare(Sql(sql)).run(); }

/// A damaged file is told at the start and not by the first call that meets the damage. A large one is looked at as long as the options say.
void check_file(Connection& connection, const Options& options) {
    if (options.check_at_start_ms == 0 || options.in_memory()) return;
    connection.stop_at(std::chrono::steady_clock::now() + std::chrono::milliseconds(options.check_at_start_ms));
    std::string said;
    try {
        Statement row = connection.prepare(Sql("PRAGMA quick_check(1)"));
        if (row.step()) said = row.text(0);
        row.run();
    } catch (const StoreFailure& failure) {
        if (failure.code() != JF_E_CANCELLED) throw;
        said = "ok";
        options.warn("sqlite.check_cut_short", "the file is too large to be checked within check_at_start_ms");
    }
    connection.stop_at(std::nullopt);
    if (said != "ok") throw connection.damaged(said);
}

}  // namespace

Pool::Lease Pool::borrow() {
    static const std::atomic<bool> never{false};
    return borrow(never);
}

Pool::Lease Pool::borrow(const std::atomic<bool>& cancelled) {
    std::unique_lock lock(mutex_);
    // A flag wakes nobody: it is looked at now and then.
    while (!returned_.wait_for(lock, look_for_cancel, [&] { return !idle_.empty(); }))
        if (cancelled.load()) throw StoreFailure(JF_E_CANCELLED, "cancelled");
    // The last one returned has the warmest cache.
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(connection)};
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
    // Notified under the lock: the pool may be destroyed once the waiter has what it waited for.
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
    returned_.notify_one();
}

std::unique_ptr<Store> Store::open(const Options& options) {
    std::unique_ptr<Store> store(new Store(options));
    std::unique_ptr<Connection> writer = Connection::open(options, Connection::Role::writer);
    check_file(*writer, options);
    prepare_storage(*writer);
    load_catalogue(*writer, store->catalogue_);
    if (!options.in_memory()) {
        store->checkpointer_ = std::make_unique<Checkpointer>(options);
        writer->on_commit([checkpointer = store->checkpointer_.get()](std::int64_t pages) { checkpointer->on_commit(pages); });
    }
    store->writer_.add(std::move(writer));
    if (!options.in_memory())
        for (std::int64_t i = 0; i < options.readers; ++i)
            store->readers_.add(Connection::open(options, Connection::Role::reader));
    return store;
}

Store::~Store() {
    // The writer's commits use the checkpointer until here.
    checkpoint();
}

std::uint32_t Store::declare(Collection wanted) {
    Pool::Lease writer = writer_.borrow();
    return sqlite::declare(*writer, catalogue_, std::move(wanted));
}

std::string Store::query(const QueryRequest& query, const RowSink& sink, const std::atomic<bool>& cancelled) {
    Pool::Lease reader = readers().borrow(cancelled);
    const StopWhen stop(*reader, cancelled);
    return run_query(*reader, query, sink);
}

WriteResult Store::write(const std::vector<WriteRequest>& writes, const std::atomic<bool>& cancelled) {
    Job job{&writes, &cancelled, {}, {}, false};
    std::unique_lock lock(queue_mutex_);
    queue_.push_back(&job);
    // Whoever finds no group running leads the next one; the others wait until their job has been in some group.
    while (!job.done) {
        if (group_runs_) {
            job_done_.wait(lock);
            continue;
        }
        group_runs_ = true;
        const std::size_t n = std::min(queue_.size(), most_jobs_together);
        const std::vector<Job*> group(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
        lock.unlock();
        run_group(group);
        lock.lock();
        for (Job* member : group) member->done = true;
        group_runs_ = false;
        job_done_.notify_all();
    }
    lock.unlock();
    if (job.failure) throw StoreFailure(*job.failure);
    return std::move(job.result);
}

bool Store::Job::erases() const {
    return !failure && std::any_of(writes->begin(), writes->end(), [](const WriteRequest& write) { return (write.flags & JF_WRITE_ERASE) != 0; });
}

void Store::run_group(std::span<Job* const> jobs) {
    Pool::Lease writer = writer_.borrow();
    // SQLite may give the whole transaction up for one job (disk full, input and output, interrupt). Nobody was answered yet: each tries alone.
    if (!run_together(*writer, jobs))
        for (Job* const& job : jobs) run_together(*writer, {&job, 1});
    finish_erasing(*writer, jobs);
    tell_changes(jobs);
}

/// The log holds pages as they were: it is emptied before an erasure is answered.
void Store::finish_erasing(Connection& writer, std::span<Job* const> jobs) {
    if (options_.in_memory() || std::none_of(jobs.begin(), jobs.end(), [](const Job* job) { return job->erases(); })) return;
    const int code = checkpointer_->empty_log();
    if (code == SQLITE_OK) return;
    // Whatever kept it, the write is committed: only TIMEOUT says "done, but", every other failure says that nothing has changed.
    const std::string why = code == SQLITE_BUSY ? "a reader has kept the log from being emptied" : "the log could not be emptied: " + std::string(writer.failure(code).what());
    for (Job* job : jobs)
        if (job->erases()) job->failure = StoreFailure(JF_E_TIMEOUT, "it is done, but " + why + ": what was erased stands in it until the next checkpoint");
}

void Store::tell_changes(std::span<Job* const> jobs) {
    if (!options_.on_change) return;
    std::set<std::pair<std::uint32_t, std::string_view>> changed;
    for (const Job* job : jobs)
        if (!job->failure && job->result.affected > 0)
            for (const WriteRequest& write : *job->writes) changed.emplace(write.collection->number, write.tenant);
    for (const auto& [collection, tenant] : changed) options_.on_change(collection, tenant);
}

/// False: nothing of the group was done and it should be done apart.
bool Store::run_together(Connection& writer, std::span<Job* const> jobs) {
    for (Job* job : jobs) {
        job->result = {};
        job->failure.reset();
    }
    try {
        run(writer, "BEGIN IMMEDIATE");
        for (Job* job : jobs)
            if (!run_job(writer, *job)) {
                writer.rollback();
                return jobs.size() == 1;
            }
        run(writer, "COMMIT");
    } catch (const std::exception& problem) {
        writer.rollback();
        for (Job* job : jobs)
            if (!job->failure) job->failure = failure_of(problem);
    }
    return true;
}

/// The job within the open transaction, leaving no trace when it fails. False: its failure ended the transaction.
bool Store::run_job(Connection& writer, Job& job) {
    if (job.cancelled->load()) {
        job.failure = StoreFailure(JF_E_CANCELLED, "cancelled");
        return true;
    }
    run(writer, "SAVEPOINT job");
    try {
        writer.stop_when(job.cancelled);
        const std::int64_t now_us = options_.utc_us();
        for (const WriteRequest& write : *job.writes) apply_write(writer, write, now_us, job.result);
        if (job.writes->size() > 1) job.result.revision = 0;
        writer.stop_when(nullptr);
        run(writer, "RELEASE job");
        return true;
    } catch (const std::exception& problem) {
        writer.stop_when(nullptr);
        job.failure = failure_of(problem);
    }
    if (!writer.in_transaction()) return false;
    run(writer, "ROLLBACK TO job");
    run(writer, "RELEASE job");
    return true;
}

void Store::with_reader(const std::atomic<bool>& cancelled, const std::function<void(Connection&)>& body) {
    Pool::Lease reader = readers().borrow(cancelled);
    const StopWhen stop(*reader, cancelled);
    body(*reader);
}

void Store::with_writer(const std::atomic<bool>& cancelled, const std::function<void(Connection&)>& body) {
    Pool::Lease writer = writer_.borrow(cancelled);
    const StopWhen stop(*writer, cancelled);
    body(*writer);
}

void Store::checkpoint() {
    if (checkpointer_) checkpointer_->run_now();
}

std::uint64_t Store::migrate(const MigrateRequest& request, const StepSink& sink) {
    Pool::Lease writer = writer_.borrow();
    const std::uint64_t rows = sqlite::migrate(*writer, options_, request, sink);
    catalogue_.clear();
    load_catalogue(*writer, catalogue_);
    return rows;
}

}  // namespace jackfield::sqlite
