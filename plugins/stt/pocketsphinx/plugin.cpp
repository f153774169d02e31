#include "driver.hpp"

JACKFIELD_MODULE(jackfield::pocketsphinx::Recogniser)
