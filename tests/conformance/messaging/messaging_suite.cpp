#include "conformance/kit/bench.hpp"
#include "conformance/kit/lent.hpp"
#include "conformance/suites.hpp"
#include "plugin_host/adapters/messaging.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::MessagingPort;

/// One message to send; what it lends is the object's own. Where it goes stands in "verify.message" of plugin.json.
class Sending {
  public:
    Sending(Bench& bench, std::shared_ptr<Bench::Instance> instance, std::string text = "A message of the conformance kit.", std::string key = {}, unsigned shard = 0)
        : bench_(bench), instance_(std::move(instance)), port_(*instance_), text_(std::move(text)), key_(std::move(key)),
          channel_(bench.target().verify("message")["channel"].text_or(bench.target().capability("messaging", "channels").at(0).text_or(""))),
          to_(bench.target().verify("message")["to"].text_or("")), record_(bench.open(*instance_, shard)) {
        require(static_cast<bool>(port_), "it has no jf.messaging/1");
    }
    /// Without somebody to write to, nothing can be sent.
    Sending& addressed() {
        if (to_.empty()) not_applicable("plugin.json names nobody to write to: \"verify\": {\"message\": {\"channel\": ..., \"to\": ...}}");
        return *this;
    }

    jf_outbound_message message() const {
        jf_outbound_message out = make<jf_outbound_message>();
        out.channel = str(channel_);
        out.to = str(to_);
        out.subject = str("Conformance");
        out.text = str(text_);
        out.idempotency_key = str(key_);
        return out;
    }
    jf_status send(const jf_outbound_message& wanted) {
        return bench_.begin(record_, *instance_, "send", [&] {
            jf_error error = make<jf_error>();
            const jf_status status = port_.send(record_.op, wanted, &error);
            if (status != JF_OK) record_.error = said(error);
            return status;
        });
    }
    Sending& sent() {
        const jf_status status = send(message());
        if (status != JF_OK) fail(fmt::format("send answered {}: {}", status_name(status), record_.error));
        return *this;
    }
    /// The id that the provider gave it.
    std::string id() {
        bench_.expect_done(record_, "the message", milliseconds(30'000));
        if (record_.status != JF_OK) fail(fmt::format("the message completed with {}: {}", status_name(record_.status), record_.error));
        require(record_.count(JF_EV_MSG_SENT) == 1, fmt::format("{} SENT events before a completion with OK; wanted: 1", record_.count(JF_EV_MSG_SENT)));
        for (const Heard& heard : record_.events)
            if (const auto* receipt = heard.type() == JF_EV_MSG_SENT ? heard.as<jf_message_receipt>() : nullptr) {
                require(receipt->id.len > 0 && receipt->id.len <= 256, fmt::format("SENT names the message with {} bytes; wanted: 1 to 256", receipt->id.len));
                return std::string(view(receipt->id));
            }
        fail("SENT without jf_message_receipt");
    }
    OpRecord& record() { return record_; }
    const MessagingPort& port() const { return port_; }

  private:
    Bench& bench_;
    std::shared_ptr<Bench::Instance> instance_;
    MessagingPort port_;
    std::string text_, key_, channel_, to_;
    OpRecord& record_;
};

bool is_idempotent(Bench& bench) { return bench.target().capability("messaging", "idempotent").boolean_or(false); }

OpRecord& poll(Bench& bench, const std::shared_ptr<Bench::Instance>& instance) {
    const MessagingPort port(*instance);
    require(static_cast<bool>(port), "it has no jf.messaging/1");
    if (!port.table()->poll) not_applicable("its poll is null: it is called by webhook");
    require(port.table()->accept != nullptr, "it has poll() and no accept()");
    OpRecord& record = bench.open(*instance);
    jf_error error = make<jf_error>();
    const jf_status status = bench.begin(record, *instance, "poll", [&] { return port.poll(record.op, &error); });
    if (status != JF_OK) fail(fmt::format("poll answered {}: {}", status_name(status), said(error)));
    return record;
}

void declares(Bench& bench) {
    auto instance = bench.start();
    const MessagingPort port(*instance);
    require(static_cast<bool>(port) && port.table()->send, "send is null");
    require((port.table()->poll != nullptr) == (port.table()->accept != nullptr), "poll and accept: one of them is null");
    require(bench.target().capability("messaging", "channels").size() > 0, "its capabilities name no channel");
    require(port.table()->poll || bench.target().facts.descriptor.provides_interface("jf.webhook/1"), "it neither polls nor provides jf.webhook/1: nothing could ever come in");
}

void sends(Bench& bench) { Sending(bench, bench.start()).addressed().sent().id(); }

void names_each(Bench& bench) {
    auto instance = bench.start();
    const std::string first = Sending(bench, instance, "One.").addressed().sent().id();
    const std::string second = Sending(bench, instance, "Two.").sent().id();
    require(first != second, "two messages got one id");
}

void sends_one_key_once(Bench& bench) {
    if (!is_idempotent(bench)) not_applicable("its capabilities don't say that it is idempotent");
    auto instance = bench.start();
    const std::string key = fmt::format("verify-{}", std::chrono::system_clock::now().time_since_epoch().count());
    const std::string first = Sending(bench, instance, "Once.", key).addressed().sent().id();
    const std::string again = Sending(bench, instance, "Once.", key).sent().id();
    require(first == again, "one key was sent under two ids");
}

void refuses(Bench& bench) {
    auto instance = bench.start();
    const auto refused = [&](const char* what, std::initializer_list<jf_status> wanted, const std::function<void(jf_outbound_message&)>& spoil) {
        Sending sending(bench, instance);
        sending.addressed();
        jf_outbound_message message = sending.message();
        spoil(message);
        const jf_status status = sending.send(message);
        if (status == JF_OK) bench.expect_done(sending.record(), what, milliseconds(30'000));
        require_status(what, status == JF_OK ? sending.record().status : status, wanted);
        require(sending.record().count(JF_EV_MSG_SENT) == 0, std::string(what) + " was reported as SENT");
    };
    refused("send by a channel that it does not have", {JF_E_UNSUPPORTED}, [](jf_outbound_message& m) { m.channel = str("pigeon"); });
    refused("send to nobody", {JF_E_INVALID}, [](jf_outbound_message& m) { m.to = {}; });
    if (!bench.target().capability("messaging", "templates").boolean_or(false))
        refused("send of a template", {JF_E_UNSUPPORTED, JF_E_INVALID}, [](jf_outbound_message& m) { m.template_name = str("welcome"); });
}

void odd_texts(Bench& bench) {
    auto instance = bench.start();
    for (const std::string& odd : {std::string("\xf0\x9f\x98\x80 \xc3\xa9"), std::string("\xff\xfe broken"), std::string("a\r\nBcc: b\r\n.\r\n"), std::string("zero\0in it", 10)}) {
        Sending sending(bench, instance, odd);
        const jf_status status = sending.addressed().send(sending.message());
        require_status("send of an odd text", status, {JF_OK, JF_E_INVALID});
        if (status != JF_OK) continue;
        bench.expect_done(sending.record(), "an odd message", milliseconds(30'000));
        if (sending.record().status == JF_OK) sending.id();
    }
}

void cancels(Bench& bench) {
    auto instance = bench.start();
    Sending sending(bench, instance);
    sending.addressed().sent();
    bench.cancel(sending.record());
    bench.cancel(sending.record());
    bench.expect_done(sending.record(), "the cancelled message", milliseconds(1500));
    require_status("the cancelled message", sending.record().status, {JF_E_CANCELLED, JF_E_PEER_LOST, JF_OK});
    require(bench.spy().completions_of(sending.record().op) == 1, "the plugin did not complete the cancelled message itself");
    if (sending.record().status == JF_OK) sending.id();
    require_status("cancel after the completion", bench.plugin_cancel(*instance, sending.record().op), {JF_E_INVALID});
}

void polls_until_it_is_cancelled(Bench& bench) {
    auto instance = bench.start();
    OpRecord& first = poll(bench, instance);
    bench.expect_quiet([&] { return first.done(); }, "poll completed by itself");
    OpRecord& second = bench.open(*instance);
    const MessagingPort port(*instance);
    jf_error error = make<jf_error>();
    require_status("a second poll", bench.begin(second, *instance, "poll", [&] { return port.poll(second.op, &error); }), {JF_E_STATE});
    bench.cancel(first);
    bench.expect_done(first, "the cancelled poll", milliseconds(1500));
    require_status("the cancelled poll", first.status, {JF_E_CANCELLED});
    require(bench.spy().completions_of(first.op) == 1, "the plugin did not complete the cancelled poll itself");
    OpRecord& third = poll(bench, instance);
    bench.expect_quiet([&] { return third.done(); }, "the next poll completed by itself");
}

void accepts_what_has_come(Bench& bench) {
    auto instance = bench.start();
    OpRecord& record = poll(bench, instance);
    const MessagingPort port(*instance);
    const auto accept = [&](std::string_view id) { return bench.call(record, "accept", [&] { return port.accept(record.op, str(id)); }); };
    require_status("accept of a message that never came", accept("no such message"), {JF_E_NOT_FOUND});
    require_status("accept of an id with a path in it", accept("../../etc/passwd"), {JF_E_NOT_FOUND, JF_E_INVALID});
    require_status("accept of a megabyte", accept(std::string(1 << 20, 'x')), {JF_E_NOT_FOUND, JF_E_INVALID});
    OpRecord& stranger = bench.open(*instance);
    require_status("accept on an op that is no poll", bench.call(stranger, "accept", [&] { return port.accept(stranger.op, str("m")); }), {JF_E_INVALID});
    bench.ops().complete(*instance, stranger.op, JF_E_CANCELLED, nullptr, nullptr);
}

void several_at_once(Bench& bench) {
    auto instance = bench.start();
    std::vector<std::unique_ptr<Sending>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(std::make_unique<Sending>(bench, instance, fmt::format("Message {}.", i), "", i % 2));
    for (const auto& one : all) one->addressed().sent();
    std::vector<std::string> ids;
    for (const auto& one : all) ids.push_back(one->id());
    std::sort(ids.begin(), ids.end());
    require(std::adjacent_find(ids.begin(), ids.end()) == ids.end(), "messages that were sent at one time got one id");
}

void borrows_only(Bench& bench) {
    auto instance = bench.start();
    Sending sending(bench, instance, "A text that is lent.");
    Lent lent;
    jf_outbound_message wanted = sending.addressed().message();
    for (jf_str* text : {&wanted.channel, &wanted.to, &wanted.subject, &wanted.text}) *text = lent.text(*text);
    const jf_outbound_message* const lent_message = lent.copy(wanted);
    require_status("send", bench.begin(sending.record(), *instance, "send", [&] {
        jf_error error = make<jf_error>();
        const jf_status status = sending.port().send(sending.record().op, *lent_message, &error);
        lent.take_back();
        return status;
    }), {JF_OK});
    sending.id();
}

void struct_sizes(Bench& bench) {
    auto instance = bench.start();
    Sending shorter(bench, instance);
    jf_outbound_message known = shorter.addressed().message();
    known.struct_size = offsetof(jf_outbound_message, thread);
    known.thread = known.in_reply_to = known.idempotency_key = {reinterpret_cast<const char*>(std::uintptr_t{0xdead}), 4};
    require_status("send of a jf_outbound_message without its last members", shorter.send(known), {JF_OK});
    shorter.id();

    Sending longer(bench, instance);
    struct {
        jf_outbound_message known;
        std::uint64_t appended[4];
    } later{longer.message(), {0, 0, 0, 0}};
    later.known.struct_size = sizeof later;
    require_status("send of a longer jf_outbound_message that ends in zeros", longer.send(later.known), {JF_OK});
    longer.id();
}

void refuses_while_quiescing(Bench& bench) {
    auto instance = bench.start();
    OpRecord& quiet = bench.open(*instance);
    require_status("quiesce", bench.begin_blocking(quiet, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), quiet.op, 2000);
    }), {JF_OK});
    bench.expect_done(quiet, "quiesce", milliseconds(3000));
    Sending late(bench, instance);
    require_status("send after quiesce", late.addressed().send(late.message()), {JF_E_STATE});
}

void mid_op(Bench& bench) {
    auto* const sending = new Sending(bench, bench.start());
    sending->addressed().sent();
}

constexpr Check checks[] = {
    {"messaging.declares", "Its capabilities and its table agree", "Name the channels; poll and accept go together, or webhooks bring what comes in.", declares},
    {"messaging.sends", "A message is SENT once, with an id, before the completion with OK", "Emit SENT with the provider's id, then complete.", sends, 60},
    {"messaging.names_each", "Two messages have two ids", "Take the id from the provider's answer.", names_each, 60},
    {"messaging.sends_one_key_once", "One idempotency key is sent once, where the capabilities promise it", "Pass the key on, or leave \"idempotent\" out.", sends_one_key_once, 60},
    {"messaging.refuses", "What cannot be sent is refused and never SENT", "UNSUPPORTED for channels and templates, INVALID for addresses.", refuses, 60},
    {"messaging.odd_texts", "Odd texts are sent or refused, and never worse", "Escape what the protocol gives a meaning to.", odd_texts, 60},
    {"messaging.cancels", "cancel completes a message within the second, and only once", "OK where it is out, CANCELLED or PEER_LOST where that is not known.", cancels, 60},
    {"messaging.polls_until_cancelled", "A poll goes on until it is cancelled; there is one at a time", "Keep the op; answer STATE to a second poll.", polls_until_it_is_cancelled, 60},
    {"messaging.accepts_what_has_come", "accept knows what has come, and nothing else", "Answer NOT_FOUND; ids come from outside and are no paths.", accepts_what_has_come, 60},
    {"messaging.several_at_once", "Several messages on two threads don't mix", "Keep state per op; lock what is shared.", several_at_once, 60},
    {"messaging.borrows_only", "What send was lent is copied before it returns", "Copy texts and addresses: they are gone when send returns.", borrows_only, 60},
    {"messaging.struct_sizes", "Messages are read as far as they reach, and longer ones are understood", "Ask JF_HAS before each member.", struct_sizes, 60},
    {"messaging.refuses_while_quiescing", "After quiesce nothing new begins", "Answer STATE from send().", refuses_while_quiescing},
};

}  // namespace

std::span<const Check> messaging_checks() { return checks; }
void messaging_mid_op(Bench& bench) { mid_op(bench); }

}  // namespace jackfield::conformance
