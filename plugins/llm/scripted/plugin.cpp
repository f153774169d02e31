// llm/scripted: a language model's interface over a dialogue that is written down.

#include "driver.hpp"

JACKFIELD_MODULE(jackfield::scripted::Scripted)
