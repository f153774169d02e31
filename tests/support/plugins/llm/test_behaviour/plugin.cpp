// llm/test_behaviour: the last message of a request is a command. What the plugin sees in return it tells through metrics: a counter's
// name is what happened.

#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace jackfield::test_behaviour {

class Instance;

// "hang" stands here until "release" comes, by another instance of the same mapping: tests want to end in order.
std::mutex hang_mutex;
std::condition_variable released;
bool let_go = false;

/// An op that the plugin uses; counts what it is called back with.
class Child final : public sdk::OpUser {
  public:
    Child(Instance& owner, std::string name) : owner_(owner), name_(std::move(name)) {}
    void on_event(jf_op, const jf_event& event) override;
    void on_done(jf_op, jf_status status, const jf_event*, const jf_error*) override;

  private:
    Instance& owner_;
    std::string name_;
};

class Instance {
  public:
    static std::unique_ptr<Instance> create(sdk::Host host, const sdk::Config& config) {
        return std::make_unique<Instance>(host, config.text("on_quiesce", "complete"));
    }
    Instance(sdk::Host host, std::string on_quiesce) : host_(host), on_quiesce_(std::move(on_quiesce)) {}
    ~Instance() {
        for (std::thread& thread : threads_) thread.join();
    }

    void start(jf_op op) { host_.complete(op); }
    void quiesce(jf_op op, std::uint32_t) {
        if (on_quiesce_ == "complete") host_.complete(op);
    }
    const void* query(std::string_view id);
    jf_status cancel(jf_op op) {
        note("cancelled");
        std::string command;
        {
            const std::lock_guard lock(mutex_);
            const auto found = open_.find(op);
            if (found == open_.end()) return JF_E_INVALID;
            command = found->second;
            if (command == "silent") return JF_OK;
            open_.erase(found);
        }
        host_.complete(op, JF_E_CANCELLED);
        if (command == "late_after_cancel") tokens(op, {"late"});
        return JF_OK;
    }

    jf_status run(jf_op op, const std::string& line, jf_error* error);

    void note(std::string_view what) const {
        const auto* metrics = host_.facility<jf_host_metrics_v1>(JF_FACILITY_METRICS);
        metrics->count(host_.ctx(), sdk::str(what), 1);
    }

  private:
    jf_status tokens(jf_op op, const std::vector<std::string>& words) const {
        std::vector<jf_str> texts;
        std::vector<jf_event> events;
        for (const std::string& word : words) texts.push_back(sdk::str(word));
        for (const jf_str& text : texts) events.push_back(sdk::Host::event_of(JF_EV_TOKEN, &text, sizeof text, 0, 0));
        return host_.table()->emit(host_.ctx(), op, events.data(), static_cast<std::uint32_t>(events.size()));
    }
    void keep_open(jf_op op, const std::string& command) {
        const std::lock_guard lock(mutex_);
        open_[op] = command;
    }
    void flood(jf_op op, std::size_t batch) const;
    void emit_from_threads(jf_op op);
    void use_child(jf_op op, const std::string& what);

    const sdk::Host host_;
    const std::string on_quiesce_;
    std::mutex mutex_;
    std::map<jf_op, std::string> open_;
    std::vector<std::thread> threads_;
};

void Child::on_event(jf_op, const jf_event& event) { owner_.note(name_ + "_event_" + std::to_string(event.type)); }

void Child::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    const std::unique_ptr<Child> self(this);
    owner_.note(name_ + "_done_" + std::to_string(-status));
}

/// Emits until the host takes no more; the usage says how many events it took.
void Instance::flood(jf_op op, std::size_t batch) const {
    jf_llm_usage usage = sdk::make<jf_llm_usage>();
    const std::vector<std::string> words(batch, std::string(1000, 'x'));
    while (tokens(op, words) == JF_OK) usage.tokens_out += batch;
    host_.complete_with(op, JF_OK, JF_EV_LLM_USAGE, usage);
}

void Instance::emit_from_threads(jf_op op) {
    auto left = std::make_shared<std::atomic<int>>(4);
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < 4; ++i)
        threads_.emplace_back([this, op, left, i] {
            for (int n = 0; n < 500; ++n)
                while (tokens(op, {std::to_string(i) + ":" + std::to_string(n)}) == JF_E_AGAIN) std::this_thread::yield();
            if (left->fetch_sub(1) == 1) host_.complete(op);
        });
}

