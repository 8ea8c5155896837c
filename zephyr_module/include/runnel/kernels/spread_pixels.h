/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies pixels into channel planes, for a depthwise convolution that reads what other operators read as pixels.
 */
#ifndef RUNNEL_KERNELS_SPREAD_PIXELS_H_
#define RUNNEL_KERNELS_SPREAD_PIXELS_H_

#include "runnel/kernels/common.h"

struct runnel_spread_pixels_shape {
	int32_t channels;
	int32_t output_pixel_step;
	int32_t output_channel_step;
};

struct runnel_spread_pixels_layer {
	int32_t unused; /* C has no empty structs */
};

RUNNEL_INLINE void runnel_spread_pixels(const struct runnel_spread_pixels_shape *shape,
					const struct runnel_spread_pixels_layer *layer, const int8_t *input,
					int32_t pixels, int8_t *output, void *scratch)
{
	(void)layer;
	(void)scratch;
	for (int32_t channel = 0; channel < shape->channels; channel++) {
		const int8_t *from = input + channel;
		int8_t *to = output + channel * shape->output_channel_step;

		for (int32_t pixel = 0; pixel < pixels; pixel++) {
			*to = *from;
			from += shape->channels;
			to += shape->output_pixel_step;
			RUNNEL_OPAQUE(from); /* a plain loop: other ones are longer, and no faster for short rows */
		}
	}
}

#endif /* RUNNEL_KERNELS_SPREAD_PIXELS_H_ */
