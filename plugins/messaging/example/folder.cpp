#include "folder.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include <jackfield/sdk/plugin.hpp>

namespace jackfield::messaging_example {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t largest_file = 1 << 20;

std::string one_line(std::string text) {
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
}

}  // namespace

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= 200 && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    });
}

std::string write_letter(const Letter& letter) {
    return "from: " + one_line(letter.from) + "\nto: " + one_line(letter.to) + "\nsubject: " + one_line(letter.subject) + "\n\n" + letter.text;
}

Letter read_letter(std::string_view file) {
    Letter out;
    while (!file.empty()) {
        const std::size_t end = std::min(file.find('\n'), file.size());
        const std::string_view line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.empty()) break;
        for (const auto& [name, target] : {std::pair{"from: ", &out.from}, {"to: ", &out.to}, {"subject: ", &out.subject}})
            if (line.starts_with(name)) *target = line.substr(std::string_view(name).size());
    }
    out.text = file;
    return out;
}

void Folder::prepare() const {
    std::error_code error;
    for (const char* name : {"outbox", "inbox", "accepted"}) {
        fs::create_directories(root_ / name, error);
        if (error) throw sdk::Failure(JF_E_STATE, (root_ / name).string() + ": " + error.message());
    }
}

void Folder::put(const Letter& letter) const {
    const fs::path target = root_ / "outbox" / letter.id;
    std::error_code error;
    if (fs::exists(target, error)) return;
    const fs::path draft = root_ / "outbox" / ("." + letter.id);
    {
        std::ofstream file(draft, std::ios::binary | std::ios::trunc);
        file << write_letter(letter);
        if (!file.flush()) throw sdk::Failure(JF_E_QUOTA, draft.string() + " cannot be written", JF_RETRY_AFTER);
    }
    fs::rename(draft, target, error);
    if (error) throw sdk::Failure(JF_E_INTERNAL, target.string() + ": " + error.message());
}

std::vector<Letter> Folder::incoming(std::size_t most) const {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(root_ / "inbox", error), end; !error && it != end; it.increment(error))
        if (it->is_regular_file(error) && it->file_size(error) <= largest_file && is_plain_name(it->path().filename().string()))
            names.push_back(it->path().filename().string());
    if (error) throw sdk::Failure(JF_E_PEER_LOST, (root_ / "inbox").string() + ": " + error.message(), JF_RETRY_AFTER);
    std::sort(names.begin(), names.end());
    names.resize(std::min(names.size(), most));
    std::vector<Letter> out;
    for (const std::string& name : names) {
        std::ifstream file(root_ / "inbox" / name, std::ios::binary);
        out.push_back(read_letter(std::string(std::istreambuf_iterator<char>(file), {})));
        out.back().id = name;
    }
    return out;
}

bool Folder::accept(const std::string& id) const {
    if (!is_plain_name(id)) return false;
    std::error_code error;
    fs::rename(root_ / "inbox" / id, root_ / "accepted" / id, error);
    return !error || fs::exists(root_ / "accepted" / id, error);
}

}  // namespace jackfield::messaging_example
