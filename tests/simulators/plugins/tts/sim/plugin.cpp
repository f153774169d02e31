#include "voice.hpp"

JACKFIELD_MODULE(jackfield::tts_sim::Voice)
