#include "brain.hpp"

JACKFIELD_MODULE(jackfield::llm_sim::Brain)
