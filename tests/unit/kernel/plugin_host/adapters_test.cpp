// What is asked of providers and what they answer, between two instances: copied as it is, checked, confined to the tenant, in time. Each test runs with the
// provider on the call's shard and on a thread of its own.

#include <cmath>

#include "host_fixture.hpp"
#include "plugin_host/adapters/embedding.hpp"
#include "plugin_host/adapters/messaging.hpp"
#include "plugin_host/adapters/telemetry.hpp"
#include "plugin_host/adapters/tools.hpp"
#include "plugin_host/adapters/vectors.hpp"

namespace jackfield::plugin_host {
namespace {

using namespace std::chrono_literals;
using sdk::make;
using sdk::str;

/// A consumer's op.
class User final : public sdk::OpUser {
  public:
    void on_event(jf_op, const jf_event& event) override {
        types.push_back(event.type);
        if (const auto* part = event.type == JF_EV_EMBEDDINGS ? sdk::data_of<jf_embeddings>(event) : nullptr)
            values.assign(static_cast<const float*>(part->values.ptr), static_cast<const float*>(part->values.ptr) + part->values.n);
        if (const auto* message = event.type == JF_EV_MSG_INBOUND ? sdk::data_of<jf_inbound_message>(event) : nullptr)
            text = std::string(sdk::view(message->text)) + "|" + std::string(sdk::view(JF_AT(jf_pair, message->headers, 0)->value));
        if (const auto* receipt = event.type == JF_EV_MSG_SENT ? sdk::data_of<jf_message_receipt>(event) : nullptr) text = sdk::view(receipt->id);
    }
    void on_done(jf_op, jf_status result, const jf_event* last, const jf_error*) override {
        ++done;
        status = result;
        last_type = last ? last->type : 0;
        if (last) pos = last->pos;
        if (const auto* matches = last && last->type == JF_EV_MATCHES ? sdk::data_of<jf_matches>(*last) : nullptr)
            for (std::uint32_t i = 0; i < matches->matches.n; ++i) text += sdk::view(JF_AT(jf_match, matches->matches, i)->id);
        if (const auto* result_of = last && last->type == JF_EV_TOOL_RESULT ? sdk::data_of<jf_tool_result>(*last) : nullptr)
            text = sdk::view(result_of->content);
    }

    std::vector<std::uint32_t> types;
    std::vector<float> values;
    std::string text;
    int done = 0;
    jf_status status = 1;
    std::uint32_t last_type = 0;
    std::uint64_t pos = 0;
};

class Adapters : public testing::TestWithParam<Placement> {
  protected:
    Adapters() {
        provider_ = host_.make("llm/test_liar", GetParam(), "provider");
        host_->set_provider_resolver([this](Instance&, std::string_view name) { return name == "it" ? provider_.get() : nullptr; });
    }

    jf_provider_ref find(const char* interface_id) {
        const auto* providers = static_cast<const jf_host_providers_v1*>(host_->facility(JF_FACILITY_PROVIDERS));
        jf_provider_ref out = make<jf_provider_ref>();
        EXPECT_EQ(providers->find(ctx(), str("it"), str(interface_id), &out, nullptr), JF_OK) << interface_id;
        return out;
    }
    jf_host_ctx* ctx() { return reinterpret_cast<jf_host_ctx*>(consumer_.get()); }
    jf_op open(User& user) { return host_.ops().open_for_plugin(*consumer_, JF_NO_OP, user.sink()); }
    /// On the shard when `on_shard`, else as a foreign thread.
    template <typename Table, typename Function, typename... Arguments>
    jf_status call(const char* interface_id, Function function, User& user, bool on_shard, const Arguments&... arguments) {
        const jf_provider_ref provider = find(interface_id);
        jf_status status = 1;
        const auto body = [&] {
            last_op_ = open(user);
            jf_error error = make<jf_error>();
            status = (static_cast<const Table*>(provider.table)->*function)(provider.instance, last_op_, arguments..., &error);
        };
        if (on_shard) runtime_.shard(0).post(body);
        else body();
        runtime_.run_for(1ms);
        return status;
    }
    jf_status embed(User& user, std::vector<std::string> texts, std::uint32_t dim = 0, bool on_shard = true, std::uint32_t deadline_ms = 0) {
        std::vector<jf_str> strings;
        for (const std::string& text : texts) strings.push_back(str(text));
        jf_embedding_request request = make<jf_embedding_request>();
        request.dim = dim;
        request.deadline_ms = deadline_ms;
        request.texts = sdk::array(strings);
        return call<jf_embedding_v1>(JF_EMBEDDING_V1, &jf_embedding_v1::embed, user, on_shard, &request);
    }
    jf_status send(User& user, std::string_view text, std::string_view attached = {}) {
        jf_attachment attachment = make<jf_attachment>();
        attachment.data = sdk::bytes(attached);
        jf_outbound_message message = make<jf_outbound_message>();
        message.channel = str("sms");
        message.to = str("+15550100");
        message.text = str(text);
        if (!attached.empty()) message.attachments = sdk::array(&attachment, 1);
        return call<jf_messaging_v1>(JF_MESSAGING_V1, &jf_messaging_v1::send, user, true, &message);
    }
    std::uint64_t bad_answers() { return host_.ops().counters().bad_answers; }

