#include "conformance/kit/check.hpp"
#include "conformance/suites.hpp"
#include "conformance/module/module_suite.hpp"

namespace jackfield::conformance {

std::span<const Suite> all_suites() {
    static const Suite suites[] = {
        {"", "module", module_checks()},
        {"jf.stt/1", "stt", stt_checks(), stt_mid_op},
        {"jf.tts/1", "tts", tts_checks(), tts_mid_op},
        {"jf.llm/1", "llm", llm_checks(), llm_mid_op},
        {"jf.telephony/1", "telephony", telephony_checks(), telephony_mid_op},
        {"jf.embedding/1", "embedding", embedding_checks(), embedding_mid_op},
        {"jf.messaging/1", "messaging", messaging_checks(), messaging_mid_op},
        {"jf.telemetry/1", "telemetry", telemetry_checks(), telemetry_mid_op},
        {"jf.webhook/1", "webhook", webhook_checks(), webhook_mid_op},
        {"jf.records/1", "records", records_checks(), records_mid_op},
        {"jf.tools/1", "tools", tools_checks(), tools_mid_op},
        {"jf.service/1", "service", service_checks(), service_mid_op},
        {"jf.vectors/1", "vectors", vectors_checks(), vectors_mid_op},
    };
    return suites;
}

}  // namespace jackfield::conformance
