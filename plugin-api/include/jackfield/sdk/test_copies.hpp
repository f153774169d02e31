#pragma once

// Copies of events that stay, for test_host.hpp: what a plugin emits is borrowed, and a test looks at it later.

#include <jackfield/jackfield.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace jackfield::sdk {

namespace detail {

/// Copies a struct with what it points to, and turns the copy's pointers to that.
class Copier {
  public:
    /// n bytes of zero, then one more, so that a copied string ends.
    char* room(std::size_t n) {
        chunks_.push_back(std::shared_ptr<char[]>(new char[n + 1]()));
        return chunks_.back().get();
    }
    char* copy(const void* from, std::uint64_t n) {
        if (!from) n = 0;
        char* to = room(static_cast<std::size_t>(n));
        if (n != 0) std::memcpy(to, from, static_cast<std::size_t>(n));
        return to;
    }
    /// A T of which the writer gave so many bytes, with its pointers turned.
    template <typename T>
    T* object(const void* from, std::uint64_t given);
    void operator()(jf_str& s) { s.ptr = copy(s.ptr, s.len); }
    void operator()(jf_bytes& b) { b.ptr = copy(b.ptr, b.len); }
    /// Elements of a newer writer are longer, of an older one shorter: T is what is known here.
    template <typename T>
    void operator()(jf_array& a, const T*);

    std::vector<std::shared_ptr<char[]>> take() { return std::move(chunks_); }

  private:
    std::vector<std::shared_ptr<char[]>> chunks_;
};

template <typename T>
constexpr const T* of = nullptr;

/// One overload for each struct that points somewhere; the others are flat.
template <typename T>
void turn(Copier&, T&) {}
inline void turn(Copier& c, jf_str& s) { c(s); }
inline void turn(Copier& c, jf_bytes& b) { c(b); }
inline void turn(Copier& c, jf_pair& p) { c(p.key), c(p.value); }
inline void turn(Copier& c, jf_frame& f) { c(f.data); }
inline void turn(Copier& c, jf_word& w) { c(w.text); }
inline void turn(Copier& c, jf_text& t) { c(t.text), c(t.words, of<jf_word>), c(t.language); }
inline void turn(Copier& c, jf_datagram& d) { c(d.data); }
inline void turn(Copier& c, jf_tcp_data& d) { c(d.data); }
inline void turn(Copier& c, jf_incoming& i) {
    c(i.leg), c(i.from), c(i.from_name), c(i.to), c(i.keys, of<jf_str>), c(i.leg_state), c(i.headers, of<jf_pair>);
}
inline void turn(Copier& c, jf_call_end& e) { c(e.text); }
inline void turn(Copier& c, jf_signalling& s) { c(s.data); }
inline void turn(Copier& c, jf_hints& h) { c(h.grammar), c(h.phrases, of<jf_str>), c(h.keywords, of<jf_str>); }
inline void turn(Copier& c, jf_tool_call& t) { c(t.id), c(t.name), c(t.arguments); }
inline void turn(Copier& c, jf_tool& t) { c(t.name), c(t.description), c(t.parameters); }
inline void turn(Copier& c, jf_tool_list& l) { c(l.tools, of<jf_tool>); }
inline void turn(Copier& c, jf_tool_result& r) { c(r.content); }
inline void turn(Copier& c, jf_value& v) { c(v.s); }
inline void turn(Copier& c, jf_rows& r) { c(r.values, of<jf_value>); }
inline void turn(Copier& c, jf_records_done& d) { c(d.cursor); }
inline void turn(Copier& c, jf_migration_step& s) { c(s.collection), c(s.text); }
inline void turn(Copier& c, jf_match& m) { c(m.id), c(m.values, of<jf_value>); }
inline void turn(Copier& c, jf_matches& m) { c(m.matches, of<jf_match>); }
inline void turn(Copier& c, jf_embeddings& e) { c(e.values, of<float>); }
inline void turn(Copier& c, jf_http_reply& r) { c(r.headers, of<jf_pair>), c(r.body); }
inline void turn(Copier& c, jf_attachment& a) { c(a.name), c(a.media_type), c(a.url), c(a.data); }
inline void turn(Copier& c, jf_inbound_message& m) {
    c(m.id), c(m.channel), c(m.from), c(m.to), c(m.subject), c(m.text), c(m.html), c(m.thread), c(m.in_reply_to);
    c(m.attachments, of<jf_attachment>), c(m.headers, of<jf_pair>);
}
inline void turn(Copier& c, jf_message_receipt& r) { c(r.id), c(r.recipient), c(r.reason); }

template <typename T>
T* Copier::object(const void* from, std::uint64_t given) {
    auto* copy = reinterpret_cast<T*>(room(sizeof(T)));
    std::memcpy(static_cast<void*>(copy), from, std::min<std::size_t>(static_cast<std::size_t>(given), sizeof(T)));
    turn(*this, *copy);
    return copy;
}

template <typename T>
void Copier::operator()(jf_array& a, const T*) {
    if (!a.ptr) a.n = 0;
    auto* copies = reinterpret_cast<T*>(room(a.n * sizeof(T)));
    for (std::uint32_t i = 0; i < a.n; ++i) {
        std::memcpy(static_cast<void*>(copies + i), JF_AT(char, a, i), std::min<std::size_t>(a.stride, sizeof(T)));
        turn(*this, copies[i]);
    }
    a = {copies, a.n, static_cast<std::uint32_t>(sizeof(T))};
}

}  // namespace detail