    runtime::SimRuntime runtime_{3};
    HostUnderTest host_{runtime_};
    std::shared_ptr<Instance> consumer_ = host_.make("llm/test_behaviour", Placement::inline_, "consumer");
    std::shared_ptr<Instance> provider_;
    jf_op last_op_ = JF_NO_OP;
};

INSTANTIATE_TEST_SUITE_P(Placements, Adapters, testing::Values(Placement::inline_, Placement::thread),
                         [](const auto& placed) { return placed.param == Placement::thread ? "Thread" : "Inline"; });

TEST_P(Adapters, BringVectorsOverFromTheStrandAndFromElsewhere) {
    for (const bool on_shard : {true, false}) {
        User user;
        EXPECT_EQ(embed(user, {"good", "b"}, 2, on_shard), JF_OK);
        EXPECT_EQ(user.status, JF_OK);
        EXPECT_EQ(user.values, (std::vector<float>{0.5f, 1.5f, 2.5f, 3.5f}));
        EXPECT_EQ(user.last_type, JF_EV_EMBEDDING_USAGE);
    }
    EXPECT_EQ(bad_answers(), 0u);
}

TEST_P(Adapters, TakeNoVectorsAgainstTheContract) {
    for (const char* lie : {"none", "nan", "missing", "dim", "far", "short", "twice"}) {
        User user;
        const std::uint64_t before = bad_answers();
        EXPECT_EQ(embed(user, {lie, "b"}, 2), JF_OK) << lie;
        EXPECT_EQ(user.done, 1) << lie;
        EXPECT_EQ(user.status, JF_E_INTERNAL) << lie;
        EXPECT_EQ(user.last_type, 0u) << lie;
        EXPECT_EQ(bad_answers(), before + 1) << lie;
    }
}

TEST_P(Adapters, SendNoRequestThatIsNone) {
    User user;
    EXPECT_EQ(embed(user, {}), JF_E_INVALID);
    EXPECT_EQ(embed(user, {"good", ""}), JF_E_INVALID);
    EXPECT_EQ(send(user, ""), JF_E_INVALID);
    EXPECT_EQ(user.done, 0);
}

TEST_P(Adapters, GiveUpWhatTakesTooLong) {
    User user;
    ASSERT_EQ(embed(user, {"wait"}, 0, true, 250), JF_OK);

    runtime_.run_for(200ms);
    EXPECT_EQ(user.done, 0);
    runtime_.run_for(100ms);

    EXPECT_EQ(user.done, 1);
    EXPECT_EQ(user.status, JF_E_TIMEOUT);
}

TEST_P(Adapters, LetAConsumerHaveSoManyOpsUnderWay) {
    std::vector<std::unique_ptr<User>> users;
    for (std::uint32_t i = 0; i < 64; ++i) {
        users.push_back(std::make_unique<User>());
        ASSERT_EQ(embed(*users.back(), {"wait"}), JF_OK) << i;
    }
    User refused, later;

    EXPECT_EQ(embed(refused, {"good"}), JF_E_QUOTA);
    runtime_.run_for(61s);

    for (const auto& user : users) EXPECT_EQ(user->status, JF_E_TIMEOUT);
    EXPECT_EQ(embed(later, {"good"}), JF_OK);
    EXPECT_EQ(later.status, JF_OK);
}

TEST_P(Adapters, CancelWhatTheConsumerGivesUp) {
    User user;
    ASSERT_EQ(embed(user, {"wait"}), JF_OK);

    runtime_.shard(0).post([&] { host_.ops().cancel(last_op_); });
    runtime_.run_for(1ms);

    EXPECT_EQ(user.status, JF_E_CANCELLED);
}

TEST_P(Adapters, FindNoOtherTenantsProvider) {
    InstanceSpec spec;
    spec.name = "theirs";
    spec.tenant = "other";
    spec.plugin = "llm/test_liar";
    auto theirs = host_->create(std::move(spec));
    ASSERT_TRUE(theirs.has_value());
    host_->set_provider_resolver([&](Instance&, std::string_view) { return theirs->get(); });
    const auto* providers = static_cast<const jf_host_providers_v1*>(host_->facility(JF_FACILITY_PROVIDERS));
    jf_provider_ref out = make<jf_provider_ref>();

    EXPECT_EQ(providers->find(ctx(), str("it"), str(JF_EMBEDDING_V1), &out, nullptr), JF_E_NOT_FOUND);
}

TEST_P(Adapters, SendMessagesWithWhatIsAttached) {
    User user;

    EXPECT_EQ(send(user, "good", "a picture"), JF_OK);

    EXPECT_EQ(user.status, JF_OK);
    EXPECT_EQ(user.text, "m1");
    EXPECT_EQ(host_.detail("sent"), "good|+15550100|a picture");
}

TEST_P(Adapters, SendMessagesThatDoNotFitTheMailbox) {
    const std::string large = std::string(3 << 20, 'x') + "end";
    User user;

    EXPECT_EQ(send(user, "good", large), JF_OK);

    EXPECT_EQ(user.status, JF_OK);
    EXPECT_EQ(host_.detail("sent"), "good|+15550100|3145731 bytes to end");
}

TEST_P(Adapters, BelieveNoMessageSentWithoutItsReceipt) {
    for (const char* lie : {"no id", "silent", "twice"}) {
        User user;
        EXPECT_EQ(send(user, lie), JF_OK) << lie;
        EXPECT_EQ(user.status, JF_E_INTERNAL) << lie;
    }
    EXPECT_GE(bad_answers(), 3u);
}

TEST_P(Adapters, BringMessagesThatNameThemselves) {
    User user;
    EXPECT_EQ(call<jf_messaging_v1>(JF_MESSAGING_V1, &jf_messaging_v1::poll, user, true), JF_OK);
    EXPECT_EQ(user.types, (std::vector<std::uint32_t>{JF_EV_MSG_INBOUND}));
    EXPECT_EQ(user.text, "hello|news");
    EXPECT_EQ(bad_answers(), 1u);

    const jf_provider_ref provider = find(JF_MESSAGING_V1);
    const auto* messaging = static_cast<const jf_messaging_v1*>(provider.table);
    EXPECT_EQ(messaging->accept(provider.instance, last_op_, str("in1")), JF_OK);
    EXPECT_EQ(messaging->accept(provider.instance, last_op_ + 1, str("in1")), JF_E_INVALID);
    runtime_.run_for(1ms);
    EXPECT_EQ(host_.detail("accepted"), "in1");
    runtime_.shard(0).post([&] { host_.ops().cancel(last_op_); });
    runtime_.run_for(1ms);
    EXPECT_EQ(user.status, JF_E_CANCELLED);
}

TEST_P(Adapters, CountWhatBecameOfTelemetry) {
    jf_span spans[2] = {make<jf_span>(), make<jf_span>()};
    spans[0].name = str("call");
    spans[1].name = str("turn");
    jf_span inner = make<jf_span>();
    inner.name = str("generate");
    jf_generation generation = make<jf_generation>();
    generation.span = &inner;
    jf_telemetry_batch batch = make<jf_telemetry_batch>();
    batch.spans = sdk::array(spans, 2);
    batch.generations = sdk::array(&generation, 1);
    const auto send = [&](User& user, const char* how) {
        batch.environment = str(how);
        return call<jf_telemetry_v1>(JF_TELEMETRY_V1, &jf_telemetry_v1::send, user, true, &batch);
    };
    User good, wrong, empty;

    EXPECT_EQ(send(good, "good"), JF_OK);
    EXPECT_EQ(good.status, JF_OK);
    EXPECT_EQ(host_.detail("batch"), "call turn generate!");
    EXPECT_EQ(send(wrong, "wrong"), JF_OK);
    EXPECT_EQ(wrong.status, JF_E_INTERNAL);
    batch.spans.n = batch.generations.n = 0;
    EXPECT_EQ(send(empty, "good"), JF_E_INVALID);
}

TEST_P(Adapters, RunToolsForServices) {
    const auto run = [&](const char* name, std::uint32_t deadline_ms = 0) {
        User user;
        jf_tool_request request = make<jf_tool_request>();
        request.name = str(name);
        request.arguments = str("{}");
        request.deadline_ms = deadline_ms;
        EXPECT_EQ(call<jf_tools_v1>(JF_TOOLS_V1, &jf_tools_v1::call, user, true, &request), JF_OK);
        runtime_.run_for(1s);
        return std::pair(user.status, user.text);
    };

    EXPECT_EQ(run("good"), std::pair(JF_OK, std::string(R"({"ok":true})")));
    EXPECT_EQ(run("large").first, JF_E_INTERNAL);
    EXPECT_EQ(run("binary").first, JF_E_INTERNAL);
    EXPECT_EQ(run("none").first, JF_E_INTERNAL);
    EXPECT_EQ(run("wait", 100).first, JF_E_TIMEOUT);
    User list;
    EXPECT_EQ(call<jf_tools_v1>(JF_TOOLS_V1, &jf_tools_v1::list, list, true), JF_OK);
    EXPECT_EQ(list.last_type, JF_EV_TOOL_LIST);
}

TEST_P(Adapters, ConfineVectorsToTheTenantAndToSpacesOfItsOwn) {
    jf_vector_space space = make<jf_vector_space>();
    space.name = str("somebody.notes");
    User foreign, own, stranger, stored, searched, counted, removed;
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::ensure, foreign, true, &space), JF_E_AUTH);
    const float values[] = {0, 2};
    jf_edit edit = make<jf_edit>();
    edit.value.type = JF_VALUE_TEXT;
    edit.value.s = str("red");
    jf_vector vector = make<jf_vector>();
    vector.id = str("v1");
    vector.values = sdk::array(values, 2);
    vector.attributes = sdk::array(&edit, 1);
    jf_vector_upsert upsert = make<jf_vector_upsert>();
    upsert.space = 7;
    upsert.tenant = str("other");
    upsert.vectors = sdk::array(&vector, 1);
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::upsert, stranger, true, &upsert), JF_E_AUTH);

    space.name = str("test_behaviour.notes");
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::ensure, own, true, &space), JF_OK);
    EXPECT_EQ(own.pos, 7u);
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::upsert, stored, true, &upsert), JF_OK);
    EXPECT_EQ(stored.pos, 1u);
    EXPECT_EQ(host_.detail("upserted"), "demo|v1:2:2=red");

    jf_vector_query query = make<jf_vector_query>();
    query.space = 7;
    query.least_score = -INFINITY;
    query.values = sdk::array(values, 2);
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::search, searched, true, &query), JF_OK);
    EXPECT_EQ(searched.text, "abc");
    EXPECT_EQ(host_.detail("searched"), "demo");
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::stats, counted, true, 7u, str("other")), JF_OK);
    EXPECT_EQ(host_.detail("counted"), "7|demo");
    jf_vector_remove remove = make<jf_vector_remove>();
    remove.space = 7;
    const jf_str id = str("v1");
    remove.ids = sdk::array(&id, 1);
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::remove, removed, true, &remove), JF_OK);
    EXPECT_EQ(host_.detail("removed"), "demo|1");
}

