#include "service.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "support/test_host.hpp"

namespace jackfield::call_log {
namespace {

using namespace std::chrono_literals;
using sdk::view;

const char* const event_json =
    R"({"event":"call.ended","call":"c1","agent":"reception","direction":"inbound","from":"+15550100","cause":"normal","turns":2,
        "answered_us":1000000,"ended_us":31000000,
        "transcript":[{"role":"assistant","text":"Good morning."},{"role":"user","text":"A table for two."}]})";

/// A record store and a model behind the facilities of a TestHost. Both answer when the test lets the host's posted tasks run.
class CallLog : public testing::Test {
  protected:
    struct Record {
        std::map<std::uint16_t, sdk::Value> fields;
        std::uint64_t revision = 1;
    };
    struct Asked {
        jf_op op;
        std::string system, transcript, session;
    };

    CallLog() {
        current_ = this;
        table_ = *host_.table();
        table_.cancel = [](jf_host_ctx* ctx, jf_op op) { return current_->on_cancel(ctx, op); };
        store_facility_ = sdk::make<jf_host_records_v1>();
        store_facility_.find = [](jf_host_ctx*, jf_provider_ref* out, jf_error*) -> jf_status {
            out->table = &current_->store_;
            return JF_OK;
        };
        providers_ = sdk::make<jf_host_providers_v1>();
        providers_.find = [](jf_host_ctx*, jf_str name, jf_str interface_id, jf_provider_ref* out, jf_error* error) -> jf_status {
            if (view(name) != "writer" || view(interface_id) != JF_LLM_V1)
                return sdk::Failure(JF_E_NOT_FOUND, "no such provider").write(error);
            out->table = &current_->llm_;
            return JF_OK;
        };
        store_ = sdk::make<jf_records_v1>();
        store_.declare = [](jf_instance*, jf_op op, const jf_collection* collection, jf_error*) -> jf_status {
            current_->declared_ = view(collection->name);
            EXPECT_EQ(collection->scope, JF_SCOPE_TENANT);
            current_->finish(op, JF_OK, sdk::Host::event_of(JF_EV_DECLARED, nullptr, 0, 7, 0));
            return JF_OK;
        };
        store_.write = [](jf_instance*, jf_op op, const jf_write* write, jf_error*) { return current_->on_write(op, *write); };
        store_.query = [](jf_instance*, jf_op op, const jf_query* query, jf_error*) { return current_->on_query(op, *query); };
        llm_ = sdk::make<jf_llm_v1>();
        llm_.start = [](jf_instance*, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            if (current_->refuse_generation_ != JF_OK) return sdk::Failure(current_->refuse_generation_, "busy").write(error);
            const auto content = [&](std::uint32_t i) { return std::string(view(JF_AT(jf_message, request->messages, i)->content)); };
            current_->asked_.push_back({op, content(0), content(1), std::string(view(request->session))});
            return JF_OK;
        };
        host_.add_facility(JF_FACILITY_RECORDS, &store_facility_);
        host_.add_facility(JF_FACILITY_PROVIDERS, &providers_);
    }
    ~CallLog() override {
        crash();
        for (const Asked& asked : unanswered_) finish(asked.op, JF_E_CANCELLED);
        host_.poll();
        EXPECT_EQ(host_.double_completions(), 0);
        current_ = nullptr;
    }

    /// The host is gone before the model answers. The test ends what it left, so that nothing leaks.
    void crash() {
        unanswered_.insert(unanswered_.end(), asked_.begin(), asked_.end());
        asked_.clear();
        gone_.push_back(std::move(service_));
    }
    void create(Config config) {
        service_ = std::make_unique<Service>(sdk::Host(&table_), std::move(config));
        const jf_op op = start_op();
        service_->start(op);
        host_.poll();
        ASSERT_EQ(results_.at(op), JF_OK);
    }
    static Config with_llm() {
        Config config;
        config.llm = "writer";
        config.instruction = "Summarise.";
        return config;
    }

