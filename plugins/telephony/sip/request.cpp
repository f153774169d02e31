#include "request.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace jackfield::sip {
namespace {

// One challenge, one with stale=true, and one of a proxy in between.
constexpr unsigned most_attempts = 4;

}  // namespace

std::string random_token() {
    char out[33];
    std::snprintf(out, sizeof out, "%016" PRIx64 "%016" PRIx64, rand_u64(), rand_u64());
    return out;
}

Request::Request(const Sender& sender, std::string method, std::string headers, Done done)
    : sender_(sender),
      method_(std::move(method)),
      headers_(std::move(headers)),
      done_(std::move(done)) {
    struct sip_auth* auth = nullptr;
    if (sender_.auth)
        auth_.reset(static_cast<struct sip_auth*>(mem_ref(sender_.auth)));
    else if (sip_auth_alloc(&auth, sender_.on_credentials, sender_.credentials, true) == 0)
        auth_.reset(auth);
}

Request::~Request() {
    done_ = nullptr;
    // Dropping a request that waits cancels it, and nobody is told.
    mem_deref(request_);
}

std::unique_ptr<Request> Request::within(const Sender& sender,
                                         struct sip_dialog* dialog,
                                         std::string method,
                                         std::string headers,
                                         std::string body,
                                         Done done) {
    std::unique_ptr<Request> out(
        new Request(sender, std::move(method), std::move(headers), std::move(done)));
    out->dialog_.reset(static_cast<struct sip_dialog*>(mem_ref(dialog)));
    out->body_ = std::move(body);
    return out->dialog_ && out->send() == 0 ? std::move(out) : nullptr;
}

std::unique_ptr<Request> Request::outside(
    const Sender& sender, Outside parts, std::string method, std::string headers, Done done) {
    std::unique_ptr<Request> out(
        new Request(sender, std::move(method), std::move(headers), std::move(done)));
    out->outside_ = std::move(parts);
    return out->send() == 0 ? std::move(out) : nullptr;
}

int Request::send() {
    ++attempts_;
    const auto on_response = [](int problem, const struct sip_msg* response, void* self) {
        static_cast<Request*>(self)->on_response(problem, response);
    };
    const std::string tail =
        headers_ + "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n" + body_;
    if (dialog_)
        return sip_drequestf(&request_,
                             sender_.stack,
                             true,
                             method_.c_str(),
                             dialog_.get(),
                             0,
                             auth_.get(),
                             nullptr,
                             on_response,
                             this,
                             "%s",
                             tail.c_str());
    const std::string& hop = outside_.next_hop.empty() ? outside_.uri : outside_.next_hop;
    const struct pl hop_text = pl_of(hop);
    struct uri next_hop;
    if (sender_.about_to_send) sender_.about_to_send(hop);
    if (const int problem = uri_decode(&next_hop, &hop_text)) return problem;
    return sip_requestf(&request_,
                        sender_.stack,
                        true,
                        method_.c_str(),
                        outside_.uri.c_str(),
                        &next_hop,
                        auth_.get(),
                        nullptr,
                        on_response,
                        this,
                        "To: %s\r\nFrom: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s",
                        outside_.to.c_str(),
                        outside_.from.c_str(),
                        outside_.call_id.c_str(),
                        ++*outside_.cseq,
                        method_.c_str(),
                        tail.c_str());
}

void Request::on_response(int problem, const struct sip_msg* response) {
    if (response && response->scode < 200) return;
    if (!problem && (response->scode == 401 || response->scode == 407) &&
        attempts_ < most_attempts && auth_ && sip_auth_authenticate(auth_.get(), response) == 0 &&
        send() == 0)
        return;
    if (Done done = std::move(done_)) done(problem, problem ? nullptr : response);
}

}  // namespace jackfield::sip
