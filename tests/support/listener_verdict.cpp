#include "base/json.hpp"
#include "support/listener.hpp"

namespace jackfield::listener {

std::string Verdict::json() const {
    base::JsonWriter json;
    json.begin_object().member("passed", passed()).member("right", right).member("shuffled", shuffled);
    json.key("replies").begin_array();
    for (const HeardReply& reply : replies) {
        json.begin_object().member("expected", reply.expected).member("heard", reply.heard);
        json.member("right", reply.right).member("shuffled", reply.shuffled).end_object();
    }
    json.end_array().end_object();
    return json.take();
}

}  // namespace jackfield::listener
