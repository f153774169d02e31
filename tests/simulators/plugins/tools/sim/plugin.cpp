#include "shop.hpp"

JACKFIELD_MODULE(jackfield::tools_sim::Shop)