void Instance::use_child(jf_op op, const std::string& what) {
    auto* child = new Child(*this, what);
    const jf_op used = host_.open(op, *child);
    const auto* timer = host_.facility<jf_host_timer_v1>(JF_FACILITY_TIMER);
    const auto* worker = host_.facility<jf_host_worker_v1>(JF_FACILITY_WORKER);
    if (what == "timer") {
        timer->start(host_.ctx(), used, 3'600'000'000'000);
        if (timer->start(host_.ctx(), used, 1) == JF_E_STATE) note("second_start_refused");
    } else if (what == "unstarted") {
        host_.cancel(used);
        if (timer->start(host_.ctx(), used, 0) == JF_E_INVALID) note("start_after_cancel_refused");
        delete child; // nothing is called back
    } else if (what == "worker_throws") {
        worker->start(host_.ctx(), used, [](void*, jf_op) -> jf_status { throw 1; }, nullptr);
    } else {
        jf_provider_ref ref = sdk::make<jf_provider_ref>();
        const auto* providers = host_.facility<jf_host_providers_v1>(JF_FACILITY_PROVIDERS);
        jf_error error = sdk::make<jf_error>();
        if (providers->find(host_.ctx(), sdk::str("other"), sdk::str(JF_LLM_V1), &ref, &error) != JF_OK) return note("no_provider");
        jf_message message = sdk::make<jf_message>();
        message.content = sdk::str(what);
        jf_llm_request request = sdk::make<jf_llm_request>();
        request.messages = sdk::array(&message, 1);
        static_cast<const jf_llm_v1*>(ref.table)->start(ref.instance, used, &request, &error);
    }
}

jf_status Instance::run(jf_op op, const std::string& line, jf_error* error) {
    std::istringstream in(line);
    std::string command;
    in >> command;
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);

    if (command == "refuse") return sdk::Failure(JF_E_QUOTA, "no room", JF_RETRY_AFTER, 17).write(error);
    if (command == "throw") throw 42; // nobody's exception type
    if (command == "hang") {
        std::unique_lock lock(hang_mutex);
        released.wait(lock, [] { return let_go; });
        return JF_OK;
    }
    if (command == "release") {
        {
            const std::lock_guard lock(hang_mutex);
            let_go = true;
        }
        released.notify_all();
        host_.complete(op);
    } else if (command == "echo" || command == "Caller:") { // the latter begins a transcript
        for (const std::string& word : words) tokens(op, {word});
        host_.complete(op);
    } else if (command == "several") {
        tokens(op, words);
        host_.complete(op);
    } else if (command == "double") {
        host_.complete(op);
        if (host_.complete(op, JF_E_INTERNAL) == JF_E_INVALID) note("second_refused");
    } else if (command == "late") {
        host_.complete(op);
        tokens(op, {"late"});
    } else if (command == "fail") {
        host_.fail(op, sdk::Failure(JF_E_RATE, "slower", JF_RETRY_AFTER, 429));
    } else if (command == "unknown") {
        host_.emit(op, 0x7f01);
        host_.complete(op);
    } else if (command == "stale") {
        for (const jf_op other : {jf_op{0}, op ^ (jf_op{1} << 40), op | 0xff000000, ~jf_op{0}, op + 1})
            if (host_.complete(other) != JF_E_INVALID || host_.emit(other, JF_EV_CREDIT) != JF_E_INVALID) note("stale_taken");
        host_.complete(op);
    } else if (command == "flood") {
        flood(op, words.empty() ? 1 : std::stoul(words[0]));
    } else if (command == "threads") {
        emit_from_threads(op);
    } else if (command == "large") {
        tokens(op, {std::string(1u << 20, 'y')});
        host_.complete(op);
    } else if (command == "class") {
        note("class_" + std::to_string(host_.table()->thread_class(host_.ctx())));
        host_.complete(op);
    } else {
        keep_open(op, command); // "wait", "silent", "late_after_cancel", "child ..."
        if (command == "child") use_child(op, words.at(0));
    }
    return JF_OK;
}

const void* Instance::query(std::string_view id) {
    static const jf_llm_v1 table = [] {
        jf_llm_v1 t = sdk::make<jf_llm_v1>();
        // Without the SDK's barrier: what is thrown arrives at the host.
        t.start = [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) -> jf_status {
            const auto* last = JF_AT(jf_message, request->messages, request->messages.n - 1);
            return reinterpret_cast<Instance*>(self)->run(op, std::string(sdk::view(last->content)), error);
        };
        return t;
    }();
    return id == JF_LLM_V1 ? &table : nullptr;
}

}  // namespace jackfield::test_behaviour

JACKFIELD_MODULE(jackfield::test_behaviour::Instance)
