#include "shared_jobs.hpp"

#include <sstream>

namespace jackfield::test::model {

std::string SharedJobs::answered(const Operation& operation, const std::string& token, const std::string& answer) {
    std::istringstream words(answer);
    int status = 1;
    words >> status;
    if (status != JF_OK) return "answered " + answer;
    if (operation.shared == Operation::Shared::add) {
        added_.insert(token);
        return {};
    }
    std::uint32_t n = 0;
    for (std::string id; words >> id; ++n) {
        const auto [taker, first] = takers_.emplace(id, token);
        if (!first) return id + " went to " + taker->second + " and to " + token;
    }
    claims_ += n;
    return n > operation.most ? token + " got more than it asked for" : std::string();
}

/// One record as it stands.
std::string SharedJobs::check(const sdk::Row& row, const std::map<std::string, Operation>& under_way) {
    const std::string id = row.id(), token = id.substr(0, id.rfind('-')), taker = row.field(name).text();
    const bool taken = row.field(score).integer() == 1;
    if (!added_.contains(token)) {
        if (!under_way.contains(token)) return id + " was added by nobody";
        found_.insert(token);
    }
    standing_[token].insert(id);
    if (taken != (taker != "waits") || row.rev() != (taken ? 2u : 1u)) return id + " is half claimed";
    const auto answered = takers_.find(id);
    if (answered != takers_.end()) return taken && taker == answered->second ? std::string() : id + " was claimed by " + answered->second + " and stands with '" + taker + "'";
    if (!taken) return {};
    if (!under_way.contains(taker)) return id + " was claimed by " + taker + ", which was answered without it";
    found_.insert(taker);
    return {};
}

std::string SharedJobs::look_at(Database& db, std::uint32_t handle, const std::map<std::string, Operation>& under_way) {
    found_.clear();
    standing_.clear();
    for (const sdk::Row& row : db(sdk::Query(handle, shared_tenant).limit(1000000)).rows)
        if (std::string wrong = check(row, under_way); !wrong.empty()) return wrong;
    for (const auto& [token, ids] : standing_)
        if (ids.size() != 3) return "of the three that " + token + " added there are " + std::to_string(ids.size());
    for (const std::string& token : added_)
        if (!standing_.contains(token)) return "what " + token + " added is gone";
    added_.clear();
    takers_.clear();
    const sdk::RecordsReply removed = db(sdk::Write::remove(handle, shared_tenant).term(score, JF_TERM_NOT_NULL, {}));
    return removed.status == JF_OK ? std::string() : removed.error;
}

}  // namespace jackfield::test::model
