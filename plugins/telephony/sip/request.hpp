#pragma once

// One request of ours besides INVITE: within a call's dialog, or outside of any. Answers digest
// challenges. On the loop's thread only.

#include "libre.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace jackfield::sip {

/// What a request needs of its instance.
struct Sender {
    struct sip* stack;
    sip_auth_h* on_credentials;
    void* credentials;
    /// Before each request outside of a dialog: where it is about to go.
    std::function<void(std::string_view hop)> about_to_send;
    struct sip_auth* auth = nullptr;  // what has been learnt of nonces already; null: nothing
};

class Request {
  public:
    /// The final answer, once: `problem` is an errno when none came and `response` is null then.
    /// The callee may drop the request.
    using Done = std::function<void(int problem, const struct sip_msg* response)>;

    /// What stands in a request outside of a dialog. CSeq counts on from `cseq` with each attempt.
    struct Outside {
        std::string uri;       // Request-URI
        std::string next_hop;  // SIP URI; empty: as `uri`
        std::string from;      // header value with its tag
        std::string to;        // header value
        std::string call_id;
        std::uint32_t* cseq;
    };

    /// `headers` are complete lines; null when it can't be sent, and then nothing follows.
    static std::unique_ptr<Request> within(const Sender& sender,
                                           struct sip_dialog* dialog,
                                           std::string method,
                                           std::string headers,
                                           std::string body,
                                           Done done);
    static std::unique_ptr<Request> outside(
        const Sender& sender, Outside parts, std::string method, std::string headers, Done done);
    /// An answer that still comes is ignored.
    ~Request();
    Request(const Request&) = delete;

  private:
    Request(const Sender& sender, std::string method, std::string headers, Done done);
    int send();
    void on_response(int problem, const struct sip_msg* response);

    Sender sender_;
    std::string method_;
    std::string headers_;
    std::string body_;
    Ref<struct sip_dialog> dialog_;
    Outside outside_{};
    Ref<struct sip_auth> auth_;
    struct sip_request* request_ = nullptr;
    Done done_;
    unsigned attempts_ = 0;
};

/// A random token for Call-ID, tags and the like.
std::string random_token();

}  // namespace jackfield::sip