TEST_P(Adapters, TakeNoMatchesAgainstTheContract) {
    jf_vector_space space = make<jf_vector_space>();
    space.name = str("test_behaviour.notes");
    User ensured;
    ASSERT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::ensure, ensured, true, &space), JF_OK);
    const auto search = [&](float how, std::uint32_t limit, std::uint32_t fields) {
        const float values[] = {how, 2};
        const std::uint16_t field = JF_FIELD_FIRST;
        jf_vector_query query = make<jf_vector_query>();
        query.space = 7;
        query.limit = limit;
        query.least_score = -INFINITY;
        query.values = sdk::array(values, 2);
        query.fields = sdk::array(&field, fields);
        User user;
        EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::search, user, true, &query), std::isnan(how) ? JF_E_INVALID : JF_OK);
        return user.status;
    };

    EXPECT_EQ(search(0, 3, 0), JF_OK);
    EXPECT_EQ(search(0, 2, 0), JF_E_INTERNAL) << "more than were asked for";
    EXPECT_EQ(search(0, 3, 1), JF_E_INTERNAL) << "without the attribute that was";
    EXPECT_EQ(search(1, 3, 0), JF_E_INTERNAL) << "not in order";
    EXPECT_EQ(search(2, 3, 0), JF_E_INTERNAL) << "a score that is none";
    EXPECT_EQ(search(3, 3, 0), JF_E_INTERNAL) << "without an id";
    search(std::nanf(""), 3, 0);
    space.name = str("test_behaviour.zero");
    User zero;
    EXPECT_EQ(call<jf_vectors_v1>(JF_VECTORS_V1, &jf_vectors_v1::ensure, zero, true, &space), JF_OK);
    EXPECT_EQ(zero.status, JF_E_INTERNAL);
}

}  // namespace
}  // namespace jackfield::plugin_host
