#include "observe/secrets.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace jackfield::observe {

void Secrets::add(std::string_view text) {
    if (text.size() < shortest) return;
    std::string escaped;
    base::append_json_string(escaped, text);
    escaped = escaped.substr(1, escaped.size() - 2);

    const std::lock_guard lock(mutex_);
    Patterns next = *patterns_;
    next.emplace_back(text);
    next.push_back(std::move(escaped));
    // The longest first: of a secret that holds another one nothing may stay.
    std::sort(next.begin(), next.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() > b.size() : a < b;
    });
    next.erase(std::unique(next.begin(), next.end()), next.end());
    patterns_ = std::make_shared<const Patterns>(std::move(next));
}

std::string Secrets::redact(std::string line) const {
    std::shared_ptr<const Patterns> patterns;
    {
        const std::lock_guard lock(mutex_);
        patterns = patterns_;
    }
    constexpr std::string_view hidden = "***";
    for (const std::string& secret : *patterns)
        for (std::size_t at = line.find(secret); at != line.npos;
             at = line.find(secret, at + hidden.size()))
            line.replace(at, secret.size(), hidden);
    return line;
}

}  // namespace jackfield::observe
