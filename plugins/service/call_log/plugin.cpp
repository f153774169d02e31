// service/call_log: jf.service/1 over the record store and, when one is named, a language model.

#include "service.hpp"

JACKFIELD_MODULE(jackfield::call_log::Service)
