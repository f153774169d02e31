#include "abi/guard/grow.hpp"

#include <sstream>

namespace jackfield::abi_guard {
namespace fs = std::filesystem;

void write_grown_headers(const fs::path& include, const fs::path& to, const Tools& tools) {
    const Surface surface = read_headers(include, tools);
    fs::create_directories(to);
    fs::copy(include, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    for (const std::string& header : header_names(include)) {
        std::istringstream text(read_text(include / "jackfield" / header));
        std::string out;
        for (std::string line; std::getline(text, line);) {
            const bool ends = line.starts_with("} jf_") && line.ends_with(";");
            const Struct* const type = ends ? surface.find(line.substr(2, line.size() - 3)) : nullptr;
            if (type && type->grows && type->is_table()) out += "    jf_status (*jf_later_function)(void* self, jf_op op) JF_ON(any);\n";
            if (type && type->grows) out += "    uint64_t jf_later;\n";
            out += line + "\n";
        }
        write_text(to / "jackfield" / header, out);
    }
}

}  // namespace jackfield::abi_guard
