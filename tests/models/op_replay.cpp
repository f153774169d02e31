#include "models/op_replay.hpp"

namespace jackfield::models {

using plugin_host::OpSlot;

void RealOps::User::on_done(jf_op, jf_status status, const jf_event*, const jf_error*) {
    if (fault_ == Fault::loses_a_completion && status == JF_E_CANCELLED) return;
    heard_.completions += fault_ == Fault::repeats_a_completion && status == JF_E_CANCELLED ? 2 : 1;
    heard_.status = status;
}

jf_sink RealOps::User::sink() {
    jf_sink out = sdk::make<jf_sink>();
    out.user = this;
    out.on_event = [](void* user, jf_op op, const jf_event* events, std::uint32_t, std::uint32_t) { static_cast<User*>(user)->on_event(op, *events); };
    out.on_done = [](void* user, jf_op op, jf_status status, const jf_event* last, const jf_error* error) {
        static_cast<User*>(user)->on_done(op, status, last, error);
    };
    return out;
}

RealOps::RealOps(Fault fault) : fault_(fault), plugin_(host_.make("llm/test_behaviour")) {
    plugin_host::fill_host_table(table_, reinterpret_cast<jf_host_ctx*>(plugin_.get()));
    timer_ = static_cast<const jf_host_timer_v1*>(table_.query(table_.ctx, sdk::str(JF_FACILITY_TIMER)));
}

RealOps::~RealOps() {
    begin();
    runtime_.shard(0).post([this] { host_->stop(plugin_, runtime_.shard(0), std::chrono::milliseconds(1), [] {}); });
    runtime_.run_for(std::chrono::seconds(10));
}

void RealOps::begin() {
    for (const Opened& op : ops_) host_.ops().cancel_from_anywhere(op.id);
    runtime_.run_for(std::chrono::seconds(3));
    ops_.clear();
    counted_ = {};
    const plugin_host::OpCounters& counters = host_.ops().counters();
    before_.late_events = static_cast<int>(counters.late_events);
    before_.late_completions = static_cast<int>(counters.late_completions);
    before_.cancel_timeouts = static_cast<int>(counters.cancel_timeouts);
}

jf_status RealOps::carry_out(const OpAction& action) {
    plugin_host::OpTable& ops = host_.ops();
    switch (action.kind) {
        case OpAction::open_kernel: {
            Opened& made = opened();
            made.user = std::make_unique<User>(made.heard, fault_);
            made.id = ops.open(runtime_.shard(0), made.user.get(), plugin_.get());
            return JF_OK;
        }
        case OpAction::refuse:
            runtime_.shard(0).post([&ops, op = id_of(action.op)] {
                if (OpSlot* slot = ops.find(op)) ops.finish(*slot, JF_E_AGAIN, nullptr, nullptr);
            });
            return JF_OK;
        case OpAction::open_child: {
            Opened child;
            ops_.push_back(std::move(child));
            Opened& made = ops_.back();
            made.user = std::make_unique<User>(made.heard, fault_);
            const jf_sink sink = made.user->sink();
            const jf_status status = table_.op_open(table_.ctx, id_of(action.op), &sink, &made.id);
            if (status != JF_OK) ops_.pop_back();
            return status;
        }
        case OpAction::start_child: return timer_->start(table_.ctx, id_of(action.op), 500'000'000);
        case OpAction::plugin_cancel: return table_.cancel(table_.ctx, id_of(action.op));
        case OpAction::kernel_cancel: ops.cancel_from_anywhere(id_of(action.op)); return JF_OK;
        case OpAction::emit: {
            const jf_event event = sdk::Host::event_of(JF_EV_CREDIT, nullptr, 0, 1, 0);
            return table_.emit(table_.ctx, id_of(action.op), &event, 1);
        }
        case OpAction::complete: return table_.complete(table_.ctx, id_of(action.op), JF_OK, nullptr, nullptr);
        case OpAction::shard: runtime_.run_for(base::Nanoseconds(0)); return JF_OK;
        case OpAction::time: runtime_.run_for(std::chrono::milliseconds(1001)); return JF_OK;
    }
    return JF_E_INTERNAL;
}

void RealOps::step(const OpAction& action) { counted_.status = carry_out(action); }

OpSeen RealOps::seen() const {
    OpSeen seen;
    auto& self = const_cast<RealOps&>(*this);
    const plugin_host::OpCounters& counters = self.host_.ops().counters();
    seen.status = counted_.status;
    for (const Opened& op : ops_) seen.ops.push_back(op.heard);
    seen.open = static_cast<int>(self.host_.ops().open_ops());
    seen.late_events = static_cast<int>(counters.late_events) - before_.late_events;
    seen.late_completions = static_cast<int>(counters.late_completions) - before_.late_completions;
    seen.cancel_timeouts = static_cast<int>(counters.cancel_timeouts) - before_.cancel_timeouts;
    return seen;
}

std::string difference(const OpModel& model, RealOps& real, const std::vector<OpAction>& path) {
    OpModel::State state = model.initial();
    real.begin();
    std::string steps;
    for (const OpAction& action : path) {
        model.apply(state, action);
        real.step(action);
        steps += "  " + model.name(action) + "\n";
        const OpSeen wanted = model.seen(state), got = real.seen();
        if (!(wanted == got)) return "the table differs from the model after\n" + steps + "model: " + told(wanted) + "\ntable: " + told(got);
    }
    return {};
}

OpTrace record(RealOps& real, std::uint32_t seed, int steps) {
    std::mt19937 random(seed);
    OpTrace trace;
    int ops = 0;
    std::vector<bool> child;
    real.begin();
    for (int i = 0; i < steps; ++i) {
        OpAction action;
        const auto any = [&](bool wanted) {
            std::vector<int> fit;
            for (int n = 0; n < ops; ++n)
                if (child[static_cast<std::size_t>(n)] == wanted) fit.push_back(n);
            return fit.empty() ? -1 : fit[random() % fit.size()];
        };
        const auto kind = static_cast<OpAction::Kind>(random() % 10);
        const bool of_child = kind == OpAction::start_child || kind == OpAction::plugin_cancel;
        const bool of_kernel = !of_child && kind != OpAction::open_kernel && kind != OpAction::shard && kind != OpAction::time;
        action.kind = kind;
        if (of_child || of_kernel) action.op = any(of_child);
        if ((of_child || of_kernel) && action.op < 0) continue;
        if (kind == OpAction::open_kernel && ops > 40) continue;
        if (kind == OpAction::time && random() % 4 != 0) continue;
        real.step(action);
        trace.steps.emplace_back(action, real.seen());
        const bool opened = (kind == OpAction::open_kernel || kind == OpAction::open_child) && trace.steps.back().second.status == JF_OK;
        if (opened) child.push_back(kind == OpAction::open_child);
        ops += opened;
    }
    return trace;
}

std::string accepted(const OpModel& model, const OpTrace& trace) {
    OpModel::State state = model.initial();
    for (std::size_t i = 0; i < trace.steps.size(); ++i) {
        const auto& [action, seen] = trace.steps[i];
        model.apply(state, action);
        if (const std::string why = model.broken(state); !why.empty()) return "step " + std::to_string(i) + ": " + why;
        const OpSeen wanted = model.seen(state);
        if (!(wanted == seen))
            return "step " + std::to_string(i) + ", " + model.name(action) + "\nmodel: " + told(wanted) + "\ntable: " + told(seen);
    }
    return {};
}

}  // namespace jackfield::models