    jf_op start_op() {
        return host_.start_op({}, [this](jf_op op, jf_status status, const jf_event*, const jf_error*) {
            EXPECT_FALSE(results_.contains(op));
            results_[op] = status;
        });
    }
    jf_op deliver(const char* json = event_json, const char* id = "call.ended:c1") {
        const jf_op op = start_op();
        jf_service_event event = sdk::make<jf_service_event>();
        event.attempt = 1;
        event.id = sdk::str(id);
        event.name = sdk::str("call.ended");
        event.json = sdk::str(json);
        jf_error error = sdk::make<jf_error>();
        const jf_status status = functions().on_event(instance(), op, &event, &error);
        if (status != JF_OK) host_.table()->complete(host_.table()->ctx, op, status, nullptr, &error);
        host_.poll();
        return op;
    }
    jf_op tick() {
        const jf_op op = start_op();
        EXPECT_EQ(functions().on_tick(instance(), op, nullptr), JF_OK);
        host_.poll();
        return op;
    }
    const jf_service_v1& functions() { return *static_cast<const jf_service_v1*>(service_->query(JF_SERVICE_V1)); }
    jf_instance* instance() { return reinterpret_cast<jf_instance*>(service_.get()); }

    /// The model's answer to its oldest request.
    void reply(std::initializer_list<std::string_view> tokens, jf_status status = JF_OK) {
        ASSERT_FALSE(asked_.empty());
        const jf_op op = asked_.front().op;
        asked_.pop_front();
        const jf_sink sink = host_.sink_of(op);
        for (const std::string_view token : tokens) {
            const jf_str text = sdk::str(token);
            const jf_event event = sdk::Host::event_of(JF_EV_TOKEN, &text, sizeof text, 0, 0);
            sink.on_event(sink.user, op, &event, 1, sizeof event);
        }
        sink.on_done(sink.user, op, status, nullptr, nullptr);
        host_.poll();
    }

    const sdk::Value& field(std::uint16_t number, const std::string& id = "call.ended:c1") { return records_.at(id).fields[number]; }
    std::string state() { return field(field_state).text(); }

    void finish(jf_op op, jf_status status, jf_event last = {}) {
        host_.post([this, op, status, last] {
            const jf_sink sink = host_.sink_of(op);
            sink.on_done(sink.user, op, status, last.type ? &last : nullptr, nullptr);
        });
    }
    void answer(jf_op op, std::vector<std::string> ids, std::uint64_t affected, std::uint64_t revision) {
        host_.post([=, this] {
            const jf_sink sink = host_.sink_of(op);
            std::vector<jf_value> values;
            for (const std::string& id : ids) {
                const Record& record = records_.at(id);
                values.push_back(kept_.emplace_back(id).abi());
                values.push_back({});
                values.push_back(kept_.emplace_back(record.revision).abi());
                values.push_back({});
                values.push_back({});
                for (std::uint16_t f = field_call; f <= field_transcript; ++f) values.push_back(kept_.emplace_back(record.fields.at(f)).abi());
            }
            if (!ids.empty()) {
                jf_rows rows = sdk::make<jf_rows>();
                rows.columns = static_cast<std::uint32_t>(values.size() / ids.size());
                rows.values = sdk::array(values);
                const jf_event event = sdk::Host::event_of(JF_EV_ROWS, &rows, sizeof rows, 0, 0);
                sink.on_event(sink.user, op, &event, 1, sizeof event);
            }
            jf_records_done done = sdk::make<jf_records_done>();
            done.affected = affected;
            done.revision = revision;
            const jf_event last = sdk::Host::event_of(JF_EV_RECORDS_DONE, &done, sizeof done, 0, 0);
            sink.on_done(sink.user, op, JF_OK, &last, nullptr);
        });
    }

