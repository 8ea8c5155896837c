/* SPDX-License-Identifier: Apache-2.0
 *
 * Four taps of one row of a depthwise window with SMLAD, for one, two or four neighbouring outputs. A word of four
 * columns gives the pairs (x, x+2) and (x+1, x+3), and the weights' words the pairs to match.
 *
 * In assembly, because compilers load all rows of a window at once and then keep them in memory; the C twins serve
 * other processors and builds without optimization.
 */
#ifndef RUNNEL_KERNELS_DSP_DEPTHWISE_TAPS_H_
#define RUNNEL_KERNELS_DSP_DEPTHWISE_TAPS_H_

#include "runnel/kernels/dsp/intrinsics.h"

/* Sums of up to four neighbouring outputs of a channel. */
struct runnel_depthwise_sums {
	int32_t sum_0;
	int32_t sum_1;
	int32_t sum_2;
	int32_t sum_3;
};

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__) && defined(__OPTIMIZE__)

#define RUNNEL_TAPS_WEIGHTS                                                                                            \
	"ldr %[w], [%[weights]], #4\n\t"                                                                               \
	"sxtb16 %[v], %[w]\n\t"                                                                                        \
	"sxtb16 %[w], %[w], ror #8\n\t"

/* One output whose columns are at `address`. */
#define RUNNEL_TAPS_OUTPUT(sum, address)                                                                               \
	"ldr %[x], [" address "]\n\t"                                                                                  \
	"sxtb16 %[y], %[x]\n\t"                                                                                        \
	"sxtb16 %[x], %[x], ror #8\n\t"                                                                                \
	"smlad %[" sum "], %[y], %[v], %[" sum "]\n\t"                                                                 \
	"smlad %[" sum "], %[x], %[w], %[" sum "]\n\t"

#define RUNNEL_TAPS_SPACE [weights] "+r"(weights), [w] "=&r"(w), [v] "=&r"(v), [x] "=&r"(x), [y] "=&r"(y)

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_one(const int8_t *columns, const int8_t *weights,
						      struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]")
		: [sum_0] "+r"(sums->sum_0), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns)
		: "memory");
	return weights;
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two(int32_t stride, const int8_t *columns, const int8_t *weights,
						      struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]") RUNNEL_TAPS_OUTPUT("sum_1", "%[second]")
		: [sum_0] "+r"(sums->sum_0), [sum_1] "+r"(sums->sum_1), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns), [second] "r"(columns + stride)
		: "memory");
	return weights;
}

/* At stride 1 outputs share words: the odd pair of one is the even pair of the next. */
RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two_stride_1(const int8_t *columns, const int8_t *weights,
							       struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]")
		"ldr %[y], [%[columns], #2]\n\t"
		"smlad %[sum_1], %[x], %[v], %[sum_1]\n\t"
		"sxtb16 %[x], %[y]\n\t"
		"smlad %[sum_1], %[x], %[w], %[sum_1]"
		: [sum_0] "+r"(sums->sum_0), [sum_1] "+r"(sums->sum_1), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns)
		: "memory");
	return weights;
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two_stride_2(const int8_t *columns, const int8_t *weights,
							       struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]")
			RUNNEL_TAPS_OUTPUT("sum_1", "%[columns], #2")
		: [sum_0] "+r"(sums->sum_0), [sum_1] "+r"(sums->sum_1), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns)
		: "memory");
	return weights;
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_four_stride_2(const int8_t *columns, const int8_t *weights,
								struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]")
			RUNNEL_TAPS_OUTPUT("sum_1", "%[columns], #2") RUNNEL_TAPS_OUTPUT("sum_2", "%[columns], #4")
				RUNNEL_TAPS_OUTPUT("sum_3", "%[columns], #6")
		: [sum_0] "+r"(sums->sum_0), [sum_1] "+r"(sums->sum_1), [sum_2] "+r"(sums->sum_2),
		  [sum_3] "+r"(sums->sum_3), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns)
		: "memory");
	return weights;
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_four_stride_1(const int8_t *columns, const int8_t *weights,
								struct runnel_depthwise_sums *sums)
{
	int32_t w, v, x, y;

