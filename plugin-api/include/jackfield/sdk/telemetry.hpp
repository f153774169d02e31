#pragma once

// The table of jf.telemetry/1 made from a class with
//   void send(jf_op op, const jf_telemetry_batch& batch);   accept it and complete now or later (telemetry_done), or throw Failure

#include <jackfield/sdk/plugin.hpp>
#include <jackfield/telemetry.h>

namespace jackfield::sdk {

template <typename T>
const jf_telemetry_v1* telemetry_table() {
    static const jf_telemetry_v1 table = [] {
        jf_telemetry_v1 t = make<jf_telemetry_v1>();
        t.send = [](jf_instance* self, jf_op op, const jf_telemetry_batch* batch, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(batch, jf_telemetry_batch, spans)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->send(op, known(batch));
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

inline std::uint32_t items_of(const jf_telemetry_batch& batch) { return batch.spans.n + batch.generations.n + batch.scores.n; }

inline void telemetry_done(const Host& host, jf_op op, std::uint32_t accepted, std::uint32_t rejected = 0) {
    jf_telemetry_done done = make<jf_telemetry_done>();
    done.accepted = accepted;
    done.rejected = rejected;
    host.complete_with(op, JF_OK, JF_EV_TELEMETRY_DONE, done);
}

}  // namespace jackfield::sdk
