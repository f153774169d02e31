#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::sim {

/// One thing that a simulated provider does wrong: "3 stall", "7 late 900". Which of its streams or utterances it is counts from 1.
struct Fault {
    std::uint64_t n = 0;
    std::string kind;
    std::uint64_t argument = 0;
};

class Faults {
  public:
    Faults() = default;
    /// Lines that are no fault are none.
    explicit Faults(const std::vector<std::string>& lines) {
        for (const std::string& line : lines) add(line);
    }

    /// What is to go wrong with the n-th, of these kinds; null: nothing.
    const Fault* find(std::uint64_t n, std::initializer_list<std::string_view> kinds) const {
        for (const Fault& fault : all_)
            if (fault.n == n && std::find(kinds.begin(), kinds.end(), fault.kind) != kinds.end()) return &fault;
        return nullptr;
    }

  private:
    void add(std::string_view line) {
        Fault fault;
        const char* const end = line.data() + line.size();
        const auto number = std::from_chars(line.data(), end, fault.n);
        if (number.ec != std::errc() || number.ptr == end) return;
        line.remove_prefix(static_cast<std::size_t>(number.ptr - line.data()) + 1);
        const std::size_t space = std::min(line.find(' '), line.size());
        fault.kind = line.substr(0, space);
        if (space < line.size()) std::from_chars(line.data() + space + 1, end, fault.argument);
        all_.push_back(std::move(fault));
    }

    std::vector<Fault> all_;
};

}  // namespace jackfield::sim
