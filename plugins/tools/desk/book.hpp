#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <jackfield/sdk/records.hpp>

#include "config.hpp"

namespace jackfield::desk {

/// Fields of `desk.appointments`: their numbers are for ever, new ones are appended.
enum AppointmentField : std::uint16_t {
    appointment_starts = JF_FIELD_FIRST, ///< local, "2026-11-23T09:30"
    appointment_seat,                    ///< 0 .. at_once - 1: with starts unique, which is what keeps two out of one place
    appointment_name, appointment_phone, appointment_note, appointment_code, appointment_call,
};
sdk::Collection appointments();

/// Fields of `desk.cancellations`, by the key of the call that cancelled.
enum CancellationField : std::uint16_t { cancellation_code = JF_FIELD_FIRST, cancellation_starts, cancellation_name, cancellation_phone };
sdk::Collection cancellations();

std::string starts_text(const Moment& moment);

/// What a caller may say of their appointment: six digits, the same for the same key.
std::string code_for(std::string_view key);

/// Digits only, so that "+1 212 555-0100" and "12125550100" are one number.
std::string digits_of(std::string_view text);

/// Why no appointment can begin then; empty when one can.
std::string objection(const Config& config, const Moment& wanted, const Moment& now);

/// Times of a day at which fewer than at_once of `taken` ("2026-11-23T09:30", any order) begin and that are not too near.
std::vector<int> free_times(const Config& config, std::chrono::local_days day, const std::vector<std::string>& taken, const Moment& now);

std::string free_times_json(std::chrono::local_days day, const std::vector<int>& times);
std::string booked_json(std::string_view code, std::string_view starts, std::string_view name);
std::string found_json(const std::vector<sdk::Row>& rows);

}  // namespace jackfield::desk
