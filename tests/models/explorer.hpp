#pragma once

// Explores every state that a model can reach, breadth first, so that the first counterexample is a shortest one.
//
// A Model has
//   using State, Action;
//   State initial() const;
//   std::vector<Action> actions(const State&) const;          what may happen next, in any order of the actors
//   void apply(State&, const Action&) const;
//   std::string key(const State&) const;                      equal for states that behave equally
//   std::string broken(const State&) const;                   which promise the state breaks; empty: none
//   std::string name(const Action&) const;                    for people

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jackfield::models {

template <typename Model>
class Explorer {
  public:
    using State = typename Model::State;
    using Action = typename Model::Action;
    using Path = std::vector<Action>;

    struct Limits {
        std::size_t depth = SIZE_MAX;
        std::size_t states = 2'000'000;
    };
    struct Result {
        std::size_t states = 0, transitions = 0, deepest = 0;
        bool all = true;  ///< nothing was left out for a limit
        std::optional<std::string> counterexample;
    };

    explicit Explorer(const Model& model) : model_(model) {}

    /// `on_transition` sees each state's shortest path and each action from it.
    Result run(Limits limits, const std::function<void(const Path&)>& on_transition = {}) {
        Result result;
        std::deque<std::pair<std::size_t, State>> open;
        add(model_.initial(), none, {}, open);
        result.states = 1;
        while (!open.empty() && !result.counterexample) {
            const auto [at, state] = std::move(open.front());
            open.pop_front();
            if (nodes_[at].depth >= limits.depth) {
                result.all = false;
                continue;
            }
            for (const Action& action : model_.actions(state)) {
                State next = state;
                model_.apply(next, action);
                ++result.transitions;
                if (on_transition) on_transition(path_to(at, action));
                if (result.states >= limits.states) {
                    result.all = false;
                    continue;
                }
                if (!add(next, at, action, open)) continue;
                ++result.states;
                result.deepest = std::max(result.deepest, nodes_.back().depth);
                // A state that was there before has been looked at.
                if (const std::string why = model_.broken(next); !why.empty()) {
                    result.counterexample = told(path_to(at, action), why);
                    break;
                }
            }
        }
        return result;
    }

    std::string told(const Path& path, const std::string& why) const {
        std::string out = why + ", after " + std::to_string(path.size()) + " steps:\n";
        for (const Action& action : path) out += "  " + model_.name(action) + "\n";
        return out;
    }

  private:
    static constexpr std::size_t none = SIZE_MAX;
    struct Node {
        std::size_t parent;
        Action action;
        std::size_t depth;
    };

    bool add(State state, std::size_t parent, const Action& action, std::deque<std::pair<std::size_t, State>>& open) {
        if (!seen_.emplace(model_.key(state), nodes_.size()).second) return false;
        nodes_.push_back({parent, action, parent == none ? 0 : nodes_[parent].depth + 1});
        open.emplace_back(nodes_.size() - 1, std::move(state));
        return true;
    }
    /// The shortest path to a node, and a step from there.
    Path path_to(std::size_t at, const Action& last) const {
        Path path(nodes_[at].depth + 1);
        path.back() = last;
        for (std::size_t i = path.size() - 1; i > 0; --i) {
            path[i - 1] = nodes_[at].action;
            at = nodes_[at].parent;
        }
        return path;
    }

    const Model& model_;
    std::vector<Node> nodes_;
    std::unordered_map<std::string, std::size_t> seen_;
};

}  // namespace jackfield::models
