/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why nothing here overflows, and what precision is left (docs: zephyr_module/audio/README.md):
 * a sample less the window's mean has 17 bits, times the window 31. The FFT divides by 4 in each of its 4 passes, as
 * it sums 4 terms, so that the absolute value of a complex number never grows: 2^30.5 at most. Sound of any level
 * keeps 5 bits below the step of a sample, so that the rounding here is far below the rounding of the samples.
 */
#include "runnel/audio/features.h"

#include <string.h>

#include "features_tables.h"

#define POINTS (RUNNEL_FEATURES_FFT / 2) /* complex; even samples are real parts, odd ones imaginary parts */
#define KEPT (RUNNEL_FEATURES_WINDOW - RUNNEL_FEATURES_HOP)
#define POWER_SHIFT 8       /* dropped from |spectrum|^2 to make room for the sum over a band */
#define ENERGY_FRACTION 14  /* bits of a band's sum below energy 1: 2 * 5 - POWER_SHIFT + WEIGHT_BITS */
#define LOG_STEPS 256       /* of the logarithm's table in an octave */
#define LOG_INDEX_BITS 7
#define ROUND (LOG_STEPS / RUNNEL_FEATURES_STEPS_PER_OCTAVE)

struct complex {
	int32_t re, im;
};

/*
 * A quarter of a times one half of `turn`, a cosine and a sine in 1/2^14. Each is one instruction where there are DSP
 * instructions; compilers do not find it by themselves.
 */
static inline int32_t quarter_cosine(int32_t a, uint32_t turn)
{
#if defined(__ARM_FEATURE_DSP)
	int32_t result;
	__asm__("smulwb %0, %1, %2" : "=r"(result) : "r"(a), "r"(turn));
	return result;
#else
	return (int32_t)(((int64_t)a * (int16_t)(turn & 0xFFFFu)) >> 16);
#endif
}

static inline int32_t quarter_sine(int32_t a, uint32_t turn)
{
#if defined(__ARM_FEATURE_DSP)
	int32_t result;
	__asm__("smulwt %0, %1, %2" : "=r"(result) : "r"(a), "r"(turn));
	return result;
#else
	return (int32_t)(((int64_t)a * (int16_t)(turn >> 16)) >> 16);
#endif
}

/* A quarter of the complex number at `at`, turned by e^(-i angle). */
static inline struct complex turned(const int32_t *at, uint32_t turn)
{
	const struct complex result = {quarter_cosine(at[0], turn) + quarter_sine(at[1], turn),
				       quarter_cosine(at[1], turn) - quarter_sine(at[0], turn)};
	return result;
}

/* Where the FFT wants point `index`: its 4 digits of 2 bits in reverse. */
static inline uint32_t reversed(uint32_t index)
{
	return (index & 3u) << 6 | (index & 12u) << 2 | (index & 48u) >> 2 | index >> 6;
}

/* The mean, so that a microphone's offset does not leak into the lowest bands. */
static int32_t mean_of(const int16_t *kept, const int16_t *samples)
{
	int32_t sum = 0;
	for (int i = 0; i < KEPT; ++i) {
		sum += kept[i];
	}
	for (int i = 0; i < RUNNEL_FEATURES_HOP; ++i) {
		sum += samples[i];
	}
	return sum / RUNNEL_FEATURES_WINDOW;
}

/* Windows `count` points from `first` on; the weights go on from `weight` by `step`, the window being symmetric. */
static inline void window_points(int32_t *spectrum, const int16_t *samples, int32_t mean, uint32_t first,
				 uint32_t count, int32_t weight, int32_t step)
{
	for (uint32_t point = first; point < first + count; ++point) {
		int32_t *at = spectrum + 2u * reversed(point);
		at[0] = (samples[0] - mean) * window_table[weight];
		at[1] = (samples[1] - mean) * window_table[weight + step];
		samples += 2;
		weight += 2 * step;
	}
}

static void apply_window(struct runnel_features *features, const int16_t *samples)
{
	const int32_t mean = mean_of(features->samples, samples);
	int32_t *spectrum = features->spectrum;
	const uint32_t half = RUNNEL_FEATURES_WINDOW / 4; /* in points */
	const uint32_t kept = KEPT / 2;
	window_points(spectrum, features->samples, mean, 0, kept, 0, 1);
	window_points(spectrum, samples, mean, kept, half - kept, KEPT, 1);
	window_points(spectrum, samples + 2u * half - KEPT, mean, half, half, RUNNEL_FEATURES_WINDOW / 2 - 1, -1);
	for (uint32_t point = 2u * half; point < POINTS; ++point) {
		int32_t *at = spectrum + 2u * reversed(point);
		at[0] = 0;
		at[1] = 0;
	}
}

