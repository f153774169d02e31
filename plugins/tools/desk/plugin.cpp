// tools/desk: jf.tools/1 over tables of the configuration and an appointment book in the record store.

#include "desk.hpp"

JACKFIELD_MODULE(jackfield::desk::Desk)
