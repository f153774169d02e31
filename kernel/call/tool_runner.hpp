#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin_host/tool_list.hpp"
#include "runtime/runtime.hpp"
#include "store/tool_call_store.hpp"

namespace jackfield::call {

struct ToolMetrics {
    observe::Counter run;
    observe::Counter failed;
    observe::Counter unknown; ///< the outcome is: somebody should look
};

/// Carries out what a call's model called: checks the arguments, writes the intent, runs the tool under its deadline, records what came of
/// it. What has an unknown outcome is not repeated unless the tool says that repeating it does no harm. Everything on the call's shard.
class ToolRunner {
  public:
    /// What the tools are told of the call, and who hears of them.
    struct Context {
        std::string tenant;
        std::string call;
        std::string language;
        std::function<std::string()> now_local;
        std::function<std::int64_t()> since_answer_ms;
        /// JSON for the model; exactly once per run(), never from inside it.
        std::function<void(std::uint64_t reply, std::uint32_t index, const std::string& content)> on_result;
        std::function<void(std::uint64_t reply, std::uint32_t index, std::string_view text)> on_progress;
        /// It has come to its end and is stored, for the call's events.
        std::function<void(const store::ToolCallRow&)> on_recorded;
        /// Nothing runs and nothing is being written any more.
        std::function<void()> on_idle;
    };

    ToolRunner(plugin_host::PluginHost& plugins, store::ToolCallStore& store, runtime::Shard& shard, observe::Logger log,
               ToolMetrics metrics, Context context);
    ~ToolRunner();

    void run(const plugin_host::OfferedTool& tool, std::uint64_t reply, std::uint32_t index, std::string arguments,
             base::Milliseconds timeout);
    bool idle() const { return running_.empty(); }
    /// A hand-off changes the language that is spoken.
    void set_language(std::string language) { context_.language = std::move(language); }

  private:
    class Running;
    void gone(Running& running);

    plugin_host::PluginHost& plugins_;
    store::ToolCallStore& store_;
    runtime::Shard& shard_;
    observe::Logger log_;
    ToolMetrics metrics_;
    Context context_;
    std::vector<std::unique_ptr<Running>> running_;
};

}  // namespace jackfield::call
