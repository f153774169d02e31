#include "integration/simulation/shrink.hpp"

#include <algorithm>
#include <numeric>

namespace jackfield::simulation {
namespace {

using Places = std::vector<std::size_t>;

/// Only what is in the world: steps go with their call.
Places present(const World& world, const Places& places) {
    Places out;
    std::vector<int> calls;
    for (const std::size_t place : places) {
        const Element& element = world.elements[place];
        if (element.kind == Element::Kind::call) calls.push_back(element.call);
        if (element.kind == Element::Kind::step && std::find(calls.begin(), calls.end(), element.call) == calls.end()) continue;
        out.push_back(place);
    }
    return out;
}

}  // namespace

Places shrink(const World& world, const std::string& invariant, int call, const Trial& trial, std::chrono::milliseconds budget) {
    const auto deadline = std::chrono::steady_clock::now() + budget;
    const auto in_time = [&] { return std::chrono::steady_clock::now() < deadline; };
    Places best(world.elements.size());
    std::iota(best.begin(), best.end(), std::size_t{0});
    const auto try_these = [&](Places places) {
        places = present(world, places);
        if (places.size() >= best.size()) return false;
        const std::vector<std::string> broken = trial(only(world, places));
        if (std::find(broken.begin(), broken.end(), invariant) == broken.end()) return false;
        best = std::move(places);
        return true;
    };
    // A failure is mostly one's own: without all others it is mostly still there.
    Places alone;
    for (std::size_t i = 0; i < world.elements.size(); ++i)
        if (world.elements[i].call == call || world.elements[i].call < 0) alone.push_back(i);
    if (call >= 0) try_these(std::move(alone));
    for (std::size_t i = 0; i < best.size() && in_time(); ++i) {
        if (world.elements[best[i]].kind != Element::Kind::call) continue;
        Places without = best;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
        if (try_these(std::move(without))) --i;
    }
    for (std::size_t piece = std::max<std::size_t>(best.size() / 2, 1); in_time(); piece = std::max<std::size_t>(piece / 2, 1)) {
        bool smaller = false;
        for (std::size_t from = 0; from < best.size() && in_time();) {
            Places without = best;
            const auto first = without.begin() + static_cast<std::ptrdiff_t>(from);
            without.erase(first, first + static_cast<std::ptrdiff_t>(std::min(piece, without.size() - from)));
            if (try_these(std::move(without))) smaller = true;
            else from += piece;
        }
        if (piece == 1 && !smaller) break;
    }
    return best;
}

std::string to_ranges(const Places& places) {
    std::string out;
    for (std::size_t i = 0; i < places.size();) {
        std::size_t end = i;
        while (end + 1 < places.size() && places[end + 1] == places[end] + 1) ++end;
        if (!out.empty()) out += ',';
        out += std::to_string(places[i]);
        if (end > i) out += '-' + std::to_string(places[end]);
        i = end + 1;
    }
    return out;
}

Places from_ranges(const std::string& text) {
    Places out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(',', at), text.size());
        const std::string part = text.substr(at, end - at);
        const std::size_t dash = part.find('-');
        const std::size_t first = std::stoul(part);
        const std::size_t last = dash == std::string::npos ? first : std::stoul(part.substr(dash + 1));
        for (std::size_t place = first; place <= last; ++place) out.push_back(place);
        at = end + 1;
    }
    return out;
}

}  // namespace jackfield::simulation
