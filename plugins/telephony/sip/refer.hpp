#pragma once

// What stands in REFER, Replaces and their NOTIFYs (RFC 3515, RFC 3891). Pure.

#include <optional>
#include <string>
#include <string_view>

namespace jackfield::sip {

/// A dialog as another party names it.
struct DialogName {
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;
    std::string target;  // the far end's Contact
};

/// The value of a Refer-To that makes its receiver take over the far end of `dialog` (RFC 3891 3).
std::string refer_to_replacing(const DialogName& dialog);
/// A SIP URI cut into what goes into the request line and the value of the Replaces header that it
/// carries (RFC 3261 19.1.5); other headers of it are dropped.
struct Dialled {
    std::string uri;
    std::string replaces;
};
Dialled cut_uri_headers(std::string_view uri);
/// A Replaces header (RFC 3891 6.1): the dialog as its owner names it. None when it isn't well
/// formed.
struct ReplacedDialog {
    std::string call_id;
    std::string local_tag;
    std::string remote_tag;
    bool early_only = false;
};
std::optional<ReplacedDialog> parse_replaces(std::string_view value);
/// The status of a message/sipfrag body, 0 when there is none.
unsigned sipfrag_status(std::string_view body);
/// "%20" and the like, undone; what isn't well formed stays as it is.
std::string unescaped(std::string_view text);

}  // namespace jackfield::sip
