#include "conformance/module/module_suite.hpp"

#include "conformance/kit/bench.hpp"
#include "conformance/kit/process_watch.hpp"
#include "config/plugin_schema.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>

#include <fmt/format.h>

namespace jackfield::conformance {
namespace {

using plugin_host::Placement;

void entry(Bench& bench) {
    const jf_module_v1& module = bench.module();
    const jf_note& note = bench.target().facts.note;
    require(module.struct_size >= offsetof(jf_module_v1, create) + sizeof module.create, "the module's table is shorter than the first ABI's");
    require(module.abi_major == note.abi_major, fmt::format("the table says ABI major {}, the note in the file {}", module.abi_major, note.abi_major));
    require(module.abi_need_minor == note.abi_need_minor,
            fmt::format("the table needs minor {}, the note in the file {}", module.abi_need_minor, note.abi_need_minor));
    require(module.abi_built_minor >= module.abi_need_minor, "the table needs a later minor than it was built with");
    require(module.create != nullptr, "create is null");
}

void init_twice(Bench& bench) {
    const jf_module_v1& module = bench.module();
    if (!module.init) not_applicable("its init is null");
    jf_error error = make<jf_error>();
    const jf_status status = module.init(&bench.host().module_host(), &error);
    require_status("a second init", status, {JF_OK, JF_E_STATE});
    bench.stop(bench.start());
}

void creates_without_connecting(Bench& bench) {
    const auto before = descriptors();
    const int ops_before = bench.spy().ops_opened();
    auto instance = bench.create();
    require(bench.spy().ops_opened() == ops_before, "create opened an op: nothing may happen before start");
    for (const auto& [fd, leads_to] : descriptors())
        if (!before.contains(fd) && leads_to.starts_with("socket:")) fail("create opened a socket: it may connect to nothing");
    require(children().empty(), "create started a process");
    bench.stop(std::move(instance));
}

void starts(Bench& bench) { bench.stop(bench.start()); }

void lives_twice(Bench& bench) {
    for (int i = 0; i < 2; ++i) bench.stop(bench.start());
}

void two_instances(Bench& bench) {
    auto first = bench.start();
    auto second = bench.start();
    bench.stop(std::move(first));
    for (const std::string& id : bench.target().facts.descriptor.provides)
        require(second->query(id) != nullptr, "the second instance lost its interfaces when the first was destroyed");
    bench.stop(std::move(second));
}

void lives_on_its_own_thread(Bench& bench) { bench.stop(bench.start(Placement::thread)); }

void provides_what_it_says(Bench& bench) {
    auto instance = bench.start();
    for (const std::string& id : bench.target().facts.descriptor.provides) {
        const void* const table = instance->query(id);
        require(table != nullptr, fmt::format("the descriptor says that it provides {}, and query answers null", id));
        require(table == instance->query(id), fmt::format("query answers another table of {} each time", id));
        const auto size = *static_cast<const std::uint32_t*>(table);
        require(size >= 16 && size < 4096, fmt::format("the table of {} states a struct_size of {}", id, size));
    }
}

void unknown_interfaces(Bench& bench) {
    auto instance = bench.start();
    const std::string long_id(100'000, 'x');
    std::vector<std::string> ids{"jf.nonsense/9", "jf.", "/", "\xff\xfe\x80/1", std::string("jf.stt\0/1", 9), long_id};
    for (const std::string& id : bench.target().facts.descriptor.provides) {
        ids.push_back(id + "9");
        ids.push_back(id.substr(0, id.size() - 1));
        ids.push_back(id.substr(0, id.rfind('/')) + "/4000000000");
    }
    for (const std::string& id : ids)
        require(instance->query(id) == nullptr, fmt::format("query answers a table for the unknown interface '{}'", base::to_valid_utf8(id.substr(0, 60))));
    require(bench.spy().functions_of(*instance)->query(bench.spy().self_of(*instance), jf_str{nullptr, 0}) == nullptr,
            "query answers a table for the empty interface id");
}

void refuses_unknown_options(Bench& bench) {
    config::Value given(config::Value::Table{});
    given.set("no_such_option_7f3a", config::Value(std::string("x")));
    const auto checked = config::check_schema(bench.target().facts.descriptor.config_schema, given);
    require(!checked.ok(), "an option that its schema does not name is accepted");
}

/// Calls the module's create as a host with a wrong configuration would; what was made is destroyed.
jf_status try_create(Bench& bench, std::string_view json, const std::vector<jf_pair>& pairs, jf_error* error) {
    auto host = bench.create();  // for a host table with an identity
    const jf_host_v1& table = *bench.spy().table_of(*host);
    jf_instance* self = nullptr;
    const jf_instance_v1* functions = nullptr;
    const jf_array array{pairs.data(), static_cast<std::uint32_t>(pairs.size()), sizeof(jf_pair)};
    const jf_status status = bench.module().create(&table, str(bench.target().id()), str(json), array, &self, &functions, error);
    if (status == JF_OK) {
        require(self && functions && functions->destroy, "create answered OK and gave no instance or no destroy");
        functions->destroy(self);
    }
    return status;
}

void survives_odd_configuration(Bench& bench) {
    const std::string huge(1'000'000, 'x');
    const std::array<jf_pair, 3> odd{{{str("no.such.option"), str("1")}, {str("\xff\xfe"), str("\xc3\x28")}, {jf_str{nullptr, 0}, str(huge)}}};
    for (const std::string_view json : {"{}", "", "}{", "null", "[1,2]", "{\"a\":\"\xff\"}"}) {
        for (const bool with_pairs : {false, true}) {
            jf_error error = make<jf_error>();
            const jf_status status = try_create(bench, json, with_pairs ? std::vector<jf_pair>(odd.begin(), odd.end()) : std::vector<jf_pair>(), &error);
            if (status == JF_OK) continue;
            require(std::memchr(error.text, 0, sizeof error.text) != nullptr, "create filled an error's text without ending it");
            require(error.text[0] != 0, fmt::format("create refused the options {} without a word of why", json));
        }
    }
    jf_error error = make<jf_error>();
    try_create(bench, "{}", {}, nullptr);  // nobody wants to know why
    try_create(bench, bench.target().config_json, {}, &error);
}

void writes_no_further_than_the_error(Bench& bench) {
    // A host of an older minor may have had a shorter struct; the bytes behind it are not the plugin's.
    std::array<unsigned char, sizeof(jf_error) + 64> bytes{};
    bytes.fill(0xa5);
    auto* const error = reinterpret_cast<jf_error*>(bytes.data());
    for (const std::uint32_t size : {8u, 16u, static_cast<std::uint32_t>(offsetof(jf_error, text) + 20)}) {
        bytes.fill(0xa5);
        error->struct_size = size;
        try_create(bench, "}{", {}, error);
        for (std::size_t i = size; i < bytes.size(); ++i)
            require(bytes[i] == 0xa5, fmt::format("create was given an error of {} bytes and wrote byte {}", size, i));
    }
}

void loads_in_a_later_host(Bench& bench) {
    auto made = bench.create();
    struct Later {
        jf_host_v1 known;
        std::array<std::uint64_t, 8> appended;
    } later{*bench.spy().table_of(*made), {}};
    later.appended.fill(0x1122334455667788);
    later.known.struct_size = sizeof later;
    later.known.abi_minor = JF_ABI_MINOR + 7;
    jf_instance* self = nullptr;
    const jf_instance_v1* functions = nullptr;
    jf_error error = make<jf_error>();
    std::vector<jf_pair> pairs;
    for (const auto& [key, value] : bench.target().config_pairs) pairs.push_back({str(key), str(value)});
    const jf_status status = bench.module().create(&later.known, str(bench.target().id()), str(bench.target().config_json),
                                                   sdk::array(pairs), &self, &functions, &error);
    if (status != JF_OK) fail(fmt::format("create refuses a host whose table is longer than it knows: {} {}", status_name(status), said(error)));
    functions->destroy(self);
}

void knows_stale_ops(Bench& bench) {
    auto instance = bench.start();
    OpRecord& over = bench.open(*instance);  // open, and never started on the plugin
    for (const jf_op op : {jf_op{0}, jf_op{4711}, ~jf_op{0}, jf_op{1} << 32, over.op})
        require_status(fmt::format("cancel of the unknown op {:#x}", op), bench.plugin_cancel(*instance, op), {JF_E_INVALID});
    bench.ops().complete(*instance, over.op, JF_OK, nullptr, nullptr);
    bench.expect_done(over, "the kit's own op");
}

void cancel_races_with_start(Bench& bench) {
    for (int i = 0; i < 3; ++i) {
        auto instance = bench.create();
        OpRecord& record = bench.open(*instance);
        std::atomic<bool> inside{false};
        std::thread racer([&] {
            while (!inside) std::this_thread::yield();
            for (int n = 0; n <= i; ++n) bench.plugin_cancel(*instance, record.op);
        });
        jf_status status = JF_E_INTERNAL;
        try {
            status = bench.begin_blocking(record, *instance, "start", [&] {
                inside = true;
                jf_error error = make<jf_error>();
                return bench.spy().functions_of(*instance)->start(bench.spy().self_of(*instance), record.op, &error);
            });
        } catch (...) {
            inside = true;
            racer.join();
            throw;
        }
        racer.join();
        if (status == JF_OK) {
            const jf_status late = bench.plugin_cancel(*instance, record.op);
            require_status("cancel of a start op", late, {JF_OK, JF_E_INVALID});
            bench.expect_done(record, "the start that was cancelled", milliseconds(1500));
        }
        require_status("cancel of a start that is over", bench.plugin_cancel(*instance, record.op), {JF_E_INVALID});
        bench.expect_quiet([&] { return record.completions > 1; }, "start completed twice");
        bench.stop(std::move(instance));
    }
}

void is_healthy(Bench& bench) {
    auto instance = bench.start();
    const jf_instance_v1* const functions = bench.spy().functions_of(*instance);
    if (!JF_HAS(functions, jf_instance_v1, health) || !functions->health) not_applicable("its health is null: always healthy");
    OpRecord& record = bench.open(*instance);
    const jf_status status = bench.begin_blocking(record, *instance, "health", [&] {
        jf_error error = make<jf_error>();
        return functions->health(bench.spy().self_of(*instance), record.op, &error);
    });
    if (status == JF_OK) bench.expect_done(record, "health", milliseconds(6000));
    require_status("health of an instance that has just started", status == JF_OK ? record.status : status, {JF_OK});
}

void quiesces_in_time(Bench& bench) {
    auto instance = bench.start();
    OpRecord& record = bench.open(*instance);
    const jf_status status = bench.begin_blocking(record, *instance, "quiesce", [&] {
        return bench.spy().functions_of(*instance)->quiesce(bench.spy().self_of(*instance), record.op, 500);
    });
    require_status("quiesce", status, {JF_OK});
    bench.expect_done(record, "quiesce of an idle instance", milliseconds(1500));
    require_status("quiesce of an idle instance", record.status, {JF_OK});
    bench.stop(std::move(instance));  // which quiesces again
}

void leaves_nothing_open(Bench& bench) {
    bench.stop(bench.start());  // what is opened once for all instances may stay
    const auto before = descriptors();
    const unsigned threads_before = threads();
    for (int i = 0; i < 3; ++i) bench.stop(bench.start());
    for (int wait = 0; wait < 100 && (threads() > threads_before || descriptors().size() > before.size()); ++wait)
        std::this_thread::sleep_for(milliseconds(10));
    for (const auto& [fd, leads_to] : descriptors())
        if (!before.contains(fd)) fail(fmt::format("descriptor {} ({}) is still open after destroy", fd, leads_to));
    const unsigned now = threads();
    require(now <= threads_before, fmt::format("{} threads of it are left after destroy", now - threads_before));
}

void ends(Bench& bench) {
    bench.stop(bench.start());
    if (!bench.module().deinit) not_applicable("its deinit is null");
    bench.module().deinit();
}

constexpr Check checks[] = {
    {"module.entry", "Its entry answers a whole table that agrees with the file's note", "Fill jf_module_v1 as the SDK's module_table() does, and build note and table from one description.", entry},
    {"module.starts", "It can be created and started with the options that are given", "Give options with --config or --config-file, or by \"verify\" in plugin.json (docs/plugins/verify.md).", starts, 60, true},
    {"module.lives_twice", "create, start, quiesce and destroy work, and work again", "Look for state that outlives the instance: globals, singletons, ports.", lives_twice},
    {"module.init_twice", "A second init does no harm", "Answer STATE, or make it idempotent.", init_twice},
    {"module.creates_without_connecting", "create connects to nothing, opens nothing and starts nothing", "Move it to start: create runs for every instance of a configuration that is only checked.", creates_without_connecting},
    {"module.two_instances", "Two instances live side by side", "Keep everything in the instance; options that name something exclusive are for --config.", two_instances},
    {"module.lives_on_its_own_thread", "It works with placement `thread` as well", "Rely on no thread's identity: ask thread_class() where it matters.", lives_on_its_own_thread},
    {"module.provides_what_it_says", "query answers a lasting table for each interface of the descriptor", "Answer static tables with their struct_size.", provides_what_it_says},
    {"module.unknown_interfaces", "query answers null for what it does not know", "Compare the whole id, with its length.", unknown_interfaces},
    {"module.refuses_unknown_options", "Options that the schema does not name are refused before create", "Name each option in config_schema.", refuses_unknown_options},
    {"module.survives_odd_configuration", "create answers odd options with an error and a text", "Check what you read, and fill jf_error.text.", survives_odd_configuration},
    {"module.writes_no_further_than_the_error", "It never writes beyond a struct's stated size", "Look at jf_error.struct_size before each member, as sdk::Failure::write does.", writes_no_further_than_the_error},
    {"module.loads_in_a_later_host", "A host of a later minor is as good as this one", "Gate on the minor that is needed; ignore what a table has beyond what is known.", loads_in_a_later_host},
    {"module.knows_stale_ops", "cancel of an op that it does not have is INVALID", "Look the op up before anything else; ids are not pointers.", knows_stale_ops},
    {"module.cancel_races_with_start", "start and cancel at once end in one completion", "Guard the op's end with one lock or one atomic: whoever takes it completes.", cancel_races_with_start, 40},
    {"module.is_healthy", "health completes OK after start", "Answer from what is known; a check over the network needs a deadline below 5 s.", is_healthy},
    {"module.quiesces_in_time", "quiesce of an idle instance completes at once", "Complete the op from quiesce() itself when nothing runs.", quiesces_in_time},
    {"module.leaves_nothing_open", "destroy gives back threads and descriptors", "Join threads and close descriptors in destroy.", leaves_nothing_open, 40},
    {"module.ends", "deinit returns when every instance is gone", "Free what init made, and nothing else.", ends, 20, false, true},
};

}  // namespace

std::span<const Check> module_checks() { return checks; }

}  // namespace jackfield::conformance
