#include "network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <stdexcept>
#include <utility>

namespace jackfield::pocketsphinx {
namespace {

constexpr float impossible = -std::numeric_limits<float>::infinity();

float log_of(double probability) { return static_cast<float>(std::log(std::clamp(probability, 1e-12, 1.0))); }

/// Best log probability of reaching each state from `from` without a word.
class Closure {
  public:
    Closure(std::uint32_t states, const std::vector<std::vector<std::pair<std::uint32_t, float>>>& skips)
        : skips_(skips), best_(states, impossible) {}

    const std::vector<std::uint32_t>& reach(std::uint32_t from) {
        for (const std::uint32_t state : reached_) best_[state] = impossible;
        reached_.assign(1, from);
        best_[from] = 0;
        // Dijkstra's way: in any other order a few dozen arcs with unlucky weights would be walked a billion times.
        std::priority_queue<std::pair<float, std::uint32_t>> open;
        open.emplace(0.0f, from);
        while (!open.empty()) {
            const auto [log_probability, state] = open.top();
            open.pop();
            if (log_probability < best_[state]) continue;
            for (const auto& [to, step] : skips_[state]) {
                if (log_probability + step <= best_[to]) continue;
                if (best_[to] == impossible) reached_.push_back(to);
                best_[to] = log_probability + step;
                open.emplace(best_[to], to);
            }
        }
        return reached_;
    }
    float best(std::uint32_t state) const { return best_[state]; }

  private:
    const std::vector<std::vector<std::pair<std::uint32_t, float>>>& skips_;
    std::vector<float> best_;
    std::vector<std::uint32_t> reached_;
};

/// Keeps the states that lie on a way from start to final, and numbers them anew.
Network pruned(const Network& in) {
    const auto mark = [&](std::uint32_t from, bool forwards) {
        std::vector<std::vector<std::uint32_t>> next(in.states);
        for (const Network::Arc& arc : in.arcs) {
            if (forwards) next[arc.from].push_back(arc.to);
            else next[arc.to].push_back(arc.from);
        }
        std::vector<char> marked(in.states, 0);
        std::vector<std::uint32_t> open{from};
        marked[from] = 1;
        while (!open.empty()) {
            const std::uint32_t state = open.back();
            open.pop_back();
            for (const std::uint32_t to : next[state])
                if (!std::exchange(marked[to], 1)) open.push_back(to);
        }
        return marked;
    };
    const std::vector<char> reached = mark(in.start, true);
    const std::vector<char> useful = mark(in.final, false);

    Network out;
    if (!reached[in.final]) return out;
    std::vector<std::uint32_t> number(in.states, 0);
    for (std::uint32_t state = 0; state < in.states; ++state)
        if (reached[state] && useful[state]) number[state] = out.states++;
    std::vector<std::int32_t> word_number(in.words.size(), -1);
    for (Network::Arc arc : in.arcs) {
        if (!(reached[arc.from] && useful[arc.from] && useful[arc.to])) continue;
        if (arc.word >= 0) {
            std::int32_t& word = word_number[static_cast<std::size_t>(arc.word)];
            if (word < 0) {
                word = static_cast<std::int32_t>(out.words.size());
                out.words.push_back(in.words[static_cast<std::size_t>(arc.word)]);
            }
            arc.word = word;
        }
        arc.from = number[arc.from];
        arc.to = number[arc.to];
        out.arcs.push_back(arc);
    }
    out.start = number[in.start];
    out.final = number[in.final];
    return out;
}

}  // namespace

void NetworkBuilder::add(Raw raw) {
    if (arcs_.size() >= max_arcs) throw std::length_error("the grammar is too large");
    arcs_.push_back(raw);
}

void NetworkBuilder::word(std::uint32_t from, std::uint32_t to, std::string_view word, double probability) {
    auto found = ids_.find(word);
    if (found == ids_.end()) {
        found = ids_.emplace(word, static_cast<std::int32_t>(words_.size())).first;
        words_.emplace_back(word);
    }
    add({from, to, log_of(probability), found->second});
}

void NetworkBuilder::skip(std::uint32_t from, std::uint32_t to, double probability) {
    if (from != to) add({from, to, log_of(probability), Network::no_word});
}

Network NetworkBuilder::finish(std::uint32_t start, std::uint32_t final) {
    // The decoder follows an arc without a word only into the final state here; chains of them, which loops and optional parts make,
    // are replaced by the word arcs that lie behind them.
    std::vector<std::vector<std::pair<std::uint32_t, float>>> skips(states_);
    std::vector<std::vector<Raw>> words(states_);
    for (const Raw& arc : arcs_) {
        if (arc.word == Network::no_word) skips[arc.from].emplace_back(arc.to, arc.log_probability);
        else words[arc.from].push_back(arc);
    }

    Network out;
    const std::uint32_t end = states_;  // nothing leaves it
    out.states = states_ + 1;
    out.start = start;
    out.final = end;
    out.words = words_;
    Closure closure(states_, skips);
    std::vector<char> entered(states_, 0);
    entered[start] = 1;
    for (const Raw& arc : arcs_)
        if (arc.word != Network::no_word) entered[arc.to] = 1;
    for (std::uint32_t state = 0; state < states_; ++state) {
        if (!entered[state]) continue;
        std::map<std::pair<std::uint32_t, std::int32_t>, float> best;
        for (const std::uint32_t via : closure.reach(state)) {
            for (const Raw& arc : words[via]) {
                float& known = best.try_emplace({arc.to, arc.word}, impossible).first->second;
                known = std::max(known, closure.best(via) + arc.log_probability);
            }
        }
        if (closure.best(final) != impossible && state != start)
            out.arcs.push_back({state, end, closure.best(final), Network::no_word});
        for (const auto& [key, log_probability] : best) {
            if (out.arcs.size() >= 4 * max_arcs) throw std::length_error("the grammar is too large");
            out.arcs.push_back({state, key.first, log_probability, key.second});
        }
    }
    return pruned(out);
}

namespace {

class GrammarCompiler {
  public:
    GrammarCompiler(const Grammar& grammar, const Speak& speak, std::size_t& unknown)
        : grammar_(grammar), speak_(speak), unknown_(unknown) {}

