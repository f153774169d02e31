#pragma once

#include "conformance/kit/child.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace jackfield::conformance {

/// One line of the result.
struct Row {
    enum class Outcome { passed, failed, warning, not_applicable } outcome = Outcome::passed;
    std::string name;
    std::string promise;
    std::string detail;
    std::string remedy;
    std::int64_t ms = 0;
};

/// Runs checks in child processes of this program: what crashes, hangs or exits costs its own row.
class Runner {
  public:
    /// `arguments` are those that make a child load the same target; `scratch` is its folder.
    Runner(std::vector<std::string> arguments, std::string scratch, std::function<void(const Row&)> show,
           std::function<void(const std::string&)> began)
        : arguments_(std::move(arguments)), scratch_(std::move(scratch)), show_(std::move(show)), began_(std::move(began)) {}

    void run(std::vector<const Check*> checks);
    /// Kills a child in the middle of the suite's work, and looks at what is left.
    void kill_in_mid_op(const Suite& suite);
    /// The rows of what was noticed in passing.
    void report_observed();

    const std::vector<Row>& rows() const { return rows_; }
    /// A check without which the others make no sense has failed: they were left out.
    bool gave_up() const { return gave_up_; }

  private:
    struct Child {
        pid_t pid = -1;
        int fd = -1;
        int watch = -1;  ///< pidfd: a process that the plugin started may hold the pipe open for longer
        std::string buffer;
    };
    Child spawn(const std::vector<std::string>& what);
    /// The next line; false at the end of the child, or when `limit` has passed (then it is killed).
    bool read_line(Child& child, std::string& line, int limit_ms, bool& timed_out);
    /// How it ended, as a sentence.
    std::string reap(Child& child);
    /// Ends what a child left behind, and says what that was; empty when there was nothing.
    std::string end_orphans(int patience_ms);
    std::string stderr_tail() const;
    void look_at_stdout(const std::string& during);
    void add(Row row);
    std::size_t run_some(const std::vector<const Check*>& checks, std::size_t from);
    std::string killed_once(const Suite& suite, bool& applicable);

    std::vector<std::string> arguments_;
    std::string scratch_;
    std::function<void(const Row&)> show_;
    std::function<void(const std::string&)> began_;
    std::vector<Row> rows_;
    std::map<std::string, std::string> seen_;
    bool ran_any_ = false;
    bool gave_up_ = false;
};

}  // namespace jackfield::conformance
