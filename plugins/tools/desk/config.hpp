#pragma once

#include <string>
#include <vector>

#include <jackfield/sdk/plugin.hpp>

#include "timetable.hpp"

namespace jackfield::desk {

/// Something that callers ask for.
struct Entry {
    std::string name;
    std::vector<std::string> synonyms;
    std::string text;
};

struct Config {
    std::vector<Entry> entries;
    Timetable timetable;
    int at_once = 1;
    int days_ahead = 60;
    int notice_minutes = 60;

    /// Throws a Failure that names the option.
    static Config from(const sdk::Config& given);
};

}  // namespace jackfield::desk