    Network run() {
        const std::uint32_t start = builder_.add_state();
        const std::uint32_t final = builder_.add_state();
        const double each = 1.0 / static_cast<double>(grammar_.public_rules.size());
        for (const std::string& name : grammar_.public_rules) {
            const std::uint32_t begin = builder_.add_state();
            builder_.skip(start, begin, each);
            rule(name, begin, final);
        }
        return builder_.finish(start, final);
    }

  private:
    struct Open {
        const std::string* name;
        std::uint32_t from;
        std::uint32_t to;
    };

    void rule(const std::string& name, std::uint32_t from, std::uint32_t to) {
        for (const Open& open : open_) {
            if (*open.name != name) continue;
            if (open.to != to) throw std::invalid_argument("<" + name + "> refers to itself before its end");
            builder_.skip(from, open.from, 1);
            return;
        }
        const auto found = grammar_.rules.find(name);
        if (found == grammar_.rules.end()) throw std::invalid_argument("<" + name + "> is not defined");
        if (open_.size() >= 64) throw std::invalid_argument("rules refer to rules too deeply");
        // A grammar of n rules, each of which says the one before twice, would be 2^n words.
        if (++visits_ > NetworkBuilder::max_arcs) throw std::length_error("the grammar is too large");
        open_.push_back({&found->first, from, to});
        expand(found->second, from, to);
        open_.pop_back();
    }

