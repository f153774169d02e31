#include "carrier.hpp"

JACKFIELD_MODULE(jackfield::telephony_sim::Carrier)
