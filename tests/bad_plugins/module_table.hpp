#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The bad modules: what each one does, and what becomes of the host that loads it. The test asserts it, the page says it.
namespace jackfield::bad_plugins {

enum class Outcome {
    refused_unread,  ///< before any of it runs
    refused,         ///< while it is loaded or created; no instance of it serves
    contained,       ///< the host and every other instance go on
    shard_lost,      ///< one shard stands: what runs on the others goes on, and the host says who it was and can be stopped
    process          ///< only a process of its own would contain it
};
std::string_view name_of(Outcome outcome);

/// What the case does with the module once it is loaded.
enum class Drive {
    load,    ///< no more
    start,   ///< starts it
    run,     ///< starts it and one stream
    cancel,  ///< a stream, which is cancelled
    cancel_and_run, ///< and then another one
    two,     ///< two instances
    push,    ///< a stream and a frame of audio
    lookup,  ///< a blocking query
    store,   ///< a blocking query of the host's own store
    stop,    ///< starts and stops it
    recover  ///< a stream that hangs; waits until the host has brought the instance back; another stream
};

/// Facts that the case prints, one per line. A fact of the table holds when a line begins with it; one that begins with '!' when none does.
struct Placed {
    Outcome outcome;  ///< not asserted where `facts` is empty: the page refers to another module
    std::vector<std::string_view> facts;
    bool real = false;  ///< needs real threads and real time: everything that hangs; the others run on a simulated clock
};

struct Module {
    std::string_view name;
    std::string_view kind;
    std::string_view rule;   ///< of the ABI: number and words
    std::string_view does;
    Drive drive;
    Placed inline_;
    Placed thread;
    std::string_view status;    ///< of its op, for the page
    std::string_view sign;      ///< counter or log event, for the page
    std::string_view operate;   ///< what the operator sees and does
};

const std::vector<Module>& modules();
const Module* find_module(std::string_view name);

/// docs/operations/failure-modes.md
std::string failure_modes_page();

}  // namespace jackfield::bad_plugins