    void expand(const Expansion& e, std::uint32_t from, std::uint32_t to) {
        using Kind = Expansion::Kind;
        switch (e.kind) {
            case Kind::null_: builder_.skip(from, to, 1); return;
            case Kind::void_: return;
            case Kind::word: word(e.text, from, to); return;
            case Kind::rule: rule(e.text, from, to); return;
            case Kind::sequence: {
                for (std::size_t i = 0; i < e.items.size(); ++i) {
                    const std::uint32_t next = i + 1 == e.items.size() ? to : builder_.add_state();
                    expand(e.items[i], from, next);
                    from = next;
                }
                return;
            }
            case Kind::alternatives: {
                for (std::size_t i = 0; i < e.items.size(); ++i) {
                    if (e.weights[i] <= 0) continue;
                    const std::uint32_t begin = builder_.add_state();
                    builder_.skip(from, begin, e.weights[i]);
                    expand(e.items[i], begin, to);
                }
                return;
            }
            case Kind::optional: {
                const std::uint32_t begin = builder_.add_state();
                builder_.skip(from, to, 0.5);
                builder_.skip(from, begin, 0.5);
                expand(e.items[0], begin, to);
                return;
            }
            case Kind::any_number:
            case Kind::one_or_more: {
                const std::uint32_t begin = builder_.add_state();
                const std::uint32_t end = builder_.add_state();
                builder_.skip(from, begin, 1);
                if (e.kind == Kind::any_number) builder_.skip(from, to, 0.5);
                expand(e.items[0], begin, end);
                builder_.skip(end, begin, 0.5);
                builder_.skip(end, to, 0.5);
                return;
            }
        }
    }

    void word(const std::string& text, std::uint32_t from, std::uint32_t to) {
        const Spoken spoken = speak_(text);
        if (!spoken.complete) {
            ++unknown_;
            return;
        }
        if (spoken.words.empty()) {
            builder_.skip(from, to, 1);  // punctuation
            return;
        }
        for (std::size_t i = 0; i < spoken.words.size(); ++i) {
            const std::uint32_t next = i + 1 == spoken.words.size() ? to : builder_.add_state();
            builder_.word(from, next, spoken.words[i], 1);
            from = next;
        }
    }

    const Grammar& grammar_;
    const Speak& speak_;
    std::size_t& unknown_;
    NetworkBuilder builder_;
    std::vector<Open> open_;
    std::size_t visits_ = 0;
};

/// Phrases as a tree of words, each node with the weight of what lies below.
struct Tree {
    std::map<std::string, Tree> next;
    double ends = 0;  // weight of phrases that end here
    double weight = 0;

    void add(const std::vector<std::string>& words, double share) {
        Tree* node = this;
        node->weight += share;
        for (const std::string& word : words) {
            node = &node->next[word];
            node->weight += share;
        }
        node->ends += share;
    }

    void build(NetworkBuilder& builder, std::uint32_t from, std::uint32_t to) const {
        for (const auto& [word, node] : next) {
            const double probability = node.weight / weight;
            if (node.next.empty()) {
                builder.word(from, to, word, probability);
                continue;
            }
            const std::uint32_t state = builder.add_state();
            builder.word(from, state, word, probability);
            node.build(builder, state, to);
            if (node.ends > 0) builder.skip(state, to, node.ends / node.weight);
        }
    }
};

}  // namespace

Network compile(const Grammar& grammar, const Speak& speak, std::size_t& unknown_words) {
    return GrammarCompiler(grammar, speak, unknown_words).run();
}

Network compile(const std::vector<Phrase>& phrases, const PhraseOptions& options) {
    Tree tree;
    for (const Phrase& phrase : phrases)
        if (!phrase.words.empty() && phrase.words.size() <= 64) tree.add(phrase.words, phrase.weight);
    if (tree.next.empty()) return {};
    Tree carriers;
    for (const auto& words : options.carriers)
        if (!words.empty()) carriers.add(words, 1);

    NetworkBuilder builder;
    const std::uint32_t start = builder.add_state();
    const std::uint32_t begin = builder.add_state();
    const std::uint32_t end = builder.add_state();
    const std::uint32_t final = builder.add_state();
    tree.build(builder, begin, end);
    builder.skip(start, begin, 1);
    builder.skip(end, final, 1);
    if (options.join_probability > 0) builder.skip(end, begin, options.join_probability);
    if (options.carrier_probability > 0 && !carriers.next.empty()) {
        const auto around = [&](std::uint32_t from, std::uint32_t to) {
            const std::uint32_t inside = builder.add_state();
            builder.skip(from, inside, options.carrier_probability);
            carriers.build(builder, inside, to);
        };
        around(start, begin);
        around(end, final);
    }
    return builder.finish(start, final);
}

}  // namespace jackfield::pocketsphinx
