#pragma once

// The carriers' proxies, in the order in which they are tried, and which of them answer. On the
// loop's thread, but for order(), which any may call.

#include "request.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace jackfield::sip {

class Trunks {
  public:
    struct Change {
        std::string proxy;
        bool up;
        std::string why;
        std::size_t up_count;
    };
    Trunks(std::vector<std::string> proxies, std::function<void(const Change&)> on_change);
    ~Trunks();
    Trunks(const Trunks&) = delete;

    /// Asks each with OPTIONS, now and every `interval_s`.
    void watch(const Sender& sender, const std::string& own_address, std::uint32_t interval_s);
    void stop();

    /// Those that answer before those that don't, else as configured: one that is down is the last
    /// hope and not no hope.
    std::vector<std::string> order() const;
    bool empty() const { return trunks_.empty(); }
    /// What a call has shown: an answer, or that there was none.
    void note(const std::string& proxy, bool answered, const std::string& why);

  private:
    struct Trunk {
        Trunks* owner;
        std::string uri;
        bool up = true;
        unsigned failures = 0;
        std::string call_id;
        std::uint32_t cseq = 0;
        std::unique_ptr<Request> request;
        struct tmr timer {};
        struct tmr patience {};
    };
    void ask(Trunk& trunk);
    void asked(Trunk& trunk, bool answered, const std::string& why);
    void set(Trunk& trunk, bool up, const std::string& why);

    std::vector<std::unique_ptr<Trunk>> trunks_;
    std::function<void(const Change&)> on_change_;
    Sender sender_{};
    std::string own_address_;
    std::uint64_t interval_ms_ = 0;
    mutable std::mutex mutex_;  // of the `up` flags
};

}  // namespace jackfield::sip
