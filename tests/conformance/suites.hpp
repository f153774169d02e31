#pragma once

#include "conformance/kit/check.hpp"

namespace jackfield::conformance {

// One pair per interface: its checks, and work to be killed in.
std::span<const Check> stt_checks();
void stt_mid_op(Bench& bench);
std::span<const Check> tts_checks();
void tts_mid_op(Bench& bench);
std::span<const Check> llm_checks();
void llm_mid_op(Bench& bench);
std::span<const Check> embedding_checks();
void embedding_mid_op(Bench& bench);
std::span<const Check> messaging_checks();
void messaging_mid_op(Bench& bench);
std::span<const Check> telemetry_checks();
void telemetry_mid_op(Bench& bench);
std::span<const Check> webhook_checks();
void webhook_mid_op(Bench& bench);
std::span<const Check> tools_checks();
void tools_mid_op(Bench& bench);
std::span<const Check> telephony_checks();
void telephony_mid_op(Bench& bench);
std::span<const Check> service_checks();
void service_mid_op(Bench& bench);
std::span<const Check> records_checks();
void records_mid_op(Bench& bench);
std::span<const Check> vectors_checks();
void vectors_mid_op(Bench& bench);

}  // namespace jackfield::conformance
