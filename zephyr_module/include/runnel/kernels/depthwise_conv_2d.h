/* SPDX-License-Identifier: Apache-2.0
 *
 * DEPTHWISE_CONV_2D, portable C. Works channel by channel: the channel's rows are gathered into a plane with
 * margins of zero points, then every output row is computed from pointers to its input rows, without branches for
 * borders. Because a channel only writes where the same channel lay, the output may start where the input starts.
 * Weights: [output channel][kernel row][kernel column], each row padded with zeros to row_taps.
 */
#ifndef RUNNEL_KERNELS_DEPTHWISE_CONV_2D_H_
#define RUNNEL_KERNELS_DEPTHWISE_CONV_2D_H_

#include "runnel/kernels/accumulator.h"

struct runnel_depthwise_conv_2d_shape {
	int32_t input_height;
	int32_t input_width;
	int32_t input_channels;
	int32_t output_height;
	int32_t output_width;
	int32_t depth_multiplier; /* output channels for each input channel */
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_height;
	int32_t stride_width;
	int32_t dilation_height;
	int32_t dilation_width;
	int32_t pad_top;
	int32_t pad_left;
	int32_t plane_height; /* rows and columns of one channel that windows touch, margins included */
	int32_t plane_width;
	int32_t plane_bytes;
	int32_t row_taps;
	int32_t rounding; /* RUNNEL_SHORT_FORM, RUNNEL_FULL_RANGE: see accumulator.h */
};

/* Copies one channel of the input into the plane; the margins already hold the zero point. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_gather(const struct runnel_depthwise_conv_2d_shape *shape,
						   const int8_t *input, int32_t channel, int8_t *plane)
{
	const int32_t rows_left = shape->plane_height - shape->pad_top;
	const int32_t columns_left = shape->plane_width - shape->pad_left;
	const int32_t rows = rows_left < shape->input_height ? rows_left : shape->input_height;
	const int32_t columns = columns_left < shape->input_width ? columns_left : shape->input_width;

	for (int32_t y = 0; y < rows; y++) {
		const int8_t *from = input + y * shape->input_width * shape->input_channels + channel;
		int8_t *to = plane + (y + shape->pad_top) * shape->plane_width + shape->pad_left;

		for (int32_t x = 0; x < columns; x++) {
			to[x] = *from;
			from += shape->input_channels;
		}
	}
}

/* One output row of one channel. rows: its first input row in the plane; output: stride output_channels. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_row(const struct runnel_depthwise_conv_2d_shape *shape,
						const struct runnel_accumulator_layer *layer,
						const struct runnel_channel *channel, const int8_t *rows,
						const int8_t *weights, int8_t *output)
{
	const int32_t output_channels = shape->input_channels * shape->depth_multiplier;

	for (int32_t x = 0; x < shape->output_width; x++) {
		int32_t acc = channel->bias;

		for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
			const int8_t *row = rows + kernel_row * shape->dilation_height * shape->plane_width +
					    x * shape->stride_width;

			for (int32_t tap = 0; tap < shape->kernel_width; tap++) {
				acc = runnel_add_wrapping(acc, (int32_t)row[tap * shape->dilation_width] *
								       weights[kernel_row * shape->row_taps + tap]);
			}
		}
		output[x * output_channels] =
			runnel_requantize_accumulator(layer, shape->rounding, channel, acc);
	}
}

/* Computes one output row of one channel: the portable row above, or its DSP twin. */
typedef void (*runnel_depthwise_conv_2d_row_function)(const struct runnel_depthwise_conv_2d_shape *shape,
						      const struct runnel_accumulator_layer *layer,
						      const struct runnel_channel *channel, const int8_t *rows,
						      const int8_t *weights, int8_t *output);

/* All rows of all channels; the function is known when this is inlined, so that it is inlined too. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_channels(const struct runnel_depthwise_conv_2d_shape *shape,
						     const struct runnel_accumulator_layer *layer,
						     const int8_t *input, int8_t *output, int8_t *plane,
						     runnel_depthwise_conv_2d_row_function row_function)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const int32_t output_channels = shape->input_channels * shape->depth_multiplier;
	const int8_t *weights = own.weights;

	memset(plane, own.input_zero_point, (size_t)shape->plane_bytes);
	for (int32_t channel = 0; channel < output_channels; channel++) {
		const struct runnel_channel constants = runnel_load_channel(&own, shape->rounding, channel);

		if (channel % shape->depth_multiplier == 0) {
			runnel_depthwise_conv_2d_gather(shape, input, channel / shape->depth_multiplier, plane);
		}
		for (int32_t row = 0; row < shape->output_height; row++) {
			row_function(shape, &own, &constants, plane + row * shape->stride_height * shape->plane_width,
				     weights, output + row * shape->output_width * output_channels + channel);
		}
		weights += shape->kernel_height * shape->row_taps;
	}
}

RUNNEL_INLINE void runnel_depthwise_conv_2d(const struct runnel_depthwise_conv_2d_shape *shape,
					    const struct runnel_accumulator_layer *layer, const int8_t *input,
					    int8_t *output, void *scratch)
{
	runnel_depthwise_conv_2d_channels(shape, layer, input, output, scratch, runnel_depthwise_conv_2d_row);
}

#endif /* RUNNEL_KERNELS_DEPTHWISE_CONV_2D_H_ */
