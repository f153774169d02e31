#include <jackfield/sdk/plugin.hpp>

#include "instance.hpp"

JACKFIELD_MODULE(jackfield::sqlite::Instance)
