#pragma once

// Our own registration at a carrier or PBX (RFC 3261 10.2). On the loop's thread only.

#include "request.hpp"

#include <jackfield/sdk/plugin.hpp>

#include <functional>
#include <memory>
#include <string>

namespace jackfield::sip {

class Registration {
  public:
    struct What {
        std::string registrar;  // Request-URI
        std::string address;    // who we are: To and From
        std::string contact;    // where we can be reached
        std::uint32_t expires_s;
        /// The next hop for an attempt, empty: the registrar itself.
        std::function<std::string()> next_hop;
        /// Registered or not any more, with why.
        std::function<void(bool registered, const std::string& why)> on_change;
    };

    Registration(const Sender& sender, What what);
    ~Registration();
    Registration(const Registration&) = delete;

    void start() { send(); }
    /// Takes the registration back; what comes of it is not waited for.
    void stop();
    bool registered() const { return registered_; }

    /// How long to wait after that many failures in a row; `random` in [0, 1).
    static std::uint64_t backoff_ms(unsigned failures, double random);

  private:
    void send();
    void answered(int problem, const struct sip_msg* response);
    void again_in(std::uint64_t ms);
    void changed(bool registered, const std::string& why);

    Sender sender_;
    What what_;
    Ref<struct sip_auth> auth_;
    std::string call_id_ = random_token();
    std::string tag_ = random_token().substr(0, 16);
    std::uint32_t cseq_ = 0;
    std::unique_ptr<Request> request_;
    struct tmr timer_ {};
    unsigned failures_ = 0;
    bool registered_ = false;
    bool told_ = false;
    bool stopping_ = false;
};

}  // namespace jackfield::sip
