/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators that map each value to another one (LOGISTIC, TANH, RELU, HARD_SWISH, QUANTIZE, ...): a table that the
 * generator computes exactly as TensorFlow Lite Micro does. The output may be the input.
 */
#ifndef RUNNEL_KERNELS_LOOKUP_H_
#define RUNNEL_KERNELS_LOOKUP_H_

#include "runnel/kernels/common.h"

struct runnel_lookup_shape {
	int32_t elements;
};

struct runnel_lookup_layer {
	const int8_t *table; /* 256 values, indexed by the bits of the input value */
};

RUNNEL_INLINE void runnel_lookup_row(const struct runnel_lookup_layer *layer, int32_t elements, const int8_t *input,
				     int8_t *output)
{
	const int8_t *table = layer->table; /* loaded once: storing int8 outputs cannot change it */

	for (int32_t i = 0; i < elements; i++) {
		output[i] = table[(uint8_t)input[i]];
	}
}

RUNNEL_INLINE void runnel_lookup(const struct runnel_lookup_shape *shape, const struct runnel_lookup_layer *layer,
				 const int8_t *input, int8_t *output, void *scratch)
{
	(void)scratch;
	runnel_lookup_row(layer, shape->elements, input, output);
}

/* By rows: pixels in, pixels or channel planes out. */
struct runnel_lookup_pixels_shape {
	int32_t channels;
	int32_t output_pixel_step;
	int32_t output_channel_step;
};

RUNNEL_INLINE void runnel_lookup_pixels(const struct runnel_lookup_pixels_shape *shape,
					const struct runnel_lookup_layer *layer, const int8_t *input, int32_t pixels,
					int8_t *output, void *scratch)
{
	const int8_t *table = layer->table;

	(void)scratch;
	if (shape->output_channel_step == 1 && shape->output_pixel_step == shape->channels) {
		runnel_lookup_row(layer, pixels * shape->channels, input, output);
		return;
	}
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		int8_t *to = output + pixel * shape->output_pixel_step;

		for (int32_t channel = 0; channel < shape->channels; channel++) {
			*to = table[(uint8_t)*input++];
			to += shape->output_channel_step;
		}
	}
}

#endif /* RUNNEL_KERNELS_LOOKUP_H_ */