    jf_status on_write(jf_op op, const jf_write& write) {
        EXPECT_EQ(write.collection, 7u);
        ++writes_;
        if (store_full_) return JF_E_AGAIN;
        if (hold_writes_) return held_.push_back(op), JF_OK;
        if (fail_writes_ != JF_OK) return finish(op, fail_writes_), JF_OK;
        const std::string id(view(write.id));
        const auto found = records_.find(id);
        if (write.verb == JF_WRITE_INSERT_OR_GET) {
            if (found == records_.end())
                for (std::uint32_t i = 0; i < write.values.n; ++i) {
                    const auto* edit = JF_AT(jf_edit, write.values, i);
                    records_[id].fields[edit->field] = sdk::Value(edit->value);
                }
            return answer(op, {id}, found == records_.end() ? 1 : 0, records_[id].revision), JF_OK;
        }
        EXPECT_EQ(write.verb, JF_WRITE_UPDATE_WHERE);
        EXPECT_NE(write.expect_rev, 0u);
        if (found == records_.end() || found->second.revision != write.expect_rev) return finish(op, JF_E_CONFLICT), JF_OK;
        for (std::uint32_t i = 0; i < write.edits.n; ++i) {
            const auto* edit = JF_AT(jf_edit, write.edits, i);
            sdk::Value& value = found->second.fields[edit->field];
            value = edit->verb == JF_EDIT_INC ? sdk::Value(value.integer() + edit->value.i) : sdk::Value(edit->value);
        }
        return answer(op, {}, 1, ++found->second.revision), JF_OK;
    }
    jf_status on_query(jf_op op, const jf_query& query) {
        EXPECT_EQ(query.where.n, 1u);
        std::vector<std::string> ids;
        for (auto& [id, record] : records_)
            if (record.fields[field_state].text() == "pending" && ids.size() < query.limit) ids.push_back(id);
        return answer(op, ids, 0, 0), JF_OK;
    }
    jf_status on_cancel(jf_host_ctx* ctx, jf_op op) {
        for (auto it = asked_.begin(); it != asked_.end(); ++it)
            if (it->op == op) {
                asked_.erase(it);
                finish(op, JF_E_CANCELLED);
                return JF_OK;
            }
        return host_.table()->cancel(ctx, op);
    }

    static inline CallLog* current_ = nullptr;
    test::TestHost host_;
    jf_host_v1 table_{};
    jf_host_records_v1 store_facility_{};
    jf_host_providers_v1 providers_{};
    jf_records_v1 store_{};
    jf_llm_v1 llm_{};
    std::map<jf_op, jf_status> results_;
    std::map<std::string, Record> records_;
    std::deque<sdk::Value> kept_;
    std::deque<Asked> asked_, unanswered_;
    std::vector<std::unique_ptr<Service>> gone_;
    std::vector<jf_op> held_;
    std::string declared_;
    int writes_ = 0;
    bool store_full_ = false;
    bool hold_writes_ = false;
    jf_status fail_writes_ = JF_OK;
    jf_status refuse_generation_ = JF_OK;
    std::unique_ptr<Service> service_;
};

TEST_F(CallLog, KeepsACallWithASummaryByRuleWhenThereIsNoModel) {
    create(Config{});

    const jf_op op = deliver();

    EXPECT_EQ(declared_, "call_log.summaries");
    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "done");
    EXPECT_EQ(field(field_call).text(), "c1");
    EXPECT_EQ(field(field_caller).text(), "+15550100");
    EXPECT_EQ(field(field_seconds).integer(), 30);
    EXPECT_EQ(field(field_turns).integer(), 2);
    EXPECT_TRUE(field(field_summary).text().starts_with("Call with +15550100 for reception: 30 s, 2 turns"));
}

TEST_F(CallLog, KeepsTheModelsWordsAndAnswersTheEventOnlyThen) {
    create(with_llm());

    const jf_op op = deliver();
    EXPECT_FALSE(results_.contains(op));
    EXPECT_EQ(state(), "pending");
    ASSERT_EQ(asked_.size(), 1u);
    EXPECT_EQ(asked_.front().system, "Summarise.");
    EXPECT_EQ(asked_.front().transcript, "Agent: Good morning.\nCaller: A table for two.\n");
    EXPECT_EQ(asked_.front().session, "c1");
    reply({"Booked ", "a table", ".\n"});

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "done");
    EXPECT_EQ(field(field_summary).text(), "Booked a table.");
    EXPECT_EQ(field(field_attempts).integer(), 1);
}

