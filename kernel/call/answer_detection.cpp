#include "call/answer_detection.hpp"

#include <algorithm>
#include <map>

#include "call/language.hpp"
#include "call/words.hpp"

namespace jackfield::call {

const char* name_of(AnsweredBy by) {
    switch (by) {
        case AnsweredBy::human: return "human";
        case AnsweredBy::machine: return "machine";
        case AnsweredBy::unsure: return "unsure";
    }
    return "unsure";
}

std::optional<AnswerVerdict> AnswerDetection::decide(AnsweredBy by, const char* rule) {
    // A machine stays one, and only a machine overrules what was decided before.
    if (is_machine() || (verdict_ && by != AnsweredBy::machine)) return std::nullopt;
    verdict_ = AnswerVerdict{by, rule};
    return verdict_;
}

std::optional<AnswerVerdict> AnswerDetection::on_speech_start(base::MonoTime began) {
    if (!began_) began_ = std::max(began, answered_);
    speaking_ = true;
    return std::nullopt;
}

std::optional<AnswerVerdict> AnswerDetection::on_speech_stop(base::MonoTime last_voiced) {
    speaking_ = false;
    last_voiced_ = last_voiced;
    return std::nullopt;
}

std::optional<AnswerVerdict> AnswerDetection::on_words(base::MonoTime now, std::string_view text) {
    if (now - answered_ > options_.total || !has_phrase(phrases_, text)) return std::nullopt;
    const auto verdict = decide(AnsweredBy::machine, "words");
    if (verdict) machine_at_ = now;
    return verdict;
}

std::optional<AnswerVerdict> AnswerDetection::on_beep(base::MonoTime now) {
    if (is_machine()) {
        beeped_ = true;
        return std::nullopt;
    }
    if (now - answered_ > options_.total) return std::nullopt;
    beeped_ = true;
    machine_at_ = now;
    return decide(AnsweredBy::machine, "beep");
}

std::optional<AnswerVerdict> AnswerDetection::on_carrier(AnsweredBy by) {
    if (by == AnsweredBy::machine && !is_machine()) machine_at_ = answered_;
    return decide(by, "carrier");
}

std::optional<AnswerVerdict> AnswerDetection::on_time(base::MonoTime now) {
    if (verdict_) return std::nullopt;
    if (!began_) return now - answered_ >= options_.no_speech ? decide(AnsweredBy::unsure, "no_speech") : std::nullopt;
    const base::MonoTime end = speaking_ || !last_voiced_ ? now : *last_voiced_;
    if (end - *began_ > options_.human_speech) {
        machine_at_ = now;
        return decide(AnsweredBy::machine, "long_speech");
    }
    if (!speaking_ && last_voiced_ && now - *last_voiced_ >= options_.human_quiet) return decide(AnsweredBy::human, "short_speech");
    return std::nullopt;
}

std::optional<base::MonoTime> AnswerDetection::next_deadline() const {
    if (verdict_) return std::nullopt;
    if (!began_) return answered_ + options_.no_speech;
    // Just above: a person may take the whole of it.
    const base::MonoTime longest = *began_ + options_.human_speech + base::Nanoseconds(1);
    return speaking_ || !last_voiced_ ? longest : *last_voiced_ + options_.human_quiet;
}

base::MonoTime AnswerDetection::message_at() const {
    const base::MonoTime latest = machine_at_ + options_.message_wait;
    if (beeped_) return machine_at_;
    if (speaking_) return latest;
    return std::min(latest, std::max(last_voiced_.value_or(machine_at_), machine_at_ - options_.machine_quiet) + options_.machine_quiet);
}

bool AnswerDetection::ready_for_message(base::MonoTime now) const { return is_machine() && now >= message_at(); }

bool AnswerDetection::over(base::MonoTime now) const {
    return is_machine() ? ready_for_message(now) : verdict_.has_value() && now - answered_ > options_.total;
}

const std::vector<std::string>& machine_phrases(std::string_view language) {
    static const std::map<std::string, std::vector<std::string>, std::less<>> table = {
        {"en",
         {"after the tone", "after the beep", "at the tone", "leave a message", "leave your message", "leave me a message", "voicemail",
          "voice mail", "mailbox", "not available", "unavailable", "can't take your call", "cannot take your call", "record your message",
          "can't come to the phone"}},
        {"de",
         {"nach dem ton", "nach dem signalton", "nach dem piep", "nachricht hinterlassen", "hinterlassen sie", "mailbox", "sprachbox",
          "anrufbeantworter", "nicht erreichbar", "zurzeit nicht"}},
        {"es", {"después de la señal", "después del tono", "deje su mensaje", "deje un mensaje", "buzón de voz", "no está disponible", "contestador"}},
        {"fr", {"après le bip", "après le signal", "laissez un message", "laisser un message", "messagerie", "répondeur", "boîte vocale"}},
        {"it", {"dopo il segnale", "dopo il bip", "lasciate un messaggio", "lasci un messaggio", "segreteria telefonica", "non è raggiungibile"}},
        {"pt", {"após o sinal", "depois do sinal", "deixe sua mensagem", "deixe a sua mensagem", "caixa postal", "correio de voz", "não está disponível"}},
        {"nl", {"na de toon", "na de piep", "laat een bericht", "spreek een bericht in", "voicemail", "niet bereikbaar"}},
        {"pl", {"po sygnale", "zostaw wiadomość", "proszę zostawić wiadomość", "poczta głosowa", "automatyczna sekretarka", "skrzynka głosowa"}},
        {"tr", {"bip sesinden sonra", "sinyal sesinden sonra", "mesajınızı bırakın", "mesaj bırakın", "sesli mesaj", "telesekreter", "ulaşılamıyor"}},
    };
    const auto found = table.find(language_of(language).code);
    return found == table.end() ? table.find("en")->second : found->second;
}

}  // namespace jackfield::call
