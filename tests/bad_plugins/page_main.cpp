#include <cstdio>

#include "module_table.hpp"

/// Prints docs/operations/failure-modes.md as the table of the bad modules has it.
int main() {
    std::fputs(jackfield::bad_plugins::failure_modes_page().c_str(), stdout);
    return 0;
}