TEST_F(CallLog, DoesAnEventOnceThatComesTwice) {
    create(with_llm());

    deliver();
    reply({"Booked."});
    const jf_op again = deliver();

    EXPECT_EQ(results_.at(again), JF_OK);
    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(records_.size(), 1u);
    EXPECT_EQ(field(field_summary).text(), "Booked.");
}

TEST_F(CallLog, RefusesTheSameEventWhileItIsWorkedOn) {
    create(with_llm());

    deliver();
    const jf_op again = deliver();

    EXPECT_EQ(results_.at(again), JF_E_STATE);
    EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(CallLog, KeepsTheRulesLineWhenTheModelSaysNothing) {
    create(with_llm());

    const jf_op op = deliver();
    reply({" ", "\n"});

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "done");
    EXPECT_TRUE(field(field_summary).text().starts_with("Call with"));
}

TEST_F(CallLog, AsksNobodyAboutACallInWhichTheCallerSaidNothing) {
    create(with_llm());

    const jf_op op = deliver(R"({"call":"c2","transcript":[{"role":"assistant","text":"Hello?"}]})");

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "done");
    EXPECT_TRUE(asked_.empty());
}

TEST_F(CallLog, LeavesACallPendingWhenTheModelFailsAndFinishesItOnATick) {
    create(with_llm());

    const jf_op op = deliver();
    reply({"Half a"}, JF_E_PEER_LOST);
    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "pending");
    EXPECT_TRUE(field(field_summary).text().starts_with("Call with"));
    const jf_op ticked = tick();
    reply({"Booked."});

    EXPECT_EQ(results_.at(ticked), JF_OK);
    EXPECT_EQ(state(), "done");
    EXPECT_EQ(field(field_summary).text(), "Booked.");
    EXPECT_EQ(field(field_attempts).integer(), 2);
}

TEST_F(CallLog, GivesUpAfterTheLastAttempt) {
    Config config = with_llm();
    config.max_attempts = 2;
    create(config);

    deliver();
    reply({}, JF_E_PEER_LOST);
    const jf_op ticked = tick();
    reply({}, JF_E_RATE);
    tick();

    EXPECT_EQ(results_.at(ticked), JF_OK);
    EXPECT_EQ(state(), "failed");
    EXPECT_TRUE(field(field_summary).text().starts_with("Call with"));
    EXPECT_TRUE(asked_.empty());
}

TEST_F(CallLog, CountsAnAttemptThatTheHostDidNotSurvive) {
    Config config = with_llm();
    config.max_attempts = 2;
    create(config);
    deliver();
    crash();

    create(config);
    tick();
    crash();
    create(config);
    const jf_op ticked = tick();

    EXPECT_EQ(results_.at(ticked), JF_OK);
    EXPECT_EQ(state(), "failed");
}

TEST_F(CallLog, EndsATickWithTheFirstFailureOfTheModel) {
    create(with_llm());
    for (const char* id : {"a", "b", "c"}) {
        deliver(event_json, id);
        reply({}, JF_E_PEER_LOST);
    }

    const jf_op ticked = tick();
    reply({}, JF_E_PEER_LOST);

    EXPECT_EQ(results_.at(ticked), JF_OK);
    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(field(field_attempts, "a").integer(), 2);
    EXPECT_EQ(field(field_attempts, "b").integer(), 1);
}

TEST_F(CallLog, TicksThroughEveryCallThatWaits) {
    create(with_llm());
    for (const char* id : {"a", "b"}) {
        deliver(event_json, id);
        reply({}, JF_E_PEER_LOST);
    }

    const jf_op ticked = tick();
    reply({"One."});
    reply({"Two."});

    EXPECT_EQ(results_.at(ticked), JF_OK);
    EXPECT_EQ(field(field_summary, "a").text(), "One.");
    EXPECT_EQ(field(field_summary, "b").text(), "Two.");
}

TEST_F(CallLog, LeavesARecordAloneThatSomebodyElseTookUp) {
    create(with_llm());
    deliver();
    ++records_.at("call.ended:c1").revision;
    records_.at("call.ended:c1").fields[field_summary] = sdk::Value("Theirs.");

    reply({"Ours."});

    EXPECT_EQ(field(field_summary).text(), "Theirs.");
    EXPECT_EQ(results_.size(), 2u) << "start and the event";
}

