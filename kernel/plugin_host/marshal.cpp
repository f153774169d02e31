#include "plugin_host/marshal.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace jackfield::plugin_host {
namespace {

using Kind = Pointer::Kind;

constexpr Pointer bytes_at(std::size_t offset) {
    return {Kind::bytes, static_cast<std::uint16_t>(offset), nullptr};
}
constexpr Pointer array_at(std::size_t offset, const Layout& element) {
    return {Kind::array, static_cast<std::uint16_t>(offset), &element};
}
constexpr Pointer object_at(std::size_t offset, const Layout& element) {
    return {Kind::object, static_cast<std::uint16_t>(offset), &element};
}

template <typename T>
constexpr Layout layout(std::span<const Pointer> pointers = {}, bool has_struct_size = true) {
    return {static_cast<std::uint32_t>(sizeof(T)), has_struct_size, pointers};
}

constexpr Layout u16_layout = layout<std::uint16_t>({}, false);
constexpr Layout i64_layout = layout<std::int64_t>({}, false);
constexpr Layout f32_layout = layout<float>({}, false);
constexpr Pointer str_pointers[] = {bytes_at(0)};
constexpr Layout str_layout = layout<jf_str>(str_pointers, false);
constexpr Layout bytes_layout = layout<jf_bytes>(str_pointers, false);
constexpr Pointer pair_pointers[] = {bytes_at(offsetof(jf_pair, key)), bytes_at(offsetof(jf_pair, value))};
constexpr Layout pair_layout = layout<jf_pair>(pair_pointers, false);
constexpr Layout format_layout = layout<jf_format>();
constexpr Pointer frame_pointers[] = {bytes_at(offsetof(jf_frame, data))};
constexpr Layout frame_layout = layout<jf_frame>(frame_pointers);
constexpr Pointer word_pointers[] = {bytes_at(offsetof(jf_word, text))};
constexpr Layout word_layout = layout<jf_word>(word_pointers);
constexpr Pointer text_pointers[] = {bytes_at(offsetof(jf_text, text)), array_at(offsetof(jf_text, words), word_layout),
                                     bytes_at(offsetof(jf_text, language))};
constexpr Layout text_layout = layout<jf_text>(text_pointers);
constexpr Pointer datagram_pointers[] = {bytes_at(offsetof(jf_datagram, data))};
constexpr Layout datagram_layout = layout<jf_datagram>(datagram_pointers);
constexpr Layout tcp_connected_layout = layout<jf_tcp_connected>();
constexpr Pointer tcp_data_pointers[] = {bytes_at(offsetof(jf_tcp_data, data))};
constexpr Layout tcp_data_layout = layout<jf_tcp_data>(tcp_data_pointers);
constexpr Layout tcp_incoming_layout = layout<jf_tcp_incoming>();

constexpr Pointer incoming_pointers[] = {
    bytes_at(offsetof(jf_incoming, leg)),       bytes_at(offsetof(jf_incoming, from)),
    bytes_at(offsetof(jf_incoming, from_name)), bytes_at(offsetof(jf_incoming, to)),
    array_at(offsetof(jf_incoming, keys), str_layout), bytes_at(offsetof(jf_incoming, leg_state)),
    array_at(offsetof(jf_incoming, headers), pair_layout)};
constexpr Layout incoming_layout = layout<jf_incoming>(incoming_pointers);
constexpr Pointer call_end_pointers[] = {bytes_at(offsetof(jf_call_end, text))};
constexpr Layout call_end_layout = layout<jf_call_end>(call_end_pointers);
constexpr Pointer signalling_pointers[] = {bytes_at(offsetof(jf_signalling, data))};
constexpr Layout signalling_layout = layout<jf_signalling>(signalling_pointers);
constexpr Layout dtmf_layout = layout<jf_dtmf>();
constexpr Layout quality_layout = layout<jf_quality>();
constexpr Layout answer_layout = layout<jf_answer>();
constexpr Pointer dial_pointers[] = {bytes_at(offsetof(jf_dial, to)), bytes_at(offsetof(jf_dial, from)),
                                     bytes_at(offsetof(jf_dial, from_name)),
                                     array_at(offsetof(jf_dial, headers), pair_layout),
                                     bytes_at(offsetof(jf_dial, idempotency_key))};
constexpr Layout dial_layout = layout<jf_dial>(dial_pointers);
constexpr Pointer tel_control_pointers[] = {bytes_at(offsetof(jf_telephony_control, text))};
constexpr Layout tel_control_layout = layout<jf_telephony_control>(tel_control_pointers);

constexpr Pointer hints_pointers[] = {bytes_at(offsetof(jf_hints, grammar)),
                                      array_at(offsetof(jf_hints, phrases), str_layout),
                                      array_at(offsetof(jf_hints, keywords), str_layout)};
constexpr Layout hints_layout = layout<jf_hints>(hints_pointers);
constexpr Pointer stt_open_pointers[] = {bytes_at(offsetof(jf_stt_open, language)),
                                         object_at(offsetof(jf_stt_open, hints), hints_layout)};
constexpr Layout stt_open_layout = layout<jf_stt_open>(stt_open_pointers);
constexpr Pointer stt_control_pointers[] = {bytes_at(offsetof(jf_stt_control, text)),
                                            object_at(offsetof(jf_stt_control, hints), hints_layout)};
constexpr Layout stt_control_layout = layout<jf_stt_control>(stt_control_pointers);
constexpr Layout stt_usage_layout = layout<jf_stt_usage>();

constexpr Pointer tts_open_pointers[] = {bytes_at(offsetof(jf_tts_open, language)), bytes_at(offsetof(jf_tts_open, voice))};
constexpr Layout tts_open_layout = layout<jf_tts_open>(tts_open_pointers);
constexpr Pointer tts_text_pointers[] = {bytes_at(offsetof(jf_tts_text, text))};
constexpr Layout tts_text_layout = layout<jf_tts_text>(tts_text_pointers);
constexpr Layout tts_usage_layout = layout<jf_tts_usage>();

constexpr Pointer tool_call_pointers[] = {bytes_at(offsetof(jf_tool_call, id)), bytes_at(offsetof(jf_tool_call, name)),
                                          bytes_at(offsetof(jf_tool_call, arguments))};
constexpr Layout tool_call_layout = layout<jf_tool_call>(tool_call_pointers);
constexpr Pointer message_pointers[] = {bytes_at(offsetof(jf_message, content)),
                                        array_at(offsetof(jf_message, tool_calls), tool_call_layout),
                                        bytes_at(offsetof(jf_message, tool_call_id))};
constexpr Layout message_layout = layout<jf_message>(message_pointers);
constexpr Pointer tool_pointers[] = {bytes_at(offsetof(jf_tool, name)), bytes_at(offsetof(jf_tool, description)),
                                     bytes_at(offsetof(jf_tool, parameters))};
constexpr Layout tool_layout = layout<jf_tool>(tool_pointers);
constexpr Pointer llm_request_pointers[] = {
    array_at(offsetof(jf_llm_request, messages), message_layout), array_at(offsetof(jf_llm_request, tools), tool_layout),
    bytes_at(offsetof(jf_llm_request, reply_schema)), bytes_at(offsetof(jf_llm_request, session)),
    bytes_at(offsetof(jf_llm_request, language)), bytes_at(offsetof(jf_llm_request, now_local))};
constexpr Layout llm_request_layout = layout<jf_llm_request>(llm_request_pointers);
constexpr Layout llm_usage_layout = layout<jf_llm_usage>();

constexpr Pointer tool_list_pointers[] = {array_at(offsetof(jf_tool_list, tools), tool_layout)};
constexpr Layout tool_list_layout = layout<jf_tool_list>(tool_list_pointers);
constexpr Pointer tool_request_pointers[] = {
    bytes_at(offsetof(jf_tool_request, name)),            bytes_at(offsetof(jf_tool_request, arguments)),
    bytes_at(offsetof(jf_tool_request, idempotency_key)), bytes_at(offsetof(jf_tool_request, call)),
    bytes_at(offsetof(jf_tool_request, language)),        bytes_at(offsetof(jf_tool_request, now_local))};
constexpr Layout tool_request_layout = layout<jf_tool_request>(tool_request_pointers);
constexpr Pointer tool_result_pointers[] = {bytes_at(offsetof(jf_tool_result, content))};
constexpr Layout tool_result_layout = layout<jf_tool_result>(tool_result_pointers);

constexpr Pointer value_pointers[] = {bytes_at(offsetof(jf_value, s))};
constexpr Layout value_layout = layout<jf_value>(value_pointers, false);
constexpr Pointer field_pointers[] = {bytes_at(offsetof(jf_field, name)), bytes_at(offsetof(jf_field, references))};
constexpr Layout field_layout = layout<jf_field>(field_pointers);
constexpr Pointer index_pointers[] = {array_at(offsetof(jf_index, fields), u16_layout)};
constexpr Layout index_layout = layout<jf_index>(index_pointers);
constexpr Pointer collection_pointers[] = {bytes_at(offsetof(jf_collection, name)),
                                           array_at(offsetof(jf_collection, fields), field_layout),
                                           array_at(offsetof(jf_collection, indexes), index_layout)};
constexpr Layout collection_layout = layout<jf_collection>(collection_pointers);
constexpr Pointer term_pointers[] = {bytes_at(offsetof(jf_term, value) + offsetof(jf_value, s)),
                                     array_at(offsetof(jf_term, more), value_layout)};
constexpr Layout term_layout = layout<jf_term>(term_pointers);
constexpr Pointer edit_pointers[] = {bytes_at(offsetof(jf_edit, value) + offsetof(jf_value, s))};
constexpr Layout edit_layout = layout<jf_edit>(edit_pointers);
constexpr Layout order_layout = layout<jf_order>();
constexpr Layout aggregate_layout = layout<jf_aggregate>();
constexpr Layout column_layout = layout<jf_column>();
constexpr Pointer query_pointers[] = {
    bytes_at(offsetof(jf_query, tenant)),          array_at(offsetof(jf_query, where), term_layout),
    array_at(offsetof(jf_query, order), order_layout), array_at(offsetof(jf_query, fields), u16_layout),
    array_at(offsetof(jf_query, include), u16_layout), array_at(offsetof(jf_query, group), u16_layout),
    array_at(offsetof(jf_query, aggregates), aggregate_layout),
    array_at(offsetof(jf_query, bucket_edges), i64_layout), bytes_at(offsetof(jf_query, cursor)),
    bytes_at(offsetof(jf_query, text)),            array_at(offsetof(jf_query, columns), column_layout)};
constexpr Layout query_layout = layout<jf_query>(query_pointers);
constexpr Pointer write_pointers[] = {
    bytes_at(offsetof(jf_write, tenant)),           bytes_at(offsetof(jf_write, id)),
    array_at(offsetof(jf_write, values), edit_layout), array_at(offsetof(jf_write, edits), edit_layout),
    array_at(offsetof(jf_write, where), term_layout), array_at(offsetof(jf_write, order), order_layout),
    array_at(offsetof(jf_write, fair_busy), term_layout)};
constexpr Layout write_layout = layout<jf_write>(write_pointers);
/// Arguments that are a bare jf_array (batch) travel as one.
constexpr Pointer write_array_pointers[] = {array_at(0, write_layout)};
constexpr Layout write_array_layout = layout<jf_array>(write_array_pointers, false);
constexpr Pointer rows_pointers[] = {array_at(offsetof(jf_rows, values), value_layout)};
constexpr Layout rows_layout = layout<jf_rows>(rows_pointers);
constexpr Pointer migrate_pointers[] = {bytes_at(offsetof(jf_migrate, collection))};
constexpr Layout migrate_layout = layout<jf_migrate>(migrate_pointers);
constexpr Pointer migration_step_pointers[] = {bytes_at(offsetof(jf_migration_step, collection)), bytes_at(offsetof(jf_migration_step, text))};
constexpr Layout migration_step_layout = layout<jf_migration_step>(migration_step_pointers);
constexpr Pointer records_done_pointers[] = {bytes_at(offsetof(jf_records_done, cursor))};
constexpr Layout records_done_layout = layout<jf_records_done>(records_done_pointers);

constexpr Pointer embedding_request_pointers[] = {array_at(offsetof(jf_embedding_request, texts), str_layout),
                                                  bytes_at(offsetof(jf_embedding_request, language))};
constexpr Layout embedding_request_layout = layout<jf_embedding_request>(embedding_request_pointers);
constexpr Pointer embeddings_pointers[] = {array_at(offsetof(jf_embeddings, values), f32_layout)};
constexpr Layout embeddings_layout = layout<jf_embeddings>(embeddings_pointers);
constexpr Layout embedding_usage_layout = layout<jf_embedding_usage>();

constexpr Pointer attachment_pointers[] = {bytes_at(offsetof(jf_attachment, name)), bytes_at(offsetof(jf_attachment, media_type)),
                                           bytes_at(offsetof(jf_attachment, url)), bytes_at(offsetof(jf_attachment, data))};
constexpr Layout attachment_layout = layout<jf_attachment>(attachment_pointers);
constexpr Pointer outbound_pointers[] = {
    bytes_at(offsetof(jf_outbound_message, channel)),       bytes_at(offsetof(jf_outbound_message, from)),
    bytes_at(offsetof(jf_outbound_message, to)),            bytes_at(offsetof(jf_outbound_message, subject)),
    bytes_at(offsetof(jf_outbound_message, text)),          bytes_at(offsetof(jf_outbound_message, html)),
    bytes_at(offsetof(jf_outbound_message, template_name)), array_at(offsetof(jf_outbound_message, template_values), pair_layout),
    array_at(offsetof(jf_outbound_message, attachments), attachment_layout), bytes_at(offsetof(jf_outbound_message, thread)),
    bytes_at(offsetof(jf_outbound_message, in_reply_to)),   bytes_at(offsetof(jf_outbound_message, idempotency_key))};
constexpr Layout outbound_layout = layout<jf_outbound_message>(outbound_pointers);
constexpr Pointer inbound_pointers[] = {
    bytes_at(offsetof(jf_inbound_message, id)),          bytes_at(offsetof(jf_inbound_message, channel)),
    bytes_at(offsetof(jf_inbound_message, from)),        bytes_at(offsetof(jf_inbound_message, to)),
    bytes_at(offsetof(jf_inbound_message, subject)),     bytes_at(offsetof(jf_inbound_message, text)),
    bytes_at(offsetof(jf_inbound_message, html)),        bytes_at(offsetof(jf_inbound_message, thread)),
    bytes_at(offsetof(jf_inbound_message, in_reply_to)), array_at(offsetof(jf_inbound_message, attachments), attachment_layout),
    array_at(offsetof(jf_inbound_message, headers), pair_layout)};
constexpr Layout inbound_layout = layout<jf_inbound_message>(inbound_pointers);
constexpr Pointer receipt_pointers[] = {bytes_at(offsetof(jf_message_receipt, id)), bytes_at(offsetof(jf_message_receipt, recipient)),
                                        bytes_at(offsetof(jf_message_receipt, reason))};
constexpr Layout receipt_layout = layout<jf_message_receipt>(receipt_pointers);

constexpr Pointer space_pointers[] = {bytes_at(offsetof(jf_vector_space, name)),
                                      array_at(offsetof(jf_vector_space, attributes), field_layout)};
constexpr Layout space_layout = layout<jf_vector_space>(space_pointers);
constexpr Pointer vector_pointers[] = {bytes_at(offsetof(jf_vector, id)), array_at(offsetof(jf_vector, values), f32_layout),
                                       array_at(offsetof(jf_vector, attributes), edit_layout)};
constexpr Layout vector_layout = layout<jf_vector>(vector_pointers);
constexpr Pointer vector_upsert_pointers[] = {bytes_at(offsetof(jf_vector_upsert, tenant)),
                                              array_at(offsetof(jf_vector_upsert, vectors), vector_layout)};
constexpr Layout vector_upsert_layout = layout<jf_vector_upsert>(vector_upsert_pointers);
constexpr Pointer vector_query_pointers[] = {
    bytes_at(offsetof(jf_vector_query, tenant)), array_at(offsetof(jf_vector_query, values), f32_layout),
    array_at(offsetof(jf_vector_query, where), term_layout), array_at(offsetof(jf_vector_query, fields), u16_layout)};
constexpr Layout vector_query_layout = layout<jf_vector_query>(vector_query_pointers);
constexpr Pointer match_pointers[] = {bytes_at(offsetof(jf_match, id)), array_at(offsetof(jf_match, values), value_layout)};
constexpr Layout match_layout = layout<jf_match>(match_pointers);
constexpr Pointer matches_pointers[] = {array_at(offsetof(jf_matches, matches), match_layout)};
constexpr Layout matches_layout = layout<jf_matches>(matches_pointers);
constexpr Pointer vector_remove_pointers[] = {bytes_at(offsetof(jf_vector_remove, tenant)),
                                              array_at(offsetof(jf_vector_remove, ids), str_layout),
                                              array_at(offsetof(jf_vector_remove, where), term_layout)};
constexpr Layout vector_remove_layout = layout<jf_vector_remove>(vector_remove_pointers);
constexpr Layout vector_stats_layout = layout<jf_vector_stats>();

constexpr Pointer span_pointers[] = {bytes_at(offsetof(jf_span, name)), array_at(offsetof(jf_span, attributes), pair_layout)};
constexpr Layout span_layout = layout<jf_span>(span_pointers);
constexpr Pointer generation_pointers[] = {
    object_at(offsetof(jf_generation, span), span_layout), bytes_at(offsetof(jf_generation, session)),
    bytes_at(offsetof(jf_generation, provider)),           bytes_at(offsetof(jf_generation, model)),
    bytes_at(offsetof(jf_generation, input)),              bytes_at(offsetof(jf_generation, output)),
    bytes_at(offsetof(jf_generation, currency))};
constexpr Layout generation_layout = layout<jf_generation>(generation_pointers);
constexpr Pointer score_pointers[] = {bytes_at(offsetof(jf_score, id)), bytes_at(offsetof(jf_score, name)),
                                      bytes_at(offsetof(jf_score, label)), bytes_at(offsetof(jf_score, comment))};
constexpr Layout score_layout = layout<jf_score>(score_pointers);
constexpr Pointer telemetry_batch_pointers[] = {bytes_at(offsetof(jf_telemetry_batch, environment)),
                                                array_at(offsetof(jf_telemetry_batch, spans), span_layout),
                                                array_at(offsetof(jf_telemetry_batch, generations), generation_layout),
                                                array_at(offsetof(jf_telemetry_batch, scores), score_layout)};
constexpr Layout telemetry_batch_layout = layout<jf_telemetry_batch>(telemetry_batch_pointers);
constexpr Layout telemetry_done_layout = layout<jf_telemetry_done>();

constexpr Pointer service_event_pointers[] = {bytes_at(offsetof(jf_service_event, id)),
                                              bytes_at(offsetof(jf_service_event, name)),
                                              bytes_at(offsetof(jf_service_event, json))};
constexpr Layout service_event_layout = layout<jf_service_event>(service_event_pointers);
constexpr Pointer http_request_pointers[] = {
    bytes_at(offsetof(jf_http_request, method)), bytes_at(offsetof(jf_http_request, url)),
    bytes_at(offsetof(jf_http_request, path)),   bytes_at(offsetof(jf_http_request, query)),
    array_at(offsetof(jf_http_request, headers), pair_layout), bytes_at(offsetof(jf_http_request, body)),
    bytes_at(offsetof(jf_http_request, remote))};
constexpr Layout http_request_layout = layout<jf_http_request>(http_request_pointers);
constexpr Pointer http_reply_pointers[] = {array_at(offsetof(jf_http_reply, headers), pair_layout),
                                           bytes_at(offsetof(jf_http_reply, body))};
constexpr Layout http_reply_layout = layout<jf_http_reply>(http_reply_pointers);

struct EventLayout {
    std::uint32_t type;
    const Layout* data;
};
/// Ordered by type.
constexpr EventLayout event_layouts[] = {
    {JF_EV_CREDIT, nullptr},
    {JF_EV_DATAGRAM, &datagram_layout},
    {JF_EV_TCP_CONNECTED, &tcp_connected_layout},
    {JF_EV_TCP_DATA, &tcp_data_layout},
    {JF_EV_TCP_WRITABLE, nullptr},
    {JF_EV_TCP_INCOMING, &tcp_incoming_layout},
    {JF_EV_RINGING, nullptr},
    {JF_EV_ANSWERED, &format_layout},
    {JF_EV_MEDIA, &frame_layout},
    {JF_EV_FORMAT, &format_layout},
    {JF_EV_DTMF, &dtmf_layout},
    {JF_EV_MARK_PLAYED, nullptr},
    {JF_EV_MACHINE, nullptr},
    {JF_EV_REFER_RECEIVED, &str_layout},
    {JF_EV_TRANSCRIPT, &text_layout},
    {JF_EV_QUALITY, &quality_layout},
    {JF_EV_HOLD, nullptr},
    {JF_EV_LEG_STATE, &bytes_layout},
    {JF_EV_TRANSFERRED, nullptr},
    {JF_EV_SIGNALLING, &signalling_layout},
    {JF_EV_CALL_ENDED, &call_end_layout},
    {JF_EV_SPEECH_START, nullptr},
    {JF_EV_SPEECH_END, nullptr},
    {JF_EV_PARTIAL, &text_layout},
    {JF_EV_FINAL, &text_layout},
    {JF_EV_EAGER_TURN_END, &text_layout},
    {JF_EV_TURN_RESUMED, nullptr},
    {JF_EV_TURN_END, &text_layout},
    {JF_EV_NO_MATCH, &text_layout},
    {JF_EV_LANGUAGE, &str_layout},
    {JF_EV_STT_USAGE, &stt_usage_layout},
    {JF_EV_AUDIO, &frame_layout},
    {JF_EV_TTS_MARK, nullptr},
    {JF_EV_CLEARED, nullptr},
    {JF_EV_TTS_USAGE, &tts_usage_layout},
    {JF_EV_TOKEN, &str_layout},
    {JF_EV_TOOL_CALL, &tool_call_layout},
    {JF_EV_REASONING, &str_layout},
    {JF_EV_HINTS, &hints_layout},
    {JF_EV_LLM_USAGE, &llm_usage_layout},
    {JF_EV_EMBEDDINGS, &embeddings_layout},
    {JF_EV_EMBEDDING_USAGE, &embedding_usage_layout},
    {JF_EV_ROWS, &rows_layout},
    {JF_EV_WAKE, nullptr},
    {JF_EV_MIGRATION, &migration_step_layout},
    {JF_EV_DECLARED, nullptr},
    {JF_EV_RECORDS_DONE, &records_done_layout},
    {JF_EV_HTTP_REPLY, &http_reply_layout},
    {JF_EV_HTTP_DEFER, nullptr},
    {JF_EV_HTTP_ONCE, &str_layout},
    {JF_EV_MSG_INBOUND, &inbound_layout},
    {JF_EV_MSG_SENT, &receipt_layout},
    {JF_EV_MSG_DELIVERED, &receipt_layout},
    {JF_EV_MSG_READ, &receipt_layout},
    {JF_EV_MSG_FAILED, &receipt_layout},
    {JF_EV_MATCHES, &matches_layout},
    {JF_EV_SPACE, nullptr},
    {JF_EV_VECTOR_STATS, &vector_stats_layout},
    {JF_EV_VECTORS_DONE, nullptr},
    {JF_EV_TOOL_LIST, &tool_list_layout},
    {JF_EV_TOOL_PROGRESS, &str_layout},
    {JF_EV_TOOL_RESULT, &tool_result_layout},
    {JF_EV_TELEMETRY_DONE, &telemetry_done_layout},
};
static_assert(std::is_sorted(std::begin(event_layouts), std::end(event_layouts),
                             [](const EventLayout& a, const EventLayout& b) { return a.type < b.type; }));

const EventLayout* find_event(std::uint32_t type) {
    const auto* found = std::lower_bound(std::begin(event_layouts), std::end(event_layouts), type,
                                         [](const EventLayout& e, std::uint32_t t) { return e.type < t; });
    return found != std::end(event_layouts) && found->type == type ? found : nullptr;
}

/// What a message may carry; the op table refuses what is larger together.
constexpr std::size_t largest_copy = 16u << 20;

std::size_t aligned(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

/// Appends n bytes at the next 8-byte boundary relative to `start` and returns their offset from it.
std::size_t append(std::vector<std::byte>& out, std::size_t start, const void* data, std::size_t have, std::size_t size) {
    // Before anything is read: a length that nobody means leads out of the writer's memory.
    if (size > largest_copy || out.size() - start > largest_copy) throw std::length_error("more than 16 MiB in one message");
    const std::size_t at = start + aligned(out.size() - start);
    out.resize(at + size);
    const std::size_t copied = std::min(have, size);
    if (copied) std::memcpy(out.data() + at, data, copied);
    if (size > copied) std::memset(out.data() + at + copied, 0, size - copied);
    return at - start;
}

template <typename T>
T read(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
template <typename T>
void put(std::byte* at, T value) {
    std::memcpy(at, &value, sizeof value);
}

void pack_pointers(const Layout& layout, std::vector<std::byte>& out, std::size_t start, std::size_t at);

std::size_t pack_at(const Layout& layout, const void* value, std::size_t size, std::vector<std::byte>& out,
                    std::size_t start) {
    const std::size_t offset = append(out, start, value, size, layout.size);
    if (layout.has_struct_size) put<std::uint32_t>(out.data() + start + offset, layout.size);
    pack_pointers(layout, out, start, start + offset);
    return offset;
}

std::size_t struct_size_of(const Layout& layout, const void* value, std::size_t outer) {
    return layout.has_struct_size ? std::min<std::size_t>(read<std::uint32_t>(static_cast<const std::byte*>(value)), outer)
                                  : outer;
}

/// The struct at `at` in `out` still holds the writer's pointers: copies what they point to and leaves offsets.
void pack_pointers(const Layout& layout, std::vector<std::byte>& out, std::size_t start, std::size_t at) {
    for (const Pointer& pointer : layout.pointers) {
        const std::size_t where = at + pointer.offset;
        if (pointer.kind == Kind::bytes) {
            const auto field = read<jf_bytes>(out.data() + where);
            const bool empty = !field.ptr || field.len == 0;
            const std::size_t offset = empty ? 0 : append(out, start, field.ptr, field.len, field.len);
            put<std::uint64_t>(out.data() + where, offset);
            if (empty) put<std::uint64_t>(out.data() + where + offsetof(jf_bytes, len), 0);
        } else if (pointer.kind == Kind::object) {
            const auto* object = read<const void*>(out.data() + where);
            const std::size_t offset =
                object ? pack_at(*pointer.element, object,
                                 struct_size_of(*pointer.element, object, pointer.element->size), out, start)
                       : 0;
            put<std::uint64_t>(out.data() + where, offset);
        } else {
            const auto field = read<jf_array>(out.data() + where);
            const Layout& element = *pointer.element;
            if (!field.ptr || field.n == 0) {
                put<std::uint64_t>(out.data() + where, 0);
                put<std::uint32_t>(out.data() + where + offsetof(jf_array, n), 0);
                continue;
            }
            const std::size_t size = element.size;
            const std::size_t first = append(out, start, nullptr, 0, size * field.n);
            if (!element.has_struct_size && element.pointers.empty() && field.stride == size) {
                // Vectors of floats are long; nothing in them has to be looked at.
                std::memcpy(out.data() + start + first, field.ptr, size * field.n);
                put<std::uint64_t>(out.data() + where, first);
                continue;
            }
            for (std::uint32_t i = 0; i < field.n; ++i) {
                const auto* source = static_cast<const std::byte*>(field.ptr) + std::size_t{i} * field.stride;
                const std::size_t have =
                    std::min<std::size_t>(size, struct_size_of(element, source, field.stride));
                std::memcpy(out.data() + start + first + i * size, source, have);
                if (element.has_struct_size)
                    put<std::uint32_t>(out.data() + start + first + i * size, element.size);
            }
            for (std::uint32_t i = 0; i < field.n; ++i)
                pack_pointers(element, out, start, start + first + i * size);
            put<std::uint64_t>(out.data() + where, first);
            put<std::uint32_t>(out.data() + where + offsetof(jf_array, stride), element.size);
        }
    }
}

/// No release of an interface adds as much to one struct: a larger one is garbage, and looking at its tail would read strangers' memory.
constexpr std::uint64_t longest_tail = 1024;

jf_status check_at(const Layout& layout, const void* value, std::uint64_t size);

jf_status check_elements(const Layout& element, const jf_array& array) {
    for (std::uint32_t i = 0; array.ptr && i < array.n; ++i) {
        const auto* at = static_cast<const std::byte*>(array.ptr) + std::size_t{i} * array.stride;
        const std::size_t size = array.stride < sizeof(std::uint32_t) ? array.stride : struct_size_of(element, at, array.stride);
        if (const jf_status status = check_at(element, at, size); status != JF_OK) return status;
    }
    return JF_OK;
}

jf_status check_pointer(const Pointer& pointer, const std::byte* where) {
    if (pointer.kind == Kind::array) return check_elements(*pointer.element, read<jf_array>(where));
    const auto* object = pointer.kind == Kind::object ? read<const std::byte*>(where) : nullptr;
    return object ? check_at(*pointer.element, object, read<std::uint32_t>(object)) : JF_OK;
}

jf_status check_at(const Layout& layout, const void* value, std::uint64_t size) {
    // What has no struct_size never grows; a wide stride is the reader's business there.
    if (layout.has_struct_size)
        if (const jf_status status = check_tail(layout.size, value, size); status != JF_OK) return status;
    for (const Pointer& pointer : layout.pointers) {
        const std::size_t width = pointer.kind == Kind::object ? sizeof(void*) : sizeof(jf_array);
        if (pointer.kind == Kind::bytes || pointer.offset + width > size) continue;
        if (const jf_status status = check_pointer(pointer, static_cast<const std::byte*>(value) + pointer.offset); status != JF_OK) return status;
    }
    return JF_OK;
}

void unpack_at(const Layout& layout, std::byte* base, std::byte* at) {
    for (const Pointer& pointer : layout.pointers) {
        std::byte* const where = at + pointer.offset;
        const auto offset = read<std::uint64_t>(where);
        // Offset 0 is the outermost struct itself, which nothing points to: it stands for null.
        std::byte* const target = offset ? base + offset : nullptr;
        put<std::byte*>(where, target);
        if (!target || pointer.kind == Kind::bytes || pointer.element->pointers.empty()) continue;
        const std::uint32_t n = pointer.kind == Kind::array ? read<jf_array>(where).n : 1;
        for (std::uint32_t i = 0; i < n; ++i) unpack_at(*pointer.element, base, target + std::size_t{i} * pointer.element->size);
    }
}

}  // namespace

#define JF_LAYOUT(type, name)         \
    template <>                       \
    const Layout& layout_of<type>() { \
        return name;                  \
    }
JF_LAYOUT(jf_frame, frame_layout)
JF_LAYOUT(jf_dial, dial_layout)
JF_LAYOUT(jf_answer, answer_layout)
JF_LAYOUT(jf_telephony_control, tel_control_layout)
JF_LAYOUT(jf_bytes, bytes_layout)
JF_LAYOUT(jf_str, str_layout)
JF_LAYOUT(jf_incoming, incoming_layout)
JF_LAYOUT(jf_hints, hints_layout)
JF_LAYOUT(jf_stt_open, stt_open_layout)
JF_LAYOUT(jf_stt_control, stt_control_layout)
JF_LAYOUT(jf_tts_open, tts_open_layout)
JF_LAYOUT(jf_tts_text, tts_text_layout)
JF_LAYOUT(jf_llm_request, llm_request_layout)
JF_LAYOUT(jf_tool_request, tool_request_layout)
JF_LAYOUT(jf_collection, collection_layout)
JF_LAYOUT(jf_query, query_layout)
JF_LAYOUT(jf_write, write_layout)
JF_LAYOUT(jf_migrate, migrate_layout)
JF_LAYOUT(jf_array, write_array_layout)
JF_LAYOUT(jf_service_event, service_event_layout)
JF_LAYOUT(jf_rows, rows_layout)
JF_LAYOUT(jf_embedding_request, embedding_request_layout)
JF_LAYOUT(jf_outbound_message, outbound_layout)
JF_LAYOUT(jf_vector_space, space_layout)
JF_LAYOUT(jf_vector_upsert, vector_upsert_layout)
JF_LAYOUT(jf_vector_query, vector_query_layout)
JF_LAYOUT(jf_vector_remove, vector_remove_layout)
JF_LAYOUT(jf_telemetry_batch, telemetry_batch_layout)
JF_LAYOUT(jf_http_request, http_request_layout)
JF_LAYOUT(jf_datagram, datagram_layout)
#undef JF_LAYOUT

const Layout* layout_of_event(std::uint32_t type) {
    const EventLayout* found = find_event(type);
    return found ? found->data : nullptr;
}

bool is_known_event(std::uint32_t type) { return find_event(type) != nullptr; }

void pack(const Layout& layout, const void* value, std::uint64_t value_size, std::vector<std::byte>& out) {
    const std::size_t start = aligned(out.size());
    out.resize(start);
    pack_at(layout, value, struct_size_of(layout, value, value_size), out, start);
}

jf_status check_tail(std::uint32_t known_size, const void* value, std::uint64_t value_size) {
    if (value_size < sizeof(std::uint32_t) || value_size > known_size + longest_tail) return JF_E_INVALID;
    const auto* const bytes = static_cast<const std::byte*>(value);
    const bool zero = value_size <= known_size || std::all_of(bytes + known_size, bytes + value_size, [](std::byte b) { return b == std::byte{0}; });
    return zero ? JF_OK : JF_E_TOO_NEW;
}

jf_status check_request(const Layout& layout, const void* value, std::uint64_t value_size) { return check_at(layout, value, value_size); }

void unpack(const Layout& layout, std::byte* base) { unpack_at(layout, base, base); }

}  // namespace jackfield::plugin_host
