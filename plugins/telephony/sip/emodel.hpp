#pragma once

// What a listener would think of a connection: the E-model of ITU-T G.107 for narrowband G.711,
// from delay and loss alone. Pure.

#include <cstdint>

namespace jackfield::sip {

/// 1 (bad) to 4.41 (as good as G.711 gets). `delay_ms` is one way, mouth to ear; `loss` is the part
/// of packets that never came, 0 to 1. All that isn't measured here (echo, room noise, sidetone)
/// stands at the recommendation's defaults, which are worth R = 93.2. Loss counts as G.113 says for
/// G.711 with concealment (Ie = 0, Bpl = 25.1) and as random: bursts sound worse than this tells.
float mean_opinion_score(double delay_ms, double loss);

}  // namespace jackfield::sip
