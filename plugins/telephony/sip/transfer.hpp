#pragma once

// REFER in both directions (RFC 3515): the far end is asked to call somebody else, or asks us. On
// the loop's thread.

#include "refer.hpp"
#include "request.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

/// What somebody wants to be called, out of a Refer-To; none when it isn't about a call.
std::optional<std::string> parse_refer_to(std::string_view value);
/// A transfer that we asked for: from REFER to the NOTIFY that ends it.
class Transfer {
  public:
    /// Once: the final status; 0 when none came.
    using Done = std::function<void(bool worked, unsigned status)>;

    static std::unique_ptr<Transfer> ask(const Sender& sender,
                                         struct sip_dialog* dialog,
                                         const std::string& contact,
                                         const std::string& referred_by,
                                         const std::string& refer_to,
                                         Done done);
    ~Transfer();
    /// A NOTIFY of the refer event; it has been answered. May end in `done`, which may drop this.
    void on_notify(const struct sip_msg* msg);
    bool accepted() const { return accepted_; }

  private:
    explicit Transfer(Done done) : done_(std::move(done)) {}
    void finish(bool worked, unsigned status);

    Done done_;
    std::unique_ptr<Request> request_;
    struct tmr patience_ {};
    bool accepted_ = false;
};

/// A transfer that the far end asked for and we have accepted: what becomes of it, by NOTIFY.
class TransferAsked {
  public:
    TransferAsked(const Sender& sender,
                  struct sip_dialog* dialog,
                  std::string contact,
                  std::uint32_t refer_cseq,
                  bool silent);
    void report(unsigned status);
    /// The far end has been told how it ended, or would have been.
    bool over() const { return final_; }

  private:
    void send_next();

    Sender sender_;
    Ref<struct sip_dialog> dialog_;
    std::string contact_;
    std::string event_;
    bool silent_;  // RFC 4488: no subscription is wanted
    bool final_ = false;
    std::deque<unsigned> waiting_;
    std::unique_ptr<Request> request_;
};

}  // namespace jackfield::sip
