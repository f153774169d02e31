#include "call/phrases.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace jackfield::call {
namespace {

struct Row {
    std::string_view language;
    Phrases phrases;
};

const std::array<Row, 9>& rows() {
    static const std::array<Row, 9> table = {{
        {"en", {{"One moment, please.", "I am still looking into it.", "Thank you for waiting, just a little longer."},
                "Sorry, I did not get that. Could you say it again, please?",
                "I am sorry, something went wrong on my side. Please call again.",
                "I am sorry, something went wrong on my side. I will put you through to a person."}},
        {"de", {{"Einen Moment, bitte.", "Ich bin noch dabei.", "Danke für Ihre Geduld, gleich habe ich es."},
                "Entschuldigung, das habe ich nicht verstanden. Können Sie das bitte noch einmal sagen?",
                "Es tut mir leid, bei mir ist etwas schiefgegangen. Bitte rufen Sie noch einmal an.",
                "Es tut mir leid, bei mir ist etwas schiefgegangen. Ich verbinde Sie weiter."}},
        {"es", {{"Un momento, por favor.", "Sigo buscándolo.", "Gracias por esperar, enseguida estoy con usted."},
                "Perdone, no le he entendido. ¿Puede repetirlo, por favor?",
                "Lo siento, ha habido un problema por mi parte. Por favor, vuelva a llamar.",
                "Lo siento, ha habido un problema por mi parte. Le paso con una persona."}},
        {"fr", {{"Un instant, s'il vous plaît.", "Je suis toujours en train de regarder.", "Merci de patienter encore un peu."},
                "Pardon, je n'ai pas compris. Pouvez-vous répéter, s'il vous plaît ?",
                "Je suis désolé, j'ai rencontré un problème. Merci de rappeler.",
                "Je suis désolé, j'ai rencontré un problème. Je vous mets en relation avec quelqu'un."}},
        {"it", {{"Un momento, per favore.", "Sto ancora controllando.", "Grazie per l'attesa, ancora un attimo."},
                "Mi scusi, non ho capito. Può ripetere, per favore?",
                "Mi dispiace, c'è stato un problema da parte mia. La prego di richiamare.",
                "Mi dispiace, c'è stato un problema da parte mia. Le passo una persona."}},
        {"pt", {{"Um momento, por favor.", "Ainda estou a verificar.", "Obrigado por esperar, só mais um instante."},
                "Desculpe, não percebi. Pode repetir, por favor?",
                "Peço desculpa, houve um problema do meu lado. Por favor, volte a ligar.",
                "Peço desculpa, houve um problema do meu lado. Vou passar a chamada a uma pessoa."}},
        {"nl", {{"Een ogenblik, alstublieft.", "Ik ben er nog mee bezig.", "Dank u voor het wachten, nog heel even."},
                "Sorry, dat heb ik niet verstaan. Kunt u het herhalen, alstublieft?",
                "Het spijt me, er ging iets mis aan mijn kant. Belt u alstublieft nog eens.",
                "Het spijt me, er ging iets mis aan mijn kant. Ik verbind u door."}},
        {"pl", {{"Chwileczkę, proszę.", "Jeszcze sprawdzam.", "Dziękuję za cierpliwość, jeszcze moment."},
                "Przepraszam, nie zrozumiałem. Czy można prosić o powtórzenie?",
                "Przepraszam, wystąpił problem po mojej stronie. Proszę zadzwonić ponownie.",
                "Przepraszam, wystąpił problem po mojej stronie. Połączę z konsultantem."}},
        {"tr", {{"Bir dakika lütfen.", "Hâlâ bakıyorum.", "Beklediğiniz için teşekkürler, az kaldı."},
                "Özür dilerim, anlayamadım. Tekrar eder misiniz lütfen?",
                "Üzgünüm, bende bir sorun oluştu. Lütfen tekrar arayın.",
                "Üzgünüm, bende bir sorun oluştu. Sizi bir yetkiliye bağlıyorum."}},
    }};
    return table;
}

}  // namespace

const Phrases& phrases_of(std::string_view language) {
    std::string first(language.substr(0, language.find('-')));
    std::transform(first.begin(), first.end(), first.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const Row& row : rows())
        if (row.language == first) return row.phrases;
    return rows().front().phrases;
}

}  // namespace jackfield::call
