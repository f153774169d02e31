#include "registrar.hpp"

#include "text.hpp"

#include <algorithm>

namespace jackfield::sip {
namespace {

void forget_old(std::vector<Binding>& bindings, std::uint64_t now_ms) {
    std::erase_if(bindings, [&](const Binding& one) { return one.until_ms <= now_ms; });
}

}  // namespace

std::string reach_through(std::string_view contact,
                          const jf_endpoint& source,
                          std::string_view transport) {
    const std::size_t question = contact.find('?');
    contact = contact.substr(0, question);
    const std::size_t at = contact.find('@');
    const std::size_t scheme = contact.find(':');
    const std::string user(at == std::string_view::npos ? std::string_view()
                                                        : contact.substr(scheme + 1, at - scheme));
    const std::size_t parameters = contact.find(';', at == std::string_view::npos ? 0 : at);
    std::string out = "sip:" + user + endpoint_text(source);
    std::string rest(parameters == std::string_view::npos ? std::string_view()
                                                          : contact.substr(parameters));
    // The flow that is there is the one to use, whatever the phone wrote.
    if (const std::size_t old = lower(rest).find(";transport="); old != std::string::npos)
        rest.erase(old,
                   rest.find(';', old + 1) == std::string::npos ? std::string::npos
                                                                : rest.find(';', old + 1) - old);
    out += rest;
    if (transport != "udp") out += ";transport=" + std::string(transport);
    return out;
}

unsigned Registrar::take(const Request& request, std::uint64_t now_ms) {
    const std::lock_guard lock(mutex_);
    std::vector<Binding>& bindings = users_[request.user];
    forget_old(bindings, now_ms);
    for (const Binding& one : bindings)
        if (one.call_id == request.call_id && one.cseq >= request.cseq) return 500;
    if (request.all_away) {
        if (!request.wanted.empty() || request.expires_s != 0u) return 400;
        bindings.clear();
        return 200;
    }
    // All or nothing, so all is looked at first.
    for (const WantedBinding& one : request.wanted) {
        const std::uint32_t expires_s =
            one.expires_s.value_or(request.expires_s.value_or(most_expires_s));
        if (expires_s != 0 && expires_s < least_expires_s) return 423;
        if (!is_token(one.contact) ||
            (!one.contact.starts_with("sip:") && !one.contact.starts_with("sips:")) ||
            one.contact.find_first_of("<>\"\\") != std::string::npos)
            return 400;
    }
    if (request.wanted.size() > most_bindings) return 403;
    for (const WantedBinding& one : request.wanted) {
        std::erase_if(bindings, [&](const Binding& old) { return old.contact == one.contact; });
        const std::uint32_t expires_s = std::min(
            one.expires_s.value_or(request.expires_s.value_or(most_expires_s)), most_expires_s);
        if (expires_s == 0) continue;
        bindings.insert(bindings.begin(),
                        {one.contact,
                         reach_through(one.contact, request.source, request.transport),
                         request.call_id,
                         request.cseq,
                         now_ms + std::uint64_t{expires_s} * 1000});
    }
    // A phone that restarts with another port each time pushes its own oldest out.
    if (bindings.size() > most_bindings) bindings.resize(most_bindings);
    return 200;
}

std::vector<Binding> Registrar::bindings(std::string_view user, std::uint64_t now_ms) const {
    const std::lock_guard lock(mutex_);
    const auto found = users_.find(user);
    if (found == users_.end()) return {};
    std::vector<Binding> out = found->second;
    forget_old(out, now_ms);
    return out;
}

std::size_t Registrar::size(std::uint64_t now_ms) const {
    const std::lock_guard lock(mutex_);
    std::size_t out = 0;
    for (const auto& [user, bindings] : users_)
        out += static_cast<std::size_t>(
            std::count_if(bindings.begin(), bindings.end(), [&](const Binding& one) {
                return one.until_ms > now_ms;
            }));
    return out;
}

}  // namespace jackfield::sip
