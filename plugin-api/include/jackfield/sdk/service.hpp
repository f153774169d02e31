#pragma once

// The table of jf.service/1 made from a class with
//   void on_event(jf_op op, const jf_service_event& event);   accept it and complete now or later, or throw Failure
//   void on_tick(jf_op op);                                   likewise, where the descriptor has tick_ms
// and, where the descriptor names jobs or routes,
//   void on_job(jf_op op, const jf_service_event& job);
//   void on_request(jf_op op, const jf_service_event& request);

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/service.h>

namespace jackfield::sdk {

template <typename T>
const jf_service_v1* service_table() {
    static const jf_service_v1 table = [] {
        jf_service_v1 t = make<jf_service_v1>();
        t.on_event = [](jf_instance* self, jf_op op, const jf_service_event* event, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(event, jf_service_event, json)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->on_event(op, *event);
                return JF_OK;
            });
        };
        if constexpr (requires(T& service, jf_op op) { service.on_tick(op); })
            t.on_tick = [](jf_instance* self, jf_op op, jf_error* error) {
                return guarded(error, [&] { reinterpret_cast<T*>(self)->on_tick(op); });
            };
        if constexpr (requires(T& service, jf_op op, const jf_service_event& job) { service.on_job(op, job); })
            t.on_job = [](jf_instance* self, jf_op op, const jf_service_event* job, jf_error* error) {
                return guarded(error, [&]() -> jf_status {
                    if (!JF_HAS(job, jf_service_event, json)) return JF_E_INVALID;
                    reinterpret_cast<T*>(self)->on_job(op, *job);
                    return JF_OK;
                });
            };
        if constexpr (requires(T& service, jf_op op, const jf_service_event& request) { service.on_request(op, request); })
            t.on_request = [](jf_instance* self, jf_op op, const jf_service_event* request, jf_error* error) {
                return guarded(error, [&]() -> jf_status {
                    if (!JF_HAS(request, jf_service_event, json)) return JF_E_INVALID;
                    reinterpret_cast<T*>(self)->on_request(op, *request);
                    return JF_OK;
                });
            };
        return t;
    }();
    return &table;
}

}  // namespace jackfield::sdk