TEST_F(CallLog, GivesASlowModelUp) {
    create(with_llm());

    const jf_op op = deliver();
    host_.advance(19s);
    EXPECT_FALSE(results_.contains(op));
    host_.advance(2s);

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(state(), "pending");
}

TEST_F(CallLog, TakesABusyModelAsAFailedAttempt) {
    create(with_llm());
    refuse_generation_ = JF_E_AGAIN;

    const jf_op op = deliver();

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "pending");
}

TEST_F(CallLog, AsksForTheEventAgainWhenTheStoreFails) {
    create(with_llm());
    fail_writes_ = JF_E_INTERNAL;

    EXPECT_EQ(results_.at(deliver()), JF_E_INTERNAL);
    fail_writes_ = JF_OK;
    store_full_ = true;
    EXPECT_EQ(results_.at(deliver()), JF_E_AGAIN);
    store_full_ = false;
    deliver();
    reply({"Booked."});

    EXPECT_EQ(state(), "done");
}

TEST_F(CallLog, AcceptsAnEventThatItCannotRead) {
    create(with_llm());

    const jf_op op = deliver("not json");

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_TRUE(records_.empty());
    EXPECT_EQ(host_.log_events().back(), "call_log.event_unreadable");
}

TEST_F(CallLog, CompletesACancelledEventOnceAndKeepsItsRecordPending) {
    create(with_llm());
    const jf_op op = deliver();

    EXPECT_EQ(service_->cancel(op), JF_OK);
    EXPECT_EQ(results_.at(op), JF_E_CANCELLED);
    host_.poll();
    EXPECT_EQ(service_->cancel(op), JF_E_INVALID);

    EXPECT_TRUE(asked_.empty());
    EXPECT_EQ(state(), "pending");
}

TEST_F(CallLog, SurvivesAStoreThatAnswersAfterTheCancel) {
    create(with_llm());
    hold_writes_ = true;
    const jf_op op = deliver();

    service_->cancel(op);
    finish(held_.at(0), JF_OK);
    host_.poll();

    EXPECT_EQ(results_.at(op), JF_E_CANCELLED);
    EXPECT_TRUE(asked_.empty());
}

TEST_F(CallLog, QuiescesAtOnceWithoutWork) {
    create(with_llm());
    const jf_op op = start_op();

    service_->quiesce(op, 3000);
    host_.poll();

    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(results_.at(deliver()), JF_E_STATE);
}

TEST_F(CallLog, GivesTheModelUpWhenItQuiesces) {
    create(with_llm());
    const jf_op event = deliver();
    const jf_op op = start_op();

    service_->quiesce(op, 3000);
    EXPECT_FALSE(results_.contains(op));
    host_.poll();

    EXPECT_EQ(results_.at(event), JF_OK);
    EXPECT_EQ(results_.at(op), JF_OK);
    EXPECT_EQ(state(), "pending");
    EXPECT_EQ(field(field_attempts).integer(), 1);
}

TEST_F(CallLog, QuiescesWhenItsBudgetIsOverThoughTheStoreHangs) {
    create(with_llm());
    hold_writes_ = true;
    const jf_op event = deliver();
    const jf_op op = start_op();

    service_->quiesce(op, 3000);
    host_.advance(2900ms);
    EXPECT_FALSE(results_.contains(op));
    host_.advance(200ms);
    EXPECT_EQ(results_.at(op), JF_OK);
    finish(held_.at(0), JF_E_CANCELLED);
    host_.poll();

    EXPECT_EQ(results_.at(event), JF_E_CANCELLED);
}

TEST_F(CallLog, SaysWhichProviderItLacks) {
    Config config;
    config.llm = "poet";
    Service service(sdk::Host(&table_), config);

    try {
        service.start(start_op());
        FAIL() << "started";
    } catch (const sdk::Failure& failure) {
        EXPECT_EQ(failure.code(), JF_E_NOT_FOUND);
        EXPECT_NE(std::string(failure.what()).find("poet"), std::string::npos);
    }
}

}  // namespace
}  // namespace jackfield::call_log
