#include <jackfield/sdk/service.hpp>

#include "faulty.hpp"
#include "plugins/service/example/plugin.cpp"

namespace {

using faulty::is;
const jf_service_v1* right = nullptr;

jf_status on_event(jf_instance* self, jf_op op, const jf_service_event* event, jf_error* error) {
    const std::string_view name = jackfield::sdk::view(event->name);
    if (is("refuses_its_event") && name == "call.ended") return JF_E_INTERNAL;
    if (is("refuses_the_second") && event->attempt > 1) return JF_E_CONFLICT;
    if (is("fails_unknown_events") && name != "call.ended") return JF_E_INTERNAL;
    if (is("crashes_on_odd_events") && event->json.len == 0) __builtin_trap();
    if (is("never_completes")) return JF_OK;
    if (is("reads_beyond") && event->json.len) {
        const volatile char first = event->json.ptr[0];
        (void)first;
    }
    return right->on_event(self, op, event, error);
}

const bool set = [] {
    faulty::query_fault = [](const void* table, std::string_view) -> const void* {
        static jf_service_v1 wrong = *static_cast<const jf_service_v1*>(table);
        right = static_cast<const jf_service_v1*>(table);
        wrong.on_event = on_event;
        wrong.on_tick = is("has_no_tick") ? nullptr : wrong.on_tick;
        if (is("tick_fails"))
            wrong.on_tick = [](jf_instance*, jf_op, jf_error*) -> jf_status { return JF_E_INTERNAL; };
        return &wrong;
    };
    return true;
}();

}  // namespace

FAULTY_MODULE
