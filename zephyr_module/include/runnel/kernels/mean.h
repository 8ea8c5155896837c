/* SPDX-License-Identifier: Apache-2.0
 *
 * MEAN over any axes, portable C. The generator merges neighbouring dimensions, so that the input is
 * [outer][reduced_0][middle][reduced_1][inner] and the output [outer][middle][inner].
 * Every byte of the input is read for an output that comes no later than that byte: the output may start at the
 * input's first byte.
 */
#ifndef RUNNEL_KERNELS_MEAN_H_
#define RUNNEL_KERNELS_MEAN_H_

#include "runnel/kernels/common.h"

struct runnel_mean_shape {
	int32_t outer;
	int32_t reduced_0;
	int32_t middle;
	int32_t reduced_1;
	int32_t inner;
};

struct runnel_mean_layer {
	int32_t bias;       /* minus the input's zero point, as often as it is summed */
	int32_t multiplier; /* scale ratio / number of summed values */
	int32_t shift;
	int32_t output_zero_point;
};

/* Sum of the values of one output, the first of which is at `input`. */
RUNNEL_INLINE int32_t runnel_mean_sum(const struct runnel_mean_shape *shape, const int8_t *input)
{
	const int32_t step_0 = shape->middle * shape->reduced_1 * shape->inner;
	int32_t sum = 0;

	for (int32_t i = 0; i < shape->reduced_0; i++) {
		const int8_t *value = input + i * step_0;

		for (int32_t j = 0; j < shape->reduced_1; j++) {
			sum += *value;
			value += shape->inner;
		}
	}
	return sum;
}

RUNNEL_INLINE void runnel_mean(const struct runnel_mean_shape *shape, const struct runnel_mean_layer *layer,
			       const int8_t *input, int8_t *output, void *scratch)
{
	const int32_t outer_step = shape->reduced_0 * shape->middle * shape->reduced_1 * shape->inner;

	(void)scratch;
	for (int32_t i = 0; i < shape->outer; i++) {
		for (int32_t j = 0; j < shape->middle; j++) {
			const int8_t *first = input + i * outer_step + j * shape->reduced_1 * shape->inner;

			for (int32_t k = 0; k < shape->inner; k++) {
				const int32_t scaled =
					runnel_requantize(runnel_add_wrapping(runnel_mean_sum(shape, first + k),
									      layer->bias),
							  layer->multiplier, layer->shift);

				*output++ = (int8_t)runnel_clamp(
					runnel_add_wrapping(scaled, layer->output_zero_point), INT8_MIN, INT8_MAX);
			}
		}
	}
}

#endif /* RUNNEL_KERNELS_MEAN_H_ */
