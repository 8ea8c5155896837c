/* SPDX-License-Identifier: Apache-2.0
 *
 * SOFTMAX over the last dimension, portable C, fixed point as gemmlowp computes it. Qm: an int32 with m integer bits.
 * The output may be the input.
 */
#ifndef RUNNEL_KERNELS_SOFTMAX_H_
#define RUNNEL_KERNELS_SOFTMAX_H_

#include "runnel/kernels/common.h"

struct runnel_softmax_shape {
	int32_t rows;
	int32_t depth;
	int32_t exponentials_count;
};

struct runnel_softmax_layer {
	/* exp(-difference * beta * scale) in Q0; differences beyond the end count as infinite */
	const int32_t *exponentials;
};

/* The sum of exponentials has this many integer bits. */
#define RUNNEL_SOFTMAX_SUM_BITS 12
/* 1, 48/17 and -32/17 in Q2, for Newton's division; 1 in Q0. */
#define RUNNEL_SOFTMAX_ONE_Q2 (INT32_C(1) << 29)
#define RUNNEL_SOFTMAX_48_17_Q2 INT32_C(1515870810)
#define RUNNEL_SOFTMAX_MINUS_32_17_Q2 INT32_C(-1010580540)
#define RUNNEL_SOFTMAX_ONE_Q0 INT32_MAX

RUNNEL_INLINE int32_t runnel_softmax_leading_zeros(uint32_t value)
{
	int32_t zeros = 0;

	while (zeros < 32 && !(value & (UINT32_C(1) << 31))) {
		value <<= 1;
		zeros++;
	}
	return zeros;
}

RUNNEL_INLINE int32_t runnel_softmax_saturating_double(int32_t value, int32_t doublings)
{
	const int64_t wide = (int64_t)value * (INT64_C(1) << doublings);

	if (wide > INT32_MAX) {
		return INT32_MAX;
	}
	return wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / (1 + a) in Q0 for 0 <= a < 1 in Q0. */
RUNNEL_INLINE int32_t runnel_softmax_one_over_one_plus(int32_t a)
{
	const int32_t half_denominator = (int32_t)(((int64_t)a + RUNNEL_SOFTMAX_ONE_Q0 + 1) / 2);
	int32_t x = RUNNEL_SOFTMAX_48_17_Q2 +
		    runnel_doubling_high_multiply(half_denominator, RUNNEL_SOFTMAX_MINUS_32_17_Q2);

	for (int32_t step = 0; step < 3; step++) {
		const int32_t error = RUNNEL_SOFTMAX_ONE_Q2 - runnel_doubling_high_multiply(half_denominator, x);

		x = runnel_add_wrapping(
			x, runnel_softmax_saturating_double(runnel_doubling_high_multiply(x, error), 2));
	}
	return runnel_softmax_saturating_double(x, 1);
}

RUNNEL_INLINE int32_t runnel_softmax_largest(const int8_t *input, int32_t depth)
{
	int32_t largest = INT8_MIN;

	for (int32_t i = 0; i < depth; i++) {
		largest = input[i] > largest ? input[i] : largest;
	}
	return largest;
}

RUNNEL_INLINE void runnel_softmax_row(const struct runnel_softmax_shape *shape,
				      const struct runnel_softmax_layer *layer, const int8_t *input, int8_t *output)
{
	const int32_t largest = runnel_softmax_largest(input, shape->depth);
	uint32_t sum = 0;
	int32_t zeros;
	int32_t inverse;
	int32_t exponent;

	for (int32_t i = 0; i < shape->depth; i++) {
		const int32_t difference = largest - input[i];

		if (difference < shape->exponentials_count) {
			sum += (uint32_t)runnel_rounding_divide(layer->exponentials[difference],
								RUNNEL_SOFTMAX_SUM_BITS);
		}
	}
	/* sum is at least 1, so that its first set bit can be shifted out */
	zeros = runnel_softmax_leading_zeros(sum);
	inverse = runnel_softmax_one_over_one_plus((int32_t)((sum << zeros) - (UINT32_C(1) << 31)));
	exponent = RUNNEL_SOFTMAX_SUM_BITS - zeros + 31 - 8;
	for (int32_t i = 0; i < shape->depth; i++) {
		const int32_t difference = largest - input[i];
		int32_t value = 0;

		/* a sum of 512 or more makes every quotient less than half a step */
		if (difference < shape->exponentials_count && exponent <= 31) {
			value = runnel_rounding_divide(
				runnel_doubling_high_multiply(inverse, layer->exponentials[difference]), exponent);
		}
		output[i] = (int8_t)runnel_clamp(value + INT8_MIN, INT8_MIN, INT8_MAX);
	}
}

RUNNEL_INLINE void runnel_softmax(const struct runnel_softmax_shape *shape, const struct runnel_softmax_layer *layer,
				  const int8_t *input, int8_t *output, void *scratch)
{
	(void)scratch;
	for (int32_t row = 0; row < shape->rows; row++) {
		runnel_softmax_row(shape, layer, input + row * shape->depth, output + row * shape->depth);
	}
}

#endif /* RUNNEL_KERNELS_SOFTMAX_H_ */
