/* SPDX-License-Identifier: Apache-2.0
 *
 * MUL with broadcasting, portable C. Dimensions as in add.h. The output may be an input that does not broadcast.
 */
#ifndef RUNNEL_KERNELS_MUL_H_
#define RUNNEL_KERNELS_MUL_H_

#include "runnel/kernels/common.h"

struct runnel_mul_shape {
	int32_t count_0;
	int32_t count_1;
	int32_t count_2;
	int32_t count_3;
	/* elements between neighbours along a dimension; 0 where the input broadcasts */
	int32_t input_0_step_0;
	int32_t input_0_step_1;
	int32_t input_0_step_2;
	int32_t input_0_step_3;
	int32_t input_1_step_0;
	int32_t input_1_step_1;
	int32_t input_1_step_2;
	int32_t input_1_step_3;
};

struct runnel_mul_layer {
	int32_t input_0_zero_point;
	int32_t input_1_zero_point;
	int32_t output_zero_point;
	int32_t output_multiplier;
	int32_t output_shift; /* to the left where positive */
	int32_t clamp_min;
	int32_t clamp_max;
};

RUNNEL_INLINE int8_t runnel_mul_value(const struct runnel_mul_layer *layer, int32_t value_0, int32_t value_1)
{
	const int32_t product = (value_0 - layer->input_0_zero_point) * (value_1 - layer->input_1_zero_point);
	const int32_t scaled = runnel_requantize(product, layer->output_multiplier, layer->output_shift);

	return (int8_t)runnel_clamp(runnel_add_wrapping(scaled, layer->output_zero_point), layer->clamp_min,
				    layer->clamp_max);
}

/* One run along the innermost dimension. */
RUNNEL_INLINE void runnel_mul_row(const struct runnel_mul_shape *shape, const struct runnel_mul_layer *layer,
				  const int8_t *input_0, const int8_t *input_1, int8_t *output)
{
	for (int32_t i = 0; i < shape->count_3; i++) {
		output[i] = runnel_mul_value(layer, input_0[i * shape->input_0_step_3],
					     input_1[i * shape->input_1_step_3]);
	}
}

RUNNEL_INLINE void runnel_mul(const struct runnel_mul_shape *shape, const struct runnel_mul_layer *layer,
			      const int8_t *input_0, const int8_t *input_1, int8_t *output, void *scratch)
{
	const struct runnel_mul_layer own = *layer; /* storing int8 outputs cannot change it */

	(void)scratch;
	for (int32_t i = 0; i < shape->count_0; i++) {
		for (int32_t j = 0; j < shape->count_1; j++) {
			for (int32_t k = 0; k < shape->count_2; k++) {
				runnel_mul_row(shape, &own,
					       input_0 + i * shape->input_0_step_0 + j * shape->input_0_step_1 +
						       k * shape->input_0_step_2,
					       input_1 + i * shape->input_1_step_0 + j * shape->input_1_step_1 +
						       k * shape->input_1_step_2,
					       output);
				output += shape->count_3;
			}
		}
	}
}

/* By rows, as in add.h. */
struct runnel_mul_pixels_shape {
	int32_t channels;
	/* from one pixel and from one channel to the next; 0 where the input broadcasts */
	int32_t input_0_pixel_step;
	int32_t input_0_channel_step;
	int32_t input_1_pixel_step;
	int32_t input_1_channel_step;
	int32_t output_pixel_step;
	int32_t output_channel_step;
};

RUNNEL_INLINE void runnel_mul_pixels(const struct runnel_mul_pixels_shape *shape, const struct runnel_mul_layer *layer,
				     const int8_t *input_0, const int8_t *input_1, int32_t pixels, int8_t *output,
				     void *scratch)
{
	const struct runnel_mul_layer own = *layer; /* storing int8 outputs cannot change it */
	const int32_t channels = shape->channels;
	/* nothing broadcasts and pixels come out: all of them are one long pixel */
	const int flat = shape->input_0_pixel_step == channels && shape->input_1_pixel_step == channels &&
			 shape->output_pixel_step == channels && shape->output_channel_step == 1;
	const int32_t runs = flat ? 1 : pixels;
	const int32_t length = flat ? pixels * channels : channels;

	(void)scratch;
	for (int32_t run = 0; run < runs; run++) {
		const int8_t *value_0 = input_0 + run * shape->input_0_pixel_step;
		const int8_t *value_1 = input_1 + run * shape->input_1_pixel_step;
		int8_t *to = output + run * shape->output_pixel_step;

		for (int32_t i = 0; i < length; i++) {
			*to = runnel_mul_value(&own, *value_0, *value_1);
			value_0 += shape->input_0_channel_step;
			value_1 += shape->input_1_channel_step;
			to += shape->output_channel_step;
		}
	}
}

#endif /* RUNNEL_KERNELS_MUL_H_ */
