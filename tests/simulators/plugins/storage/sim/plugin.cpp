#include "store.hpp"

JACKFIELD_MODULE(jackfield::storage_sim::Store)
