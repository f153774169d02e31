#include "migrate.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "conversions.hpp"
#include "request.hpp"
#include "search.hpp"
#include "sql.hpp"
#include "tables.hpp"

namespace jackfield::sqlite {
namespace {

/// What the record's table was and will be, and how each column comes about.
struct Change {
    Collection stands, wanted;
    std::vector<Step> steps;
    std::vector<std::string> values;         // of the columns of `wanted`, over the old table as t
    std::string joins;
    std::vector<std::uint16_t> kept;         // fields of `stands` whose values are put aside
    std::uint64_t rows = 0;
    bool back = false;

    bool has(std::uint32_t flag) const {
        return std::any_of(steps.begin(), steps.end(), [&](const Step& step) { return (step.flags & flag) != 0; });
    }
};

std::uint16_t number_of(std::size_t position) { return static_cast<std::uint16_t>(JF_FIELD_FIRST + position); }
std::string field_text(const Field& field, std::size_t position) { return "field " + std::to_string(number_of(position)) + " '" + field.name + "'"; }
std::string kept_table(const Collection& collection) { return quoted(collection.name + "#kept"); }
std::string kept_column(std::uint16_t number) { return quoted("f" + std::to_string(number)); }

Step& add_step(Change& change, std::uint32_t kind, std::string text, std::uint64_t rows = 0, std::uint64_t lost = 0) {
    Step& step = change.steps.emplace_back();
    step.kind = kind;
    step.collection = change.stands.name;
    step.text = std::move(text);
    step.from = change.stands.version;
    step.to = change.wanted.version;
    step.rows = rows;
    step.lost = lost;
    step.flags = (change.back ? 0 : JF_STEP_REVERSIBLE) | (lost > 0 ? JF_STEP_LOSSY : 0);
    return step;
}

void block(Change& change, std::uint32_t kind, std::string text) { add_step(change, kind, std::move(text)).flags = JF_STEP_BLOCKED; }

std::string times(std::uint64_t n, const std::string& thing) { return std::to_string(n) + " " + thing + (n == 1 ? "" : "s"); }

/// A field that stands on both sides.
void plan_same_field(Connection& connection, Change& change, std::size_t i) {
    const Field& old = change.stands.fields[i];
    const Field& now = change.wanted.fields[i];
    const std::string column = "t." + old.column;
    const std::string value = converted(column, old.type, now.type);
    if (old.name != now.name) add_step(change, JF_STEP_RENAME_FIELD, field_text(old, i) + " is called '" + now.name + "'");
    if (old.type != now.type) {
        const std::uint64_t values = count_rows(connection, change.stands, column + " IS NOT NULL");
        const std::uint64_t lost = count_rows(connection, change.stands, column + " IS NOT NULL AND (" + value + ") IS NULL");
        std::string text = field_text(old, i) + " turns from " + std::string(type_name(old.type)) + " into " + std::string(type_name(now.type));
        if (lost > 0) text += "; " + times(lost, "value") + " can't be converted and will be null, kept aside for the way back";
        if (lost > 0 && now.not_null()) block(change, JF_STEP_RETYPE_FIELD, text + "; the field may not be null");
        else add_step(change, JF_STEP_RETYPE_FIELD, text, values, lost);
        change.kept.push_back(number_of(i));
    }
    if (!old.not_null() && now.not_null()) {
        const std::uint64_t nulls = count_rows(connection, change.stands, column + " IS NULL");
        if (nulls > 0) block(change, JF_STEP_FIELD_FLAGS, field_text(old, i) + " may not be null, but is in " + times(nulls, "record"));
        else add_step(change, JF_STEP_FIELD_FLAGS, field_text(old, i) + " may not be null any more");
    }
    if (old.not_null() && !now.not_null()) add_step(change, JF_STEP_FIELD_FLAGS, field_text(old, i) + " may be null");
    if (old.searchable() != now.searchable())
        add_step(change, JF_STEP_FIELD_FLAGS, field_text(old, i) + (now.searchable() ? " can be searched by words" : " is not searched by words any more"),
                 change.rows);
    if (old.references != now.references)
        add_step(change, JF_STEP_FIELD_FLAGS, field_text(old, i) + " refers to " + (now.references.empty() ? "nothing" : "'" + now.references + "'"));
    change.values.push_back(value);
}

void plan_new_field(Change& change, std::size_t i) {
    const Field& field = change.wanted.fields[i];
    if (field.dropped()) return;
    const std::string text = field_text(field, i) + ", " + std::string(type_name(field.type)) + ", is added";
    if (field.not_null() && change.rows > 0) block(change, JF_STEP_ADD_FIELD, text + " and may not be null, which it would be in " + times(change.rows, "record"));
    else add_step(change, JF_STEP_ADD_FIELD, text);
    change.values.push_back("NULL");
}

void plan_fields(Connection& connection, Change& change) {
    const std::size_t both = std::min(change.stands.fields.size(), change.wanted.fields.size());
    for (std::size_t i = 0; i < both; ++i) {
        const Field& old = change.stands.fields[i];
        const Field& now = change.wanted.fields[i];
        if (old.dropped() && now.dropped()) continue;
        if (old.dropped()) {
            block(change, JF_STEP_ADD_FIELD, field_text(old, i) + " was dropped and its number is taken for ever: append a new field");
        } else if (now.dropped()) {
            const std::uint64_t values = count_rows(connection, change.stands, "t." + old.column + " IS NOT NULL");
            add_step(change, JF_STEP_DROP_FIELD, field_text(old, i) + " is dropped with " + times(values, "value") + ", kept aside for the way back", values, values);
            change.kept.push_back(number_of(i));
        } else {
            plan_same_field(connection, change, i);
        }
    }
    for (std::size_t i = both; i < change.stands.fields.size(); ++i)
        block(change, JF_STEP_DROP_FIELD, field_text(change.stands.fields[i], i) + " is not declared any more: declare it with DROPPED");
    for (std::size_t i = both; i < change.wanted.fields.size(); ++i) plan_new_field(change, i);
}

std::string index_text(const Collection& collection, const Index& index) {
    std::string out = index.unique ? "unique(" : "(";
    for (std::size_t i = 0; i < index.fields.size(); ++i) out += (i ? ", " : "") + collection.at(index.fields[i]).name;
    return out + ")";
}

void plan_indexes(Change& change) {
    std::string old, now;
    for (const Index& index : change.stands.indexes) old += (old.empty() ? "" : ", ") + index_text(change.stands, index);
    for (const Index& index : change.wanted.indexes) now += (now.empty() ? "" : ", ") + index_text(change.wanted, index);
    if (change.stands.indexes == change.wanted.indexes) return;
    add_step(change, JF_STEP_INDEXES, "indexes " + (now.empty() ? "none" : now) + " instead of " + (old.empty() ? "none" : old), change.rows);
}

/// Measured on one core: copying a row takes some four microseconds and each index half of that; a searched row ten.
void estimate(Change& change) {
    const double row_us = 4.0 + 2.0 * static_cast<double>(change.wanted.indexes.size()) + (change.wanted.has_search() ? 10.0 : 0.0);
    for (Step& step : change.steps)
        if ((step.flags & JF_STEP_BLOCKED) == 0) {
            // The table is made anew once for all steps.
            step.estimate_ms = static_cast<std::uint32_t>(std::min(4e9, 10.0 + static_cast<double>(change.rows) * row_us / 1000.0));
            return;
        }
}

Change plan_forward(Connection& connection, Collection stands, Collection wanted) {
    Change change;
    change.stands = std::move(stands);
    change.wanted = std::move(wanted);
    change.wanted.number = change.stands.number;
    change.rows = count_rows(connection, change.stands);
    if (change.stands.scope != change.wanted.scope) block(change, JF_STEP_FIELD_FLAGS, "another scope: declare a new collection and copy");
    plan_fields(connection, change);
    plan_indexes(change);
    estimate(change);
    return change;
}

/// The way back of one field that the migration changed: what was kept, where nobody changed it since.
void plan_field_back(Connection& connection, Change& change, std::size_t i) {
    const Field& old = change.wanted.fields[i];  // as it was before the migration, and will be
    const Field& now = change.stands.fields[i];
    const std::string kept = "k." + kept_column(number_of(i));
    if (now.dropped()) {
        const std::uint64_t brought = count_rows(connection, change.stands, "EXISTS (SELECT 1 FROM " + kept_table(change.stands) +
                                                     " AS k WHERE k._tenant = t._tenant AND k._id = t._id AND " + kept + " IS NOT NULL)");
        add_step(change, JF_STEP_ADD_FIELD, field_text(old, i) + " comes back with " + times(brought, "value") +
                                                (old.not_null() ? "; records made since get an empty one" : ""), brought);
        change.values.push_back(old.not_null() ? "coalesce(" + kept + ", " + empty_value(old.type) + ")" : kept);
        return;
    }
    if (old.name != now.name) add_step(change, JF_STEP_RENAME_FIELD, field_text(now, i) + " is called '" + old.name + "' again");
    const std::string column = "t." + now.column;
    std::string value = column;
    if (old.type != now.type) {
        const std::string again = converted(column, now.type, old.type);
        value = "CASE WHEN k._id IS NOT NULL AND (" + converted(kept, old.type, now.type) + ") IS " + column + " THEN " + kept + " ELSE " + again + " END";
        add_step(change, JF_STEP_RETYPE_FIELD, field_text(now, i) + " turns back from " + std::string(type_name(now.type)) + " into " +
                                                   std::string(type_name(old.type)) + "; what was kept is restored where the value is the same still",
                 change.rows);
    }
    if (old.not_null()) value = "coalesce(" + value + ", " + empty_value(old.type) + ")";
    if (old.not_null() != now.not_null() || old.references != now.references || old.searchable() != now.searchable())
        add_step(change, JF_STEP_FIELD_FLAGS, field_text(now, i) + " gets its flags back");
    change.values.push_back(value);
}

Change plan_back(Connection& connection, Collection stands, Collection before) {
    Change change;
    change.back = true;
    change.stands = std::move(stands);
    change.wanted = std::move(before);
    change.wanted.number = change.stands.number;
    change.rows = count_rows(connection, change.stands);
    change.joins = " LEFT JOIN " + kept_table(change.stands) + " AS k ON k._tenant = t._tenant AND k._id = t._id";
    for (std::size_t i = 0; i < change.wanted.fields.size(); ++i)
        if (!change.wanted.fields[i].dropped()) plan_field_back(connection, change, i);
    for (std::size_t i = change.wanted.fields.size(); i < change.stands.fields.size(); ++i) {
        const Field& field = change.stands.fields[i];
        if (field.dropped()) continue;
        const std::uint64_t values = count_rows(connection, change.stands, "t." + field.column + " IS NOT NULL");
        add_step(change, JF_STEP_DROP_FIELD, field_text(field, i) + ", which came later, goes with " + times(values, "value"), values, values);
    }
    plan_indexes(change);
    estimate(change);
    return change;
}

std::int64_t now_seconds(const Options& options) { return options.utc_us() / 1'000'000; }

std::string time_text(std::int64_t seconds, const char* format) {
    const std::time_t at = seconds;
    std::tm tm{};
    gmtime_r(&at, &tm);
    char text[40];
    return {text, std::strftime(text, sizeof text, format, &tm)};
}

std::string backup_path(const Options& options, const Change& change) {
    const std::string path = options.path + ".before-" + change.stands.name + "-v" + std::to_string(change.wanted.version) + "-" +
                             time_text(now_seconds(options), "%Y%m%dT%H%M%SZ");
    // An earlier attempt in the same second may have made one.
    std::string free = path;
    for (int n = 2; ::access(free.c_str(), F_OK) == 0; ++n) free = path + "-" + std::to_string(n);
    return free;
}

void report(const Change& change, const Options& options, const StepSink& sink, bool planned) {
    if (change.has(JF_STEP_LOSSY) && !options.in_memory()) {
        Step step;
        step.kind = JF_STEP_BACKUP;
        step.collection = change.stands.name;
        step.from = change.stands.version;
        step.to = change.wanted.version;
        step.rows = change.rows;
        step.text = "the whole database is copied " + (planned ? "beside itself first" : "to " + backup_path(options, change));
        sink(step);
    }
    for (const Step& step : change.steps) sink(step);
}

void check_allowed(const Change& change, const MigrateRequest& request) {
    const std::string name = "collection '" + change.stands.name + "'";
    for (const Step& step : change.steps)
        if ((step.flags & JF_STEP_BLOCKED) != 0) conflict(name + " can't be migrated: " + step.text);
    if (change.has(JF_STEP_LOSSY) && !request.lossy)
        conflict(name + " would lose values (the plan says which); this has to be allowed with `--lossy`");
}

void keep_values(Connection& writer, const Change& change) {
    writer.execute("DROP TABLE IF EXISTS " + kept_table(change.stands));
    std::string columns, definitions;
    for (const std::uint16_t number : change.kept) {
        columns += ", t." + change.stands.at(number).column;
        definitions += ", " + kept_column(number);
    }
    writer.execute("CREATE TABLE " + kept_table(change.stands) + " (_tenant TEXT NOT NULL, _id TEXT NOT NULL" + definitions +
                   ", PRIMARY KEY (_tenant, _id)) WITHOUT ROWID");
    if (!change.kept.empty())
        writer.execute("INSERT INTO " + kept_table(change.stands) + " SELECT t._tenant, t._id" + columns + " FROM " + change.stands.table() + " AS t");
}

void note_migration(Connection& writer, const Options& options, const Change& change, const std::string& backup) {
    Sql sql("INSERT INTO _jf_migrations (name, from_version, to_version, at, rows, backup, undone) VALUES (");
    sql.text(change.stands.name) << ", ";
    sql.integer(change.stands.version) << ", ";
    sql.integer(change.wanted.version) << ", ";
    sql.integer(now_seconds(options)) << ", ";
    sql.integer(static_cast<std::int64_t>(change.rows)) << ", ";
    sql.text(backup) << ", 0)";
    writer.prepare(sql).run();
}

void mark_undone(Connection& writer, const std::string& name) {
    Sql sql("UPDATE _jf_migrations SET undone = 1 WHERE number = (SELECT max(number) FROM _jf_migrations WHERE undone = 0 AND name = ");
    sql.text(name) << ")";
    writer.prepare(sql).run();
}

bool sync_path(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    if (file >= 0) ::close(file);
    return synced;
}

/// A copy for its owner only, on the disk when this returns: SQLite would make it readable by everybody and leave syncing to chance. It gets its name
/// when it is whole; one that was cut short stays behind as `part` until the next attempt.
void copy_database(Connection& writer, const std::string& path, const std::string& part) {
    ::unlink(part.c_str());
    make_file(part);
    Sql sql("VACUUM INTO ");
    sql.text(part);
    try {
        writer.prepare(sql).run();
    } catch (...) {
        ::unlink(part.c_str());
        throw;
    }
    const std::string folder = path.find('/') == std::string::npos ? "." : path.substr(0, path.rfind('/') + 1);
    if (!sync_path(part) || ::rename(part.c_str(), path.c_str()) != 0 || !sync_path(folder))
        throw StoreFailure(JF_E_INTERNAL, "the copy '" + path + "' could not be synced; nothing was migrated");
}

void apply(Connection& writer, const Options& options, Change& change) {
    std::string backup;
    if (change.has(JF_STEP_LOSSY) && !options.in_memory()) {
        backup = backup_path(options, change);
        copy_database(writer, backup, options.path + ".copying");
    }
    Transaction transaction(writer);
    if (!change.back) keep_values(writer, change);
    rebuild_table(writer, change.stands, change.wanted, change.values, change.joins);
    if (change.back) {
        writer.execute("DROP TABLE IF EXISTS " + kept_table(change.stands));
        mark_undone(writer, change.stands.name);
        forget_description(writer, change.stands.name, "before");
    } else {
        keep_description(writer, change.stands, "before");
        note_migration(writer, options, change, backup);
    }
    forget_description(writer, change.stands.name, "pending");
    describe(writer, change.wanted);
    transaction.commit();
}

/// The way is open from what stands to what waits, or to what was before.
std::vector<Change> plan(Connection& connection, const MigrateRequest& request, bool back) {
    const char* purpose = back ? "before" : "pending";
    std::vector<Change> changes;
    for (const std::string& name : described(connection, purpose)) {
        if (!request.collection.empty() && request.collection != name) continue;
        std::optional<Collection> stands = stored_collection(connection, name);
        std::optional<Collection> other = kept_description(connection, name, purpose);
        if (!stands || !other || (!back && other->version <= stands->version)) continue;
        changes.push_back(back ? plan_back(connection, std::move(*stands), std::move(*other))
                               : plan_forward(connection, std::move(*stands), std::move(*other)));
    }
    if (!request.collection.empty() && changes.empty())
        throw StoreFailure(JF_E_NOT_FOUND, "nothing is to be " + std::string(back ? "taken back" : "migrated") + " in '" + request.collection + "'");
    return changes;
}

void report_status(Connection& connection, const MigrateRequest& request, const StepSink& sink) {
    for (const auto& [number, collection] : stored_collections(connection)) {
        if (!request.collection.empty() && request.collection != collection.name) continue;
        Step step;
        step.collection = collection.name;
        step.from = step.to = collection.version;
        step.rows = count_rows(connection, collection);
        step.text = times(collection.fields.size(), "field") + ", " + std::to_string(collection.indexes.size()) +
                    (collection.indexes.size() == 1 ? " index" : " indexes") + (collection.has_search() ? ", searched by words" : "");
        sink(step);
    }
    Statement row = connection.prepare(Sql("SELECT name, from_version, to_version, at, rows, backup, undone FROM _jf_migrations ORDER BY number"));
    while (row.step()) {
        if (!request.collection.empty() && request.collection != row.text(0)) continue;
        Step step;
        step.kind = JF_STEP_MIGRATED;
        step.collection = row.text(0);
        step.from = static_cast<std::uint32_t>(row.integer(1));
        step.to = static_cast<std::uint32_t>(row.integer(2));
        step.rows = static_cast<std::uint64_t>(row.integer(4));
        step.text = time_text(row.integer(3), "%Y-%m-%d %H:%M:%SZ");
        if (row.integer(6)) step.text += ", taken back";
        if (!row.text(5).empty()) step.text += ", copy in " + std::string(row.text(5));
        sink(step);
    }
}

}  // namespace

MigrateRequest read_migrate(const jf_migrate* given) {
    const jf_migrate request = read_struct(given, "request");
    if (request.action > JF_MIGRATE_STATUS) unsupported("migration action " + std::to_string(request.action) + " is unknown");
    if ((request.flags & ~JF_MIGRATE_LOSSY) != 0) throw StoreFailure(JF_E_TOO_NEW, "migration flags that this plugin does not know");
    return {request.action, std::string(read_text(request.collection, "collection")), (request.flags & JF_MIGRATE_LOSSY) != 0};
}

std::uint64_t migrate(Connection& writer, const Options& options, const MigrateRequest& request, const StepSink& sink) {
    if (request.action == JF_MIGRATE_STATUS) {
        report_status(writer, request, sink);
        return 0;
    }
    const bool back = request.action == JF_MIGRATE_PLAN_ROLLBACK || request.action == JF_MIGRATE_ROLLBACK;
    const bool planned = request.action == JF_MIGRATE_PLAN || request.action == JF_MIGRATE_PLAN_ROLLBACK;
    std::uint64_t rows = 0;
    std::vector<Change> changes = plan(writer, request, back);
    // All are looked at before the first is changed.
    if (!planned)
        for (const Change& change : changes) check_allowed(change, request);
    for (Change& change : changes) {
        report(change, options, sink, planned);
        if (!planned) apply(writer, options, change);
        rows += change.rows;
    }
    return rows;
}

}  // namespace jackfield::sqlite
