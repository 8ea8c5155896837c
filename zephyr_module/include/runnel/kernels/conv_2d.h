/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D and FULLY_CONNECTED, portable C. One output row at a time from pointers to its input rows.
 *
 * For every output pixel the window is gathered into a column of kernel_height * kernel_width * input_channels
 * int8 values, padding as the input's zero point; a 1x1 window needs no copy. Then one dot product per channel.
 * Weights: [output channel][kernel row][kernel column][input channel].
 */
#ifndef RUNNEL_KERNELS_CONV_2D_H_
#define RUNNEL_KERNELS_CONV_2D_H_

#include "runnel/kernels/accumulator.h"

struct runnel_conv_2d_shape {
	int32_t input_height;
	int32_t input_width;
	int32_t input_channels;
	int32_t output_height;
	int32_t output_width;
	int32_t output_channels;
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_height;
	int32_t stride_width;
	int32_t dilation_height;
	int32_t dilation_width;
	int32_t pad_top;
	int32_t pad_left;
	int32_t column_bytes;   /* taps of a window, rounded up to what the kernel reads at once */
	int32_t gather;         /* 0: the window is one pixel and is read where it lies */
	int32_t rounding;       /* RUNNEL_SHORT_FORM, RUNNEL_FULL_RANGE: see accumulator.h */
};

/* Copies one row of a window, kernel_width pixels of input row y from column x on; pixels outside become the zero
 * point. */
RUNNEL_INLINE void runnel_conv_2d_gather_row(const struct runnel_conv_2d_shape *shape, int32_t zero_point,
					     const int8_t *input, int32_t y, int32_t x, int8_t *column)
{
	const int32_t channels = shape->input_channels;
	const int32_t span = (shape->kernel_width - 1) * shape->dilation_width;

	if (y < 0 || y >= shape->input_height) {
		memset(column, zero_point, (size_t)(shape->kernel_width * channels));
	} else if (shape->dilation_width == 1 && x >= 0 && x + span < shape->input_width) {
		memcpy(column, input + (y * shape->input_width + x) * channels,
		       (size_t)(shape->kernel_width * channels));
	} else {
		for (int32_t tap = 0; tap < shape->kernel_width; tap++) {
			const int32_t tap_x = x + tap * shape->dilation_width;

			if (tap_x < 0 || tap_x >= shape->input_width) {
				memset(column + tap * channels, zero_point, (size_t)channels);
			} else {
				memcpy(column + tap * channels, input + (y * shape->input_width + tap_x) * channels,
				       (size_t)channels);
			}
		}
	}
}

/* The window of output pixel (row, output_column) as one column of taps: gathered into `space`, or in place. */
RUNNEL_INLINE const int8_t *runnel_conv_2d_column(const struct runnel_conv_2d_shape *shape, int32_t zero_point,
						  const int8_t *input, int32_t row, int32_t output_column,
						  int8_t *space)
{
	const int32_t x = output_column * shape->stride_width - shape->pad_left;
	const int32_t row_taps = shape->kernel_width * shape->input_channels;

	if (!shape->gather) {
		return input + (row * shape->stride_height * shape->input_width + x) * shape->input_channels;
	}
	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		const int32_t y = row * shape->stride_height - shape->pad_top + kernel_row * shape->dilation_height;

		runnel_conv_2d_gather_row(shape, zero_point, input, y, x, space + kernel_row * row_taps);
	}
	return space;
}

/* One output row. `scratch` holds one column. */
RUNNEL_INLINE void runnel_conv_2d_row(const struct runnel_conv_2d_shape *shape,
				      const struct runnel_accumulator_layer *layer, const int8_t *input, int32_t row,
				      int8_t *output, int8_t *scratch)
{
	for (int32_t x = 0; x < shape->output_width; x++) {
		const int8_t *column = runnel_conv_2d_column(shape, layer->input_zero_point, input, row, x, scratch);
		const int8_t *weights = layer->weights;

		for (int32_t channel = 0; channel < shape->output_channels; channel++) {
			const struct runnel_channel constants = runnel_load_channel(layer, shape->rounding, channel);
			int32_t acc = constants.bias;

			for (int32_t tap = 0; tap < shape->column_bytes; tap++) {
				acc = runnel_add_wrapping(acc, (int32_t)column[tap] * weights[tap]);
			}
			weights += shape->column_bytes;
			*output++ = runnel_requantize_accumulator(layer, shape->rounding, &constants, acc);
		}
	}
}

RUNNEL_INLINE void runnel_conv_2d(const struct runnel_conv_2d_shape *shape, const struct runnel_accumulator_layer *layer,
				  const int8_t *input, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);

	for (int32_t row = 0; row < shape->output_height; row++) {
		runnel_conv_2d_row(shape, &own, input, row,
				   output + row * shape->output_width * shape->output_channels, scratch);
	}
}

#endif /* RUNNEL_KERNELS_CONV_2D_H_ */
