// What storage/sqlite costs beside bare SQLite calls that do the same in the same run: durable inserts, a record by its id, claims. Prints a table and one
// line for scripts. The ratio is what to look at: how fast a disk syncs is the machine's.

#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "unit/plugins/storage/sqlite/database.hpp"

namespace jackfield::test {
namespace {

constexpr std::uint16_t name = 8, state = 9, due = 10;
sdk::Collection jobs() {
    return sdk::Collection("bench.jobs", JF_SCOPE_TENANT).field("name", JF_VALUE_TEXT, JF_FIELD_NOT_NULL).field("state", JF_VALUE_TEXT).field("due", JF_VALUE_INT).index({"state", "due"});
}

/// The same table and the same statements, prepared once.
class Bare {
  public:
    explicit Bare(const std::string& path) {
        check(sqlite3_open(path.c_str(), &handle_));
        run("PRAGMA journal_mode = WAL");
        run("PRAGMA synchronous = FULL");
        run("PRAGMA secure_delete = ON");
        run("CREATE TABLE jobs (row INTEGER PRIMARY KEY, id TEXT NOT NULL, tenant TEXT NOT NULL, rev INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
            " name TEXT NOT NULL, state TEXT, due INTEGER, UNIQUE (tenant, id)) STRICT");
        run("CREATE INDEX due ON jobs (tenant, state, due, id)");
        insert_ = prepare("INSERT INTO jobs (id, tenant, rev, created, updated, name, state, due) VALUES (?, 'acme', 1, 1, 1, ?, 'ready', ?)");
        find_ = prepare("SELECT id, tenant, rev, created, updated, name, state, due FROM jobs WHERE tenant = 'acme' AND id = ?");
        first_ = prepare("SELECT row FROM jobs WHERE tenant = 'acme' AND state = 'ready' ORDER BY due, id LIMIT 1");
        take_ = prepare("UPDATE jobs SET state = 'running', rev = rev + 1, updated = 2 WHERE row = ? RETURNING id, tenant, rev, created, updated, name, state, due");
        begin_ = prepare("BEGIN IMMEDIATE");
        commit_ = prepare("COMMIT");
    }
    ~Bare() {
        for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
        sqlite3_close(handle_);
    }
    Bare(const Bare&) = delete;

    void insert(int i) {
        text(insert_, 1, std::to_string(i));
        text(insert_, 2, "job " + std::to_string(i));
        sqlite3_bind_int(insert_, 3, i);
        step(insert_);
    }
    void find(int i) {
        text(find_, 1, std::to_string(i));
        step(find_);
    }
    void claim() {
        step(begin_);
        sqlite3_step(first_);
        sqlite3_bind_int64(take_, 1, sqlite3_column_int64(first_, 0));
        sqlite3_reset(first_);
        step(take_);
        step(commit_);
    }

  private:
    static void check(int code) {
        if (code == SQLITE_OK) return;
        std::fprintf(stderr, "bare SQLite: %s\n", sqlite3_errstr(code));
        std::exit(1);
    }
    void run(const char* sql) { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* out = nullptr;
        check(sqlite3_prepare_v2(handle_, sql, -1, &out, nullptr));
        return statements_.emplace_back(out);
    }
    static void text(sqlite3_stmt* statement, int at, const std::string& value) {
        sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    }
    static void step(sqlite3_stmt* statement) {
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        }
        check(code == SQLITE_DONE ? SQLITE_OK : code);
        sqlite3_reset(statement);
    }
    sqlite3* handle_ = nullptr;
    std::vector<sqlite3_stmt*> statements_;
    sqlite3_stmt *insert_, *find_, *first_, *take_, *begin_, *commit_;
};

double per_second(int n, const std::function<void()>& body) {
    const auto began = std::chrono::steady_clock::now();
    body();
    return n / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void must(const sdk::RecordsReply& reply) {
    if (reply.status == JF_OK) return;
    std::fprintf(stderr, "storage/sqlite: %s\n", reply.error.c_str());
    std::exit(1);
}

struct Figure {
    const char* what;
    double ours, bare;
};

int run(int n) {
    const TempFolder folder;
    Database db(folder.file("ours.db"));
    const std::uint32_t h = db.declare(jobs()).collection;
    Bare bare(folder.file("bare.db"));
    const auto insert = [&](int i) { must(db(sdk::Write::insert(h, "acme", std::to_string(i)).set(name, "job " + std::to_string(i)).set(state, "ready").set(due, i))); };
    const auto claim = [&] { must(db(sdk::Write::claim(h, "acme").eq(state, "ready").order_by(due).set(state, "running"))); };
    std::vector<Figure> figures;
    // Turn about in small parts, so that whatever else the machine does meets both.
    const auto compare = [&](const char* what, int parts, const std::function<void(int)>& ours, const std::function<void(int)>& theirs) {
        double our_seconds = 0, bare_seconds = 0;
        for (int part = 0; part < parts; ++part) {
            const auto all = [&](const std::function<void(int)>& one) { return [&, part] { for (int i = 0; i < n / parts; ++i) one(part * (n / parts) + i); }; };
            our_seconds += 1 / per_second(n / parts, all(ours));
            bare_seconds += 1 / per_second(n / parts, all(theirs));
        }
        figures.push_back({what, parts / our_seconds, parts / bare_seconds});
    };
    compare("durable insert", 10, insert, [&](int i) { bare.insert(i); });
    compare("record by its id", 10, [&](int i) { must(db(sdk::Query(h, "acme").id(std::to_string(i)))); }, [&](int i) { bare.find(i); });
    compare("claim", 10, [&](int) { claim(); }, [&](int) { bare.claim(); });
    // Writers that wait share a sync: this is what bare calls one after the other can't do.
    constexpr int threads = 8;
    const double together = per_second(n / threads * threads, [&] {
        std::vector<std::thread> running;
        for (int t = 0; t < threads; ++t)
            running.emplace_back([&, t] { for (int i = 0; i < n / threads; ++i) insert(1'000'000 + t * 100'000 + i); });
        for (std::thread& thread : running) thread.join();
    });
    figures.push_back({"durable insert, 8 threads", together, figures[0].bare});

    std::printf("%-28s %12s %12s %8s\n", "per second", "plugin", "bare", "ratio");
    for (const Figure& figure : figures) std::printf("%-28s %12.0f %12.0f %8.2f\n", figure.what, figure.ours, figure.bare, figure.ours / figure.bare);
    std::printf("bench records insert=%.2f find=%.2f claim=%.2f insert_8_threads=%.2f\n", figures[0].ours / figures[0].bare, figures[1].ours / figures[1].bare,
                figures[2].ours / figures[2].bare, figures[3].ours / figures[3].bare);
    return 0;
}

}  // namespace
}  // namespace jackfield::test

int main(int argc, char** argv) {
    int n = 4000;
    for (int i = 1; i < argc; ++i) {
        if (std::strncmp(argv[i], "--operations=", 13) == 0) n = std::atoi(argv[i] + 13);
        else if (std::strncmp(argv[i], "--benchmark_min_time", 20) == 0) n = 200;  // CTest's moment
        else {
            std::printf("usage: records_bench [--operations=4000]\n");
            return std::strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    return jackfield::test::run(std::max(n, 80));
}
