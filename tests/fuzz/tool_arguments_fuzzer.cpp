// What a model writes as a tool's arguments, against a schema of the tool's (the first line), and as tools/desk reads them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "call/keypad.hpp"
#include "call/tool_arguments.hpp"
#include "plugins/tools/desk/book.hpp"
#include "plugins/tools/desk/functions.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jackfield;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t line = std::min(text.find('\n'), text.size());
    const std::string_view arguments = text.substr(std::min(line + 1, text.size()));
    if (call::argument_problems(text.substr(0, line), arguments).size() > 8) std::abort();
    if (call::digits_to_send(arguments).size() > 64) std::abort();

    static const desk::Config config = [] {
        desk::Config out;
        out.entries = {{"parking", {"car park"}, "Behind the house."}};
        out.timetable.week[0] = {{540, 720}};
        return out;
    }();
    static const desk::Moment now = *desk::parse_moment("2026-11-20T09:10:00-05:00");
    const desk::Arguments given = desk::Arguments::parse(arguments);
    for (const std::string& answer : {desk::lookup(config, given), desk::hours(config, given, now)})
        if (!base::JsonDocument::parse(answer)) std::abort();
    if (const auto day = desk::parse_date(given["date"])) {
        if (desk::parse_date(desk::date_text(*day)) != day) std::abort();
        static_cast<void>(desk::free_times(config, *day, {}, now));
    }
    return 0;
}
