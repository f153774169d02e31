#include "call/language.hpp"

#include <algorithm>
#include <cctype>

namespace jackfield::call {
namespace {

/// Sounds that mean "go on" nearly everywhere.
const std::vector<std::string>& sounds() {
    static const std::vector<std::string> list{"mhm", "mm", "hm", "hmm", "uhu", "aha", "ah", "oh", "ok", "okay"};
    return list;
}

/// One row a language. Phrases and words are in lower case, as words.cpp folds what is compared with them.
struct Row {
    const char* code;
    std::vector<std::string> stop_phrases;
    std::vector<std::string> backchannels;
    SentenceRules sentences;
};

const std::vector<Row>& rows() {
    static const std::vector<Row> table = {
        {"en",
         {"stop", "wait", "hold on", "hang on", "one moment", "one second", "be quiet", "excuse me", "no no"},
         {"uh", "um", "uhhuh", "huh", "yeah", "yep", "yes", "right", "sure", "alright", "i see", "got it"},
         {{"dr", "mr", "mrs", "ms", "prof", "st", "mt", "rev", "capt", "gen", "sgt", "lt", "col", "vs", "e.g", "i.e", "fig", "approx",
           "nos", "messrs"},
          {"a.m", "p.m", "etc", "inc", "ltd", "co", "corp", "jr", "sr", "u.s", "u.k", "ave", "blvd", "rd", "dept", "ext", "min", "max"},
          {"no"},
          false,
          'I'}},
        {"de",
         {"stopp", "stop", "halt", "moment", "einen moment", "augenblick", "warten sie", "warte", "entschuldigung", "nein nein",
          "langsam"},
         {"äh", "ähm", "ja", "jaja", "jo", "genau", "gut", "klar", "ach so", "achso", "richtig", "verstehe", "alles klar", "stimmt"},
         {{"dr", "prof", "hr", "fr", "st", "str", "bzw", "ca", "vgl", "sog", "geb", "tel", "z.b", "d.h", "u.a", "o.ä", "i.d.r", "ggf",
           "inkl", "zzgl", "evtl", "max", "min", "dipl", "ing", "z", "abt", "mo", "di", "mi", "do", "sa", "so"},
          {"usw", "etc", "uhr", "gmbh", "co", "jr", "std", "mrd", "mio"},
          {"nr"},
          true,
          0}},
        {"es",
         {"para", "pare", "espera", "espere", "un momento", "perdón", "perdone", "disculpe", "no no", "alto"},
         {"eh", "em", "sí", "si", "vale", "claro", "bien", "ya", "bueno", "de acuerdo", "entiendo", "correcto"},
         {{"sr", "sra", "srta", "dr", "dra", "prof", "d", "dña", "ud", "uds", "av", "avda", "pág", "tel", "ej", "aprox", "c", "sto",
           "sta"},
          {"etc", "s.a", "s.l", "a.m", "p.m", "ee.uu", "cía"},
          {"n", "núm", "nº"},
          false,
          0}},
        {"fr",
         {"stop", "arrêtez", "arrête", "attendez", "attends", "un instant", "un moment", "une seconde", "pardon", "excusez moi",
          "non non"},
         {"euh", "oui", "ouais", "d'accord", "daccord", "bien", "très bien", "voilà", "ah bon", "bon", "entendu", "je vois", "exact"},
         {{"m", "mm", "mme", "mlle", "dr", "pr", "me", "st", "ste", "av", "bd", "tél", "env", "c.-à-d", "p.ex", "cf", "art"},
          {"etc", "s.a", "s.a.r.l", "h", "min", "av. j.-c"},
          {"n", "no", "nº"},
          false,
          0}},
        {"it",
         {"stop", "fermo", "ferma", "aspetti", "aspetta", "un momento", "un attimo", "scusi", "scusa", "no no", "basta"},
         {"eh", "ehm", "sì", "si", "certo", "bene", "va bene", "esatto", "capito", "ho capito", "giusto", "d'accordo"},
         {{"sig", "sig.ra", "sig.na", "dott", "dr", "dott.ssa", "prof", "prof.ssa", "ing", "avv", "arch", "tel", "pag", "es", "ca", "s",
           "v", "gent"},
          {"ecc", "s.p.a", "s.r.l", "a.c", "d.c"},
          {"n", "nr"},
          false,
          0}},
        {"pt",
         {"pare", "para", "espere", "espera", "um momento", "um instante", "só um minuto", "desculpe", "desculpa", "não não", "calma"},
         {"é", "eh", "sim", "tá", "está", "certo", "claro", "pois", "pois é", "bom", "entendo", "isso", "tudo bem", "exato"},
         {{"sr", "sra", "dr", "dra", "prof", "profa", "eng", "exmo", "exma", "av", "tel", "pág", "ex", "aprox", "d", "sto", "sta"},
          {"etc", "s.a", "ltda", "lda", "a.m", "p.m"},
          {"n", "nº"},
          false,
          0}},
        {"nl",
         {"stop", "wacht", "wacht even", "ho", "moment", "een moment", "momentje", "even wachten", "sorry", "pardon", "nee nee"},
         {"eh", "uh", "ja", "jaja", "goed", "oké", "precies", "klopt", "juist", "prima", "ik snap het", "begrijp ik"},
         {{"dhr", "mevr", "mw", "dr", "drs", "prof", "ir", "ing", "mr", "st", "str", "bijv", "bv", "d.w.z", "o.a", "ca", "tel", "evt",
           "m.b.t", "incl", "excl"},
          {"enz", "etc", "b.v", "n.v", "e.d"},
          {"nr"},
          false,
          0}},
        {"pl",
         {"stop", "stój", "czekaj", "proszę czekać", "chwileczkę", "moment", "momencik", "przepraszam", "zaraz", "nie nie"},
         {"yyy", "eee", "tak", "no", "no tak", "dobrze", "dobra", "jasne", "rozumiem", "aha tak", "okej", "właśnie", "zgadza się"},
         {{"p", "dr", "prof", "mgr", "inż", "ul", "al", "św", "tel", "np", "tzn", "tj", "ok", "ww", "im", "os", "pl", "godz"},
          {"itd", "itp", "r", "w", "zł", "tys", "mln", "mld"},
          {"nr"},
          true,
          0}},
        {"tr",
         {"dur", "durun", "bekle", "bekleyin", "bir dakika", "bir saniye", "bir an", "pardon", "affedersiniz", "hayır hayır", "tamam dur"},
         {"ee", "ıı", "evet", "tamam", "tabii", "peki", "anladım", "doğru", "olur", "hı hı", "hıhı", "aynen", "güzel"},
         {{"dr", "prof", "doç", "av", "sn", "bkz", "cad", "sok", "mah", "apt", "tel", "örn", "st", "yrd", "öğr", "müh"},
          {"vb", "vs", "ltd", "şti", "a.ş", "m.ö", "m.s"},
          {"no"},
          true,
          0}},
        {"ja", {"ちょっと待って", "待って", "ストップ", "すみません"}, {"はい", "うん", "ええ", "そうですね", "なるほど", "あ"}, {}},
        {"zh", {"停", "等一下", "等等", "不好意思", "稍等"}, {"嗯", "对", "好", "好的", "是", "是的", "哦", "啊"}, {}},
    };
    return table;
}

std::vector<Language> make_languages() {
    std::vector<Language> out;
    for (const Row& row : rows()) {
        Language language{row.code, row.stop_phrases, row.backchannels, row.sentences};
        language.backchannels.insert(language.backchannels.end(), sounds().begin(), sounds().end());
        out.push_back(std::move(language));
    }
    return out;
}

}  // namespace

const Language& language_of(std::string_view tag) {
    static const std::vector<Language> languages = make_languages();
    static const Language other{"", {}, sounds(), {}};
    std::string first(tag.substr(0, tag.find_first_of("-_")));
    std::transform(first.begin(), first.end(), first.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto found = std::find_if(languages.begin(), languages.end(), [&](const Language& l) { return l.code == first; });
    return found == languages.end() ? other : *found;
}

Language language_of(std::string_view tag, const std::vector<std::string>& stop_phrases, const std::vector<std::string>& backchannels) {
    Language out = language_of(tag);
    if (!stop_phrases.empty()) out.stop_phrases = stop_phrases;
    if (!backchannels.empty()) out.backchannels = backchannels;
    return out;
}

std::vector<std::string> known_languages() {
    std::vector<std::string> out;
    for (const Row& row : rows()) out.emplace_back(row.code);
    return out;
}

}  // namespace jackfield::call
