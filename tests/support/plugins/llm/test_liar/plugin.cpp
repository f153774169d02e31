// llm/test_liar: answers as the request's own words tell it to: "good" as the contract wants, the others each against it in one point. What it was
// given is told by logs and counters, so that a test sees what came over.

#include <jackfield/jackfield.h>
#include <jackfield/sdk/plugin.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace jackfield::test_liar {

/// What a log line takes.
std::string brief(std::string_view data) {
    return data.size() < 100 ? std::string(data) : std::to_string(data.size()) + " bytes to " + std::string(data.substr(data.size() - 3));
}

const float nan_value = std::numeric_limits<float>::quiet_NaN();

class Liar {
  public:
    static std::unique_ptr<Liar> create(sdk::Host host, const sdk::Config&) { return std::make_unique<Liar>(host); }
    explicit Liar(sdk::Host host) : host_(host) {}
    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) { host_.complete(op); }
    jf_status cancel(jf_op op) { return host_.complete(op, JF_E_CANCELLED); }
    const void* query(std::string_view id);

    void heard(std::string_view what, std::string text, jf_op op) const { host_.log(JF_LOG_INFO, what, {{"text", std::move(text)}}, op); }

    void embed(jf_op op, const jf_embedding_request& request) {
        const std::string how(sdk::view(*JF_AT(jf_str, request.texts, 0)));
        const std::uint32_t n = request.texts.n, dim = request.dim ? request.dim : 3;
        if (how == "wait") return;
        if (how == "none") return done(op);
        std::vector<float> values(std::size_t{n} * dim);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) + 0.5f;
        if (how == "nan") values.back() = nan_value;
        jf_embeddings part = sdk::make<jf_embeddings>();
        part.n = how == "missing" ? n - 1 : n;
        part.dim = how == "dim" ? dim + 1 : dim;
        part.first = how == "far" ? 1 : 0;
        part.values = sdk::array(values.data(), std::size_t{part.n} * part.dim > values.size() ? values.size() : std::size_t{part.n} * part.dim);
        if (how == "short") --part.values.n;
        host_.emit(op, JF_EV_EMBEDDINGS, part);
        if (how == "twice") host_.emit(op, JF_EV_EMBEDDINGS, part);
        jf_embedding_usage usage = sdk::make<jf_embedding_usage>();
        usage.tokens = n;
        host_.complete_with(op, JF_OK, JF_EV_EMBEDDING_USAGE, usage);
    }

    void send(jf_op op, const jf_outbound_message& message) {
        const std::string how(sdk::view(message.text));
        std::string all = how + "|" + std::string(sdk::view(message.to));
        for (std::uint32_t i = 0; i < message.attachments.n; ++i)
            all += "|" + brief(sdk::view(JF_AT(jf_attachment, message.attachments, i)->data));
        heard("sent", all, op);
        jf_message_receipt receipt = sdk::make<jf_message_receipt>();
        receipt.id = sdk::str(how == "no id" ? "" : "m1");
        if (how != "silent") host_.emit(op, JF_EV_MSG_SENT, receipt);
        if (how == "twice") host_.emit(op, JF_EV_MSG_SENT, receipt);
        done(op);
    }
    void poll(jf_op op) {
        jf_inbound_message message = sdk::make<jf_inbound_message>();
        message.text = sdk::str("nameless");
        host_.emit(op, JF_EV_MSG_INBOUND, message);
        const std::string text = "hello", key = "x-list", value = "news";
        const jf_pair header{sdk::str(key), sdk::str(value)};
        message.id = sdk::str("in1");
        message.text = sdk::str(text);
        message.headers = sdk::array(&header, 1);
        host_.emit(op, JF_EV_MSG_INBOUND, message);
    }

    void send_batch(jf_op op, const jf_telemetry_batch& batch) {
        const std::string how(sdk::view(batch.environment));
        std::string names;
        for (std::uint32_t i = 0; i < batch.spans.n; ++i) names += std::string(sdk::view(JF_AT(jf_span, batch.spans, i)->name)) + " ";
        for (std::uint32_t i = 0; i < batch.generations.n; ++i)
            names += std::string(sdk::view(JF_AT(jf_generation, batch.generations, i)->span->name)) + "!";
        heard("batch", names, op);
        if (how == "wait") return;
        if (how == "again") throw sdk::Failure(JF_E_AGAIN, "not now");
        if (how == "lost once" && !std::exchange(lost_, true)) return host_.fail(op, sdk::Failure(JF_E_PEER_LOST, "the line broke")), void();
        jf_telemetry_done counts = sdk::make<jf_telemetry_done>();
        counts.accepted = batch.spans.n + batch.generations.n + batch.scores.n;
        if (how == "wrong") ++counts.accepted;
        host_.complete_with(op, JF_OK, JF_EV_TELEMETRY_DONE, counts);
    }

    void call(jf_op op, const jf_tool_request& request) {
        const std::string how(sdk::view(request.name));
        if (how == "none") return done(op);
        if (how == "wait") return;
        const std::string content = how == "large" ? std::string(70'000, '1') : how == "binary" ? "\"\xff\"" : R"({"ok":true})";
        jf_tool_result result = sdk::make<jf_tool_result>();
        result.content = sdk::str(content);
        host_.complete_with(op, JF_OK, JF_EV_TOOL_RESULT, result);
    }
    void list(jf_op op) {
        jf_tool tool = sdk::make<jf_tool>();
        tool.name = sdk::str("good");
        jf_tool_list all = sdk::make<jf_tool_list>();
        all.tools = sdk::array(&tool, 1);
        host_.complete_with(op, JF_OK, JF_EV_TOOL_LIST, all);
    }

    void ensure(jf_op op, const jf_vector_space& space) {
        heard("ensured", std::string(sdk::view(space.name)), op);
        last(op, JF_EV_SPACE, sdk::view(space.name).ends_with("zero") ? 0 : 7);
    }
    void upsert(jf_op op, const jf_vector_upsert& upsert) {
        std::string all(sdk::view(upsert.tenant));
        for (std::uint32_t i = 0; i < upsert.vectors.n; ++i) {
            const auto* vector = JF_AT(jf_vector, upsert.vectors, i);
            all += "|" + std::string(sdk::view(vector->id)) + ":" + std::to_string(vector->values.n) + ":" +
                   std::to_string(static_cast<int>(JF_AT(float, vector->values, vector->values.n - 1)[0]));
            for (std::uint32_t e = 0; e < vector->attributes.n; ++e) all += "=" + std::string(sdk::view(JF_AT(jf_edit, vector->attributes, e)->value.s));
        }
        heard("upserted", all, op);
        last(op, JF_EV_VECTORS_DONE, upsert.vectors.n);
    }
    void search(jf_op op, const jf_vector_query& query) {
        const int how = static_cast<int>(*JF_AT(float, query.values, 0));
        jf_match found[3] = {sdk::make<jf_match>(), sdk::make<jf_match>(), sdk::make<jf_match>()};
        const char* ids[] = {"a", "b", "c"};
        for (int i = 0; i < 3; ++i) {
            found[i].id = sdk::str(ids[i]);
            found[i].score = 0.9f - 0.1f * static_cast<float>(i);
        }
        if (how == 1) std::swap(found[0].score, found[2].score);
        if (how == 2) found[1].score = nan_value;
        if (how == 3) found[2].id = {};
        jf_matches matches = sdk::make<jf_matches>();
        matches.matches = sdk::array(found, 3);
        heard("searched", std::string(sdk::view(query.tenant)), op);
        host_.complete_with(op, JF_OK, JF_EV_MATCHES, matches);
    }
    void remove(jf_op op, const jf_vector_remove& remove) {
        heard("removed", std::string(sdk::view(remove.tenant)) + "|" + std::to_string(remove.ids.n), op);
        last(op, JF_EV_VECTORS_DONE, remove.ids.n);
    }
    void stats(jf_op op, std::uint32_t space, jf_str tenant) {
        heard("counted", std::to_string(space) + "|" + std::string(sdk::view(tenant)), op);
        const jf_vector_stats counts = sdk::make<jf_vector_stats>();
        host_.complete_with(op, JF_OK, JF_EV_VECTOR_STATS, counts);
    }

    void receive(jf_op op, const jf_http_request& request) {
        const std::string how(sdk::view(request.body));
        heard("received", how, op);
        if (how == "forged") throw sdk::Failure(JF_E_AUTH, "the signature is another one");
        if (how == "wait") return;
        if (how == "defer") {
            host_.emit(op, JF_EV_HTTP_DEFER, 30'000u);
            return;
        }
        if (how.starts_with("once")) {
            const std::string id = "delivery 1";
            host_.emit(op, JF_EV_HTTP_ONCE, sdk::str(id));
        }
        if (how.starts_with("late once")) tell(op, "m8");
        if (how.starts_with("late once")) host_.emit(op, JF_EV_HTTP_ONCE, sdk::str("x"));
        tell(op, how == "nameless" ? "" : "m9");
        if (how == "once fails") return static_cast<void>(host_.complete(op, JF_E_PEER_LOST));
        const std::string name = how == "upper name" ? "X-Good" : how == "bad name" ? "x bad" : how == "own" ? "Content-Length" : "x-good";
        const std::string value = how == "split" ? "a\r\nset-cookie: b" : "yes";
        const jf_pair header{sdk::str(name), sdk::str(value)};
        jf_http_reply reply = sdk::make<jf_http_reply>();
        reply.status = how == "status" ? 99 : 202;
        reply.headers = sdk::array(&header, 1);
        reply.body = sdk::bytes(how);
        if (how == "none") return done(op);
        host_.complete_with(op, JF_OK, JF_EV_HTTP_REPLY, reply);
    }

  private:
    void tell(jf_op op, const std::string& id) {
        jf_inbound_message message = sdk::make<jf_inbound_message>();
        message.id = sdk::str(id);
        host_.emit(op, JF_EV_MSG_INBOUND, message);
    }
    void done(jf_op op) { host_.complete(op); }
    void last(jf_op op, std::uint32_t type, std::uint64_t pos) {
        const jf_event event = sdk::Host::event_of(type, nullptr, 0, pos, 0);
        host_.table()->complete(host_.ctx(), op, JF_OK, &event, nullptr);
    }

    const sdk::Host host_;
    bool lost_ = false;
};

Liar& of(jf_instance* self) { return *reinterpret_cast<Liar*>(self); }

const void* Liar::query(std::string_view id) {
    static const jf_embedding_v1 embedding = {sizeof embedding, 0, [](jf_instance* s, jf_op op, const jf_embedding_request* r, jf_error* e) {
                                                  return sdk::guarded(e, [&] { of(s).embed(op, *r); });
                                              }};
    static const jf_messaging_v1 messaging = {
        sizeof messaging, 0,
        [](jf_instance* s, jf_op op, const jf_outbound_message* m, jf_error* e) { return sdk::guarded(e, [&] { of(s).send(op, *m); }); },
        [](jf_instance* s, jf_op op, jf_error* e) { return sdk::guarded(e, [&] { of(s).poll(op); }); },
        [](jf_instance* s, jf_op op, jf_str i) { return sdk::guarded(nullptr, [&] { of(s).heard("accepted", std::string(sdk::view(i)), op); }); }};
    static const jf_telemetry_v1 telemetry = {sizeof telemetry, 0, [](jf_instance* s, jf_op op, const jf_telemetry_batch* b, jf_error* e) {
                                                  return sdk::guarded(e, [&] { of(s).send_batch(op, *b); });
                                              }};
    static const jf_tools_v1 tools = {
        sizeof tools, 0, [](jf_instance* s, jf_op op, jf_error* e) { return sdk::guarded(e, [&] { of(s).list(op); }); },
        [](jf_instance* s, jf_op op, const jf_tool_request* r, jf_error* e) { return sdk::guarded(e, [&] { of(s).call(op, *r); }); }};
    static const jf_vectors_v1 vectors = {
        sizeof vectors, 0,
        [](jf_instance* s, jf_op op, const jf_vector_space* v, jf_error* e) { return sdk::guarded(e, [&] { of(s).ensure(op, *v); }); },
        [](jf_instance* s, jf_op op, const jf_vector_upsert* v, jf_error* e) { return sdk::guarded(e, [&] { of(s).upsert(op, *v); }); },
        [](jf_instance* s, jf_op op, const jf_vector_query* v, jf_error* e) { return sdk::guarded(e, [&] { of(s).search(op, *v); }); },
        [](jf_instance* s, jf_op op, const jf_vector_remove* v, jf_error* e) { return sdk::guarded(e, [&] { of(s).remove(op, *v); }); },
        [](jf_instance* s, jf_op op, std::uint32_t space, jf_str tenant, jf_error* e) {
            return sdk::guarded(e, [&] { of(s).stats(op, space, tenant); });
        }};
    static const jf_webhook_v1 webhook = {
        sizeof webhook, 0,
        [](const jf_http_request* r, jf_str* keys, std::uint32_t cap, std::uint32_t* n) -> jf_status {
            static const std::string elsewhere = "somebody else's memory";
            const std::string_view body = sdk::view(r->body);
            if (body == "nobody") return JF_E_NOT_FOUND;
            *n = body == "many" ? cap + 1 : 1;
            keys[0] = body == "elsewhere" ? sdk::str(elsewhere) : body == "wild" ? jf_str{reinterpret_cast<const char*>(8), 100} : r->path;
            return JF_OK;
        },
        [](jf_instance* s, jf_op op, const jf_http_request* r, jf_error* e) { return sdk::guarded(e, [&] { of(s).receive(op, *r); }); }};
    if (id == JF_EMBEDDING_V1) return &embedding;
    if (id == JF_MESSAGING_V1) return &messaging;
    if (id == JF_TELEMETRY_V1) return &telemetry;
    if (id == JF_TOOLS_V1) return &tools;
    if (id == JF_VECTORS_V1) return &vectors;
    if (id == JF_WEBHOOK_V1) return &webhook;
    return nullptr;
}

}  // namespace jackfield::test_liar

JACKFIELD_MODULE(jackfield::test_liar::Liar)
