#include "vectors_distance.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace jackfield::sqlite {
namespace {

float scalar_dot(const float* a, const float* b, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

float scalar_squared_l2(const float* a, const float* b, std::size_t n) {
    float sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

std::int32_t scalar_code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += std::int32_t{a[i]} * b[i];
    return sum;
}

/// Four floats at a time in what every processor of the architecture has: SSE2, NEON.
using Four = float __attribute__((vector_size(16)));

Four four_at(const float* at) {
    Four out;
    std::memcpy(&out, at, sizeof out);
    return out;
}
float sum_of(Four a, Four b) {
    const Four s = a + b;
    return (s[0] + s[1]) + (s[2] + s[3]);
}

float baseline_dot(const float* a, const float* b, std::size_t n) {
    Four s0{}, s1{};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        s0 += four_at(a + i) * four_at(b + i);
        s1 += four_at(a + i + 4) * four_at(b + i + 4);
    }
    return sum_of(s0, s1) + scalar_dot(a + i, b + i, n - i);
}

float baseline_squared_l2(const float* a, const float* b, std::size_t n) {
    Four s0{}, s1{};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const Four d0 = four_at(a + i) - four_at(b + i);
        const Four d1 = four_at(a + i + 4) - four_at(b + i + 4);
        s0 += d0 * d0;
        s1 += d1 * d1;
    }
    return sum_of(s0, s1) + scalar_squared_l2(a + i, b + i, n - i);
}

using EightCodes = std::int8_t __attribute__((vector_size(8)));
using EightShorts = std::int16_t __attribute__((vector_size(16)));
using EightInts = std::int32_t __attribute__((vector_size(32)));

EightShorts eight_products(const std::int8_t* a, const std::int8_t* b) {
    EightCodes x, y;
    std::memcpy(&x, a, sizeof x);
    std::memcpy(&y, b, sizeof y);
    return __builtin_convertvector(x, EightShorts) * __builtin_convertvector(y, EightShorts);
}

std::int32_t baseline_code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
    EightInts sums{};
    std::size_t i = 0;
    // Two products of codes are 32258 at most: they fit a short.
    for (; i + 16 <= n; i += 16) sums += __builtin_convertvector(eight_products(a + i, b + i) + eight_products(a + i + 8, b + i + 8), EightInts);
    std::int32_t sum = scalar_code_dot(a + i, b + i, n - i);
    for (int lane = 0; lane < 8; ++lane) sum += sums[lane];
    return sum;
}

#if defined(__x86_64__)
#define JF_AVX2 __attribute__((target("avx2,fma")))
#define JF_AVX512 __attribute__((target("avx512f")))
#define JF_AVX512BW __attribute__((target("avx512f,avx512bw")))

JF_AVX2 float sum_of(__m256 v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

JF_AVX2 float avx2_dot(const float* a, const float* b, std::size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
    }
    for (; i + 8 <= n; i += 8) s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    return sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3))) + scalar_dot(a + i, b + i, n - i);
}

JF_AVX2 float avx2_squared_l2(const float* a, const float* b, std::size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0;
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        s0 = _mm256_fmadd_ps(d0, d0, s0);
        s1 = _mm256_fmadd_ps(d1, d1, s1);
    }
    return sum_of(_mm256_add_ps(s0, s1)) + scalar_squared_l2(a + i, b + i, n - i);
}

JF_AVX2 __m256i sixteen_shorts(const std::int8_t* at) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

JF_AVX2 std::int32_t avx2_code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
    __m256i s0 = _mm256_setzero_si256(), s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(sixteen_shorts(a + i), sixteen_shorts(b + i)));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(sixteen_shorts(a + i + 16), sixteen_shorts(b + i + 16)));
    }
    alignas(32) std::int32_t lanes[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), _mm256_add_epi32(s0, s1));
    std::int32_t sum = scalar_code_dot(a + i, b + i, n - i);
    for (const std::int32_t lane : lanes) sum += lane;
    return sum;
}

/// The floats at `at`, as many as there are up to 16, and zeros behind them.
JF_AVX512 __m512 sixteen_at(const float* at, std::size_t left) {
    return left >= 16 ? _mm512_loadu_ps(at) : _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << left) - 1), at);
}

JF_AVX512 float sum_of(__m512 v) {
    alignas(64) float lanes[16];
    _mm512_store_ps(lanes, v);
    float sum = 0;
    for (const float lane : lanes) sum += lane;
    return sum;
}

JF_AVX512 float avx512_dot(const float* a, const float* b, std::size_t n) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    }
    for (; i < n; i += 16) s0 = _mm512_fmadd_ps(sixteen_at(a + i, n - i), sixteen_at(b + i, n - i), s0);
    return sum_of(_mm512_add_ps(s0, s1));
}

JF_AVX512 float avx512_squared_l2(const float* a, const float* b, std::size_t n) {
    __m512 s0 = _mm512_setzero_ps(), s1 = s0;
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        const __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        s0 = _mm512_fmadd_ps(d0, d0, s0);
        s1 = _mm512_fmadd_ps(d1, d1, s1);
    }
    for (; i < n; i += 16) {
        const __m512 d = _mm512_sub_ps(sixteen_at(a + i, n - i), sixteen_at(b + i, n - i));
        s0 = _mm512_fmadd_ps(d, d, s0);
    }
    return sum_of(_mm512_add_ps(s0, s1));
}

JF_AVX512BW __m512i shorts_at(const std::int8_t* at) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

JF_AVX512BW std::int32_t avx512_code_dot(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
    __m512i s0 = _mm512_setzero_si512(), s1 = s0;
    std::size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(shorts_at(a + i), shorts_at(b + i)));
        s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(shorts_at(a + i + 32), shorts_at(b + i + 32)));
    }
    alignas(64) std::int32_t lanes[16];
    _mm512_store_si512(lanes, _mm512_add_epi32(s0, s1));
    std::int32_t sum = scalar_code_dot(a + i, b + i, n - i);
    for (const std::int32_t lane : lanes) sum += lane;
    return sum;
}
#endif

std::vector<Distances> find_runnable() {
    std::vector<Distances> out{{"scalar", scalar_dot, scalar_squared_l2, scalar_code_dot},
                               {"baseline", baseline_dot, baseline_squared_l2, baseline_code_dot}};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.push_back({"avx2", avx2_dot, avx2_squared_l2, avx2_code_dot});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) out.push_back({"avx512", avx512_dot, avx512_squared_l2, avx512_code_dot});
#endif
    return out;
}

}  // namespace

const std::vector<Distances>& runnable_distances() {
    static const std::vector<Distances> found = find_runnable();
    return found;
}

const Distances& best_distances() { return runnable_distances().back(); }

}  // namespace jackfield::sqlite
