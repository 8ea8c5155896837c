/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D with a 1x1 window by rows, portable C: from pixels (runnel_conv_2d_pixels), or from the int16 columns that
 * a depthwise convolution writes (runnel_conv_2d_columns). Writes pixels or channel planes.
 * Weights: [output channel][input channel], each row padded with zeros to column_bytes; the DSP twins have them in
 * another order (dsp/conv_2d_tile.h).
 */
#ifndef RUNNEL_KERNELS_CONV_2D_PIXELS_H_
#define RUNNEL_KERNELS_CONV_2D_PIXELS_H_

#include "runnel/kernels/accumulator.h"
#include "runnel/kernels/columns.h"

struct runnel_conv_2d_pixels_shape {
	int32_t input_channels;
	int32_t input_rest; /* input_channels % 4 */
	int32_t input_pixel_step; /* more than input_channels where the stride is more than 1 */
	int32_t output_channels;
	int32_t odd_channels; /* output_channels % 2 */
	int32_t column_bytes; /* input channels, rounded up to what the kernel reads at once */
	int32_t output_pixel_step;
	int32_t output_channel_step;
	int32_t rounding; /* RUNNEL_SHORT_FORM, RUNNEL_FULL_RANGE: see accumulator.h */
};

/* Columns as columns.h has them; column_bytes is a multiple of 4. */
struct runnel_conv_2d_columns_shape {
	int32_t output_channels;
	int32_t odd_channels; /* output_channels % 2 */
	int32_t column_bytes; /* bytes of a row of weights, int16 elements of a column */
	int32_t output_pixel_step;
	int32_t output_channel_step;
	int32_t rounding;
};

RUNNEL_INLINE void runnel_conv_2d_pixels(const struct runnel_conv_2d_pixels_shape *shape,
					 const struct runnel_accumulator_layer *layer, const int8_t *input,
					 int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);

	(void)scratch;
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const int8_t *column = input + pixel * shape->input_pixel_step;
		const int8_t *weights = own.weights;
		int8_t *to = output + pixel * shape->output_pixel_step;

		for (int32_t channel = 0; channel < shape->output_channels; channel++) {
			const struct runnel_channel constants = runnel_load_channel(&own, shape->rounding, channel);
			int32_t acc = constants.bias;

			for (int32_t tap = 0; tap < shape->input_channels; tap++) {
				acc = runnel_add_wrapping(acc, (int32_t)column[tap] * weights[tap]);
			}
			weights += shape->column_bytes;
			*to = runnel_requantize_accumulator(&own, shape->rounding, &constants, acc);
			to += shape->output_channel_step;
		}
	}
}

RUNNEL_INLINE void runnel_conv_2d_columns(const struct runnel_conv_2d_columns_shape *shape,
					  const struct runnel_accumulator_layer *layer, const int16_t *input,
					  int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);

	(void)scratch;
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const int16_t *column = input + runnel_columns_pixel(shape->column_bytes, pixels, pixel, 0);
		const int32_t step = pixel == pixels - 1 && pixel % 2 == 0 ? 4 : 8;
		const int8_t *weights = own.weights;
		int8_t *to = output + pixel * shape->output_pixel_step;

		for (int32_t channel = 0; channel < shape->output_channels; channel++) {
			const struct runnel_channel constants = runnel_load_channel(&own, shape->rounding, channel);
			const int16_t *taps = column;
			int32_t acc = constants.bias;

			for (int32_t tap = 0; tap < shape->column_bytes; tap += 4) {
				acc = runnel_add_wrapping(acc, taps[0] * weights[tap]);
				acc = runnel_add_wrapping(acc, taps[2] * weights[tap + 1]);
				acc = runnel_add_wrapping(acc, taps[1] * weights[tap + 2]);
				acc = runnel_add_wrapping(acc, taps[3] * weights[tap + 3]);
				taps += step;
			}
			weights += shape->column_bytes;
			*to = runnel_requantize_accumulator(&own, shape->rounding, &constants, acc);
			to += shape->output_channel_step;
		}
	}
}

#endif /* RUNNEL_KERNELS_CONV_2D_PIXELS_H_ */
