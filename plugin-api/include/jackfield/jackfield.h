/* jackfield/jackfield.h: every interface of this release that is not a draft. */
#ifndef JACKFIELD_JACKFIELD_H
#define JACKFIELD_JACKFIELD_H

#include <jackfield/base.h>
#include <jackfield/embedding.h>
#include <jackfield/host.h>
#include <jackfield/llm.h>
#include <jackfield/messaging.h>
#include <jackfield/module.h>
#include <jackfield/records.h>
#include <jackfield/service.h>
#include <jackfield/stt.h>
#include <jackfield/telemetry.h>
#include <jackfield/telephony.h>
#include <jackfield/tools.h>
#include <jackfield/tts.h>
#include <jackfield/vectors.h>
#include <jackfield/webhook.h>

#endif
