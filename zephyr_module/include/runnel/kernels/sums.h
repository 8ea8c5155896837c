/* SPDX-License-Identifier: Apache-2.0
 *
 * MEAN and AVERAGE_POOL_2D over whole feature maps by rows, portable C: pixels are added to one sum a channel as they
 * come; the caller sets the sums to 0 before.
 */
#ifndef RUNNEL_KERNELS_SUMS_H_
#define RUNNEL_KERNELS_SUMS_H_

#include "runnel/kernels/mean.h"
#include "runnel/kernels/pool_2d.h"

struct runnel_sums_add_shape {
	int32_t channels;
};

struct runnel_sums_add_layer {
	int32_t unused; /* C has no empty structs */
};

struct runnel_mean_sums_finish_shape {
	int32_t channels;
};

struct runnel_pool_2d_sums_finish_shape {
	int32_t channels;
	int32_t pixels; /* that were added to each sum */
};

RUNNEL_INLINE void runnel_sums_add(const struct runnel_sums_add_shape *shape, const struct runnel_sums_add_layer *layer,
				   const int8_t *input, int32_t pixels, int32_t *sums)
{
	(void)layer;
	for (int32_t channel = 0; channel < shape->channels; channel++) {
		const int8_t *value = input + channel;
		int32_t sum = sums[channel];

		for (int32_t pixel = 0; pixel < pixels; pixel++) {
			sum += *value;
			value += shape->channels;
		}
		sums[channel] = sum;
	}
}

RUNNEL_INLINE void runnel_mean_sums_finish(const struct runnel_mean_sums_finish_shape *shape,
					   const struct runnel_mean_layer *layer, const int32_t *sums, int8_t *output)
{
	const struct runnel_mean_layer own = *layer; /* storing int8 outputs cannot change it */

	for (int32_t channel = 0; channel < shape->channels; channel++) {
		const int32_t scaled = runnel_requantize(runnel_add_wrapping(sums[channel], own.bias), own.multiplier,
							 own.shift);

		output[channel] = (int8_t)runnel_clamp(runnel_add_wrapping(scaled, own.output_zero_point), INT8_MIN,
						       INT8_MAX);
	}
}

RUNNEL_INLINE void runnel_pool_2d_sums_finish(const struct runnel_pool_2d_sums_finish_shape *shape,
					      const struct runnel_pool_2d_layer *layer, const int32_t *sums,
					      int8_t *output)
{
	for (int32_t channel = 0; channel < shape->channels; channel++) {
		output[channel] = (int8_t)runnel_clamp(runnel_pool_2d_mean(sums[channel], shape->pixels),
						       layer->clamp_min, layer->clamp_max);
	}
}

#endif /* RUNNEL_KERNELS_SUMS_H_ */
