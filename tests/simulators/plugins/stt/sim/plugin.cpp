#include "recogniser.hpp"

JACKFIELD_MODULE(jackfield::stt_sim::Recogniser)