/// An event that a plugin emitted, or the `last` of a completion.
struct Event {
    std::uint32_t type = 0;
    std::uint32_t flags = 0;
    std::uint64_t mono_ns = 0;
    std::uint64_t pos = 0;

    Event() = default;
    /// Copies all that the event's type says it points to. Of a type that this header does not know only the struct itself is kept, and
    /// its pointers lead nowhere.
    explicit Event(const jf_event& event) : type(event.type), flags(event.flags), mono_ns(event.mono_ns), pos(event.pos) {
        if (event.data) copy(event);
    }

    /// The data, null when there is none or it is no T.
    template <typename T>
    const T* as() const {
        return data_ && size_ >= sizeof(T) ? reinterpret_cast<const T*>(data_) : nullptr;
    }
    std::size_t size() const { return size_; }
    /// Its words, where it has some: of a jf_str, of a jf_text, a tool's result.
    std::string_view text() const {
        if (!data_ || !words_.ptr) return {};
        return {words_.ptr, static_cast<std::size_t>(words_.len)};
    }

  private:
    template <typename T>
    const T* keep(const jf_event& event) {
        detail::Copier copier;
        T* const copy = copier.object<T>(event.data, event.data_size);
        chunks_ = copier.take();
        data_ = reinterpret_cast<const char*>(copy);
        size_ = sizeof(T);
        return copy;
    }

    void copy(const jf_event& event) {
        switch (event.type) {
            case JF_EV_DATAGRAM: keep<jf_datagram>(event); return;
            case JF_EV_TCP_CONNECTED: keep<jf_tcp_connected>(event); return;
            case JF_EV_TCP_DATA: keep<jf_tcp_data>(event); return;
            case JF_EV_TCP_INCOMING: keep<jf_tcp_incoming>(event); return;
            case JF_EV_ANSWERED:
            case JF_EV_FORMAT: keep<jf_format>(event); return;
            case JF_EV_MEDIA:
            case JF_EV_AUDIO: keep<jf_frame>(event); return;
            case JF_EV_LEG_STATE: keep<jf_bytes>(event); return;
            case JF_EV_SIGNALLING: keep<jf_signalling>(event); return;
            case JF_EV_CALL_ENDED: words_ = keep<jf_call_end>(event)->text; return;
            case JF_EV_PARTIAL:
            case JF_EV_FINAL:
            case JF_EV_EAGER_TURN_END:
            case JF_EV_TURN_END:
            case JF_EV_NO_MATCH:
            case JF_EV_TRANSCRIPT: words_ = keep<jf_text>(event)->text; return;
            case JF_EV_REFER_RECEIVED:
            case JF_EV_LANGUAGE:
            case JF_EV_TOKEN:
            case JF_EV_REASONING:
            case JF_EV_HTTP_ONCE:
            case JF_EV_TOOL_PROGRESS: words_ = *keep<jf_str>(event); return;
            case JF_EV_TOOL_CALL: keep<jf_tool_call>(event); return;
            case JF_EV_HINTS: keep<jf_hints>(event); return;
            case JF_EV_TOOL_LIST: keep<jf_tool_list>(event); return;
            case JF_EV_TOOL_RESULT: words_ = keep<jf_tool_result>(event)->content; return;
            case JF_EV_ROWS: keep<jf_rows>(event); return;
            case JF_EV_MIGRATION: words_ = keep<jf_migration_step>(event)->text; return;
            case JF_EV_RECORDS_DONE: keep<jf_records_done>(event); return;
            case JF_EV_MATCHES: keep<jf_matches>(event); return;
            case JF_EV_EMBEDDINGS: keep<jf_embeddings>(event); return;
            case JF_EV_HTTP_REPLY: keep<jf_http_reply>(event); return;
            case JF_EV_MSG_INBOUND: words_ = keep<jf_inbound_message>(event)->text; return;
            case JF_EV_MSG_SENT:
            case JF_EV_MSG_DELIVERED:
            case JF_EV_MSG_READ:
            case JF_EV_MSG_FAILED: keep<jf_message_receipt>(event); return;
            default: break;
        }
        // A flat struct (usage, dtmf, quality), or one that is not known here.
        detail::Copier copier;
        data_ = copier.copy(event.data, event.data_size);
        chunks_ = copier.take();
        size_ = static_cast<std::size_t>(event.data_size);
    }

    std::vector<std::shared_ptr<char[]>> chunks_;  // shared, since events are copied about and nobody writes to them
    const char* data_ = nullptr;
    std::size_t size_ = 0;
    jf_str words_{nullptr, 0};
};

}  // namespace jackfield::sdk