	__asm__(RUNNEL_TAPS_WEIGHTS RUNNEL_TAPS_OUTPUT("sum_0", "%[columns]")
		"ldr %[y], [%[columns], #2]\n\t"
		"smlad %[sum_1], %[x], %[v], %[sum_1]\n\t"
		"sxtb16 %[x], %[y]\n\t"
		"sxtb16 %[y], %[y], ror #8\n\t"
		"smlad %[sum_1], %[x], %[w], %[sum_1]\n\t"
		"smlad %[sum_2], %[x], %[v], %[sum_2]\n\t"
		"ldr %[x], [%[columns], #4]\n\t"
		"smlad %[sum_2], %[y], %[w], %[sum_2]\n\t"
		"smlad %[sum_3], %[y], %[v], %[sum_3]\n\t"
		"sxtb16 %[x], %[x]\n\t"
		"smlad %[sum_3], %[x], %[w], %[sum_3]"
		: [sum_0] "+r"(sums->sum_0), [sum_1] "+r"(sums->sum_1), [sum_2] "+r"(sums->sum_2),
		  [sum_3] "+r"(sums->sum_3), RUNNEL_TAPS_SPACE
		: [columns] "r"(columns)
		: "memory");
	return weights;
}

#else

RUNNEL_INLINE int32_t runnel_depthwise_taps(const int8_t *columns, const int8_t *weights, int32_t sum)
{
	const uint32_t x = runnel_load_word(columns);
	const uint32_t w = runnel_load_word(weights);

	return runnel_smlad(runnel_sxtb16_odd(x), runnel_sxtb16_odd(w),
			    runnel_smlad(runnel_sxtb16(x), runnel_sxtb16(w), sum));
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_one(const int8_t *columns, const int8_t *weights,
						      struct runnel_depthwise_sums *sums)
{
	sums->sum_0 = runnel_depthwise_taps(columns, weights, sums->sum_0);
	return weights + 4;
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two(int32_t stride, const int8_t *columns, const int8_t *weights,
						      struct runnel_depthwise_sums *sums)
{
	sums->sum_1 = runnel_depthwise_taps(columns + stride, weights, sums->sum_1);
	return runnel_depthwise_taps_one(columns, weights, sums);
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two_stride_1(const int8_t *columns, const int8_t *weights,
							       struct runnel_depthwise_sums *sums)
{
	/* columns + 1, but without the byte that nobody may read */
	sums->sum_1 = runnel_smlad(runnel_sxtb16_odd(runnel_load_word(columns)),
				   runnel_sxtb16(runnel_load_word(weights)), sums->sum_1);
	sums->sum_1 = runnel_smlad(runnel_sxtb16(runnel_load_word(columns + 2)),
				   runnel_sxtb16_odd(runnel_load_word(weights)), sums->sum_1);
	return runnel_depthwise_taps_one(columns, weights, sums);
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_two_stride_2(const int8_t *columns, const int8_t *weights,
							       struct runnel_depthwise_sums *sums)
{
	return runnel_depthwise_taps_two(2, columns, weights, sums);
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_four_stride_2(const int8_t *columns, const int8_t *weights,
								struct runnel_depthwise_sums *sums)
{
	sums->sum_2 = runnel_depthwise_taps(columns + 4, weights, sums->sum_2);
	sums->sum_3 = runnel_depthwise_taps(columns + 6, weights, sums->sum_3);
	return runnel_depthwise_taps_two(2, columns, weights, sums);
}

RUNNEL_INLINE const int8_t *runnel_depthwise_taps_four_stride_1(const int8_t *columns, const int8_t *weights,
								struct runnel_depthwise_sums *sums)
{
	struct runnel_depthwise_sums later = {.sum_0 = sums->sum_2, .sum_1 = sums->sum_3};

	runnel_depthwise_taps_two_stride_1(columns + 2, weights, &later);
	sums->sum_2 = later.sum_0;
	sums->sum_3 = later.sum_1;
	return runnel_depthwise_taps_two_stride_1(columns, weights, sums);
}

#endif

#endif /* RUNNEL_KERNELS_DSP_DEPTHWISE_TAPS_H_ */