/* Four points, `step` int32 apart, of which three are turned. */
static inline void butterfly(int32_t *at, uint32_t step, const uint32_t turns[3])
{
	const struct complex a = {at[0] >> 2, at[1] >> 2};
	const struct complex b = turned(at + step, turns[0]);
	const struct complex c = turned(at + 2u * step, turns[1]);
	const struct complex d = turned(at + 3u * step, turns[2]);
	const struct complex ac = {a.re + c.re, a.im + c.im}, a_c = {a.re - c.re, a.im - c.im};
	const struct complex bd = {b.re + d.re, b.im + d.im}, b_d = {b.re - d.re, b.im - d.im};
	at[0] = ac.re + bd.re;
	at[1] = ac.im + bd.im;
	at[step] = a_c.re + b_d.im;
	at[step + 1u] = a_c.im - b_d.re;
	at[2u * step] = ac.re - bd.re;
	at[2u * step + 1u] = ac.im - bd.im;
	at[3u * step] = a_c.re - b_d.im;
	at[3u * step + 1u] = a_c.im + b_d.re;
}

/* Radix 4, in place, from digit-reversed to natural order; 1/256 of the sum. */
static void transform(int32_t *spectrum)
{
	for (uint32_t span = 1; span < POINTS; span *= 4u) {
		for (uint32_t j = 0; j < span; ++j) {
			const uint32_t angle = j * (RUNNEL_FEATURES_FFT / 4u) / span;
			const uint32_t turns[3] = {turn_table[angle], turn_table[2u * angle], turn_table[3u * angle]};
			for (uint32_t i = j; i < POINTS; i += 4u * span) {
				butterfly(spectrum + 2u * i, 2u * span, turns);
			}
		}
	}
}

/*
 * Half the spectrum of the real samples at `bin` and POINTS - bin, from the transform of the complex points there:
 * with z* the conjugate, (a + b*) is that of the even samples, (a - b*) / i that of the odd ones, each twice.
 */
static inline void separate(int32_t *low, int32_t *high, uint32_t bin)
{
	const struct complex even = {(low[0] >> 2) + (high[0] >> 2), (low[1] >> 2) - (high[1] >> 2)};
	const int32_t odd_twice[2] = {low[1] + high[1], high[0] - low[0]};
	const struct complex odd = turned(odd_twice, turn_table[bin]);
	low[0] = even.re + odd.re;
	low[1] = even.im + odd.im;
	high[0] = even.re - odd.re;
	high[1] = odd.im - even.im;
}

static inline uint64_t power(const int32_t *at)
{
	const int64_t re = at[0], im = at[1];
	return (uint64_t)(re * re + im * im) >> POWER_SHIFT;
}

static int8_t logarithm(uint64_t energy)
{
	const uint32_t high = (uint32_t)(energy >> 32);
	const uint32_t word = high != 0 ? high : (uint32_t)energy;
	if (word == 0) {
		return INT8_MIN;
	}
	const int32_t zeros = __builtin_clz(word);
	const int32_t exponent = (high != 0 ? 63 : 31) - zeros;
	const uint64_t aligned = energy << (63 - exponent);
	const uint32_t index = (uint32_t)(aligned >> (63 - LOG_INDEX_BITS)) & ((1u << LOG_INDEX_BITS) - 1u);
	const int32_t above = (exponent - ENERGY_FRACTION - RUNNEL_FEATURES_FLOOR) * LOG_STEPS + log2_table[index];
	const int32_t value = (above + ROUND / 2) / ROUND + RUNNEL_FEATURES_ZERO_POINT;
	if (above < 0) {
		return INT8_MIN;
	}
	return value > INT8_MAX ? INT8_MAX : (int8_t)value;
}

/*
 * A bin lies between the peaks of two neighbouring triangles and counts in both: its weight in the upper one is the
 * table's, its weight in the lower one what is missing to 1. So two sums at a time are enough.
 */
static void write_row(const int32_t *spectrum, int8_t *row)
{
	uint64_t lower = 0;
	uint32_t bin = band_starts[0];
	for (uint32_t band = 0; band <= RUNNEL_FEATURES_CHANNELS; ++band) {
		uint64_t upper = 0;
		for (; bin < band_starts[band + 1u]; ++bin) {
			const uint64_t value = power(spectrum + 2u * bin);
			const uint64_t weighted = value * weight_table[bin - FIRST_BIN];
			upper += weighted;
			lower += (value << WEIGHT_BITS) - weighted;
		}
		if (band > 0) {
			row[band - 1u] = logarithm(lower);
		}
		lower = upper;
	}
}

void runnel_features_reset(struct runnel_features *features)
{
	memset(features->samples, 0, sizeof(features->samples));
}

void runnel_features_row(struct runnel_features *features, const int16_t *samples, int8_t *row)
{
	int32_t *spectrum = features->spectrum;
	apply_window(features, samples);
	memcpy(features->samples, samples + (RUNNEL_FEATURES_HOP - KEPT), sizeof(features->samples));
	transform(spectrum);
	for (uint32_t bin = 1; bin <= POINTS / 2u; ++bin) {
		separate(spectrum + 2u * bin, spectrum + 2u * (POINTS - bin), bin);
	}
	write_row(spectrum, row);
}
