#pragma once

// A check is one promise of the contract, tried on a plugin file. The kit has its own small frame instead of gtest's: vendors want promise,
// finding and remedy in a row each, and a plugin that hangs or dies must cost one row and not the run.

#include <jackfield/base.h>

#include <span>
#include <string>
#include <string_view>

namespace jackfield::conformance {

class Bench;

struct Check {
    const char* name;     ///< "stt.finalize_is_answered_once": suite, then the promise
    const char* promise;  ///< a sentence
    const char* remedy;   ///< what to look at when it is broken
    void (*run)(Bench&);
    int seconds = 20;     ///< then the plugin is said to hang
    bool is_gate = false;       ///< nothing after it makes sense when it fails
    bool ends_process = false;  ///< nothing can be tried in this process afterwards
};

/// The checks of one interface, or the general ones.
struct Suite {
    std::string_view interface_id;  ///< "jf.stt/1"; empty: every plugin's
    std::string_view name;          ///< "stt"
    std::span<const Check> checks;
    void (*mid_op)(Bench&) = nullptr;  ///< begins work that would go on for a while, and returns
};

std::span<const Suite> all_suites();

/// The promise is broken; `why` is the finding.
struct Failed {
    std::string why;
};
/// The check can't say anything about this plugin.
struct NotApplicable {
    std::string why;
};
[[noreturn]] void fail(std::string why);
[[noreturn]] void not_applicable(std::string why);
/// Fails unless it holds.
void require(bool holds, std::string_view otherwise);
/// Fails unless it is one of `wanted`: "push answered STATE (-2); wanted: OK (0)".
void require_status(std::string_view call, jf_status got, std::initializer_list<jf_status> wanted);
/// "STATE (-2)"
std::string status_name(jf_status status);

}  // namespace jackfield::conformance
