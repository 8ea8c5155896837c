/* SPDX-License-Identifier: Apache-2.0
 *
 * DEPTHWISE_CONV_2D by rows, portable C: from a ring of channel planes with margins, so without branches for borders.
 * Writes int16 columns for a 1x1 convolution, or int8 pixels or planes.
 *
 * Planes: [input channel][slot of the ring][column]. The ring holds the rows of one window; its first row lies in slot
 * `rotation`, the others follow, from the last slot on to slot 0. Weights: [output channel][row][kernel column], each
 * row padded with zeros to row_taps. Where weight_rows is 2 * kernel_height - 1, rows w0..wk-1 are followed by w0..wk-2:
 * k rows from row (k - rotation) % k on are those of slots 0..k-1.
 */
#ifndef RUNNEL_KERNELS_DEPTHWISE_CONV_2D_PLANES_H_
#define RUNNEL_KERNELS_DEPTHWISE_CONV_2D_PLANES_H_

#include "runnel/kernels/accumulator.h"
#include "runnel/kernels/columns.h"

struct runnel_depthwise_conv_2d_planes_shape {
	int32_t output_channels;
	int32_t depth_multiplier; /* output channels for each input channel */
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_width;
	int32_t dilation_height;
	int32_t dilation_width;
	int32_t plane_width; /* bytes from slot to slot */
	int32_t plane_bytes; /* bytes from channel to channel */
	int32_t ring_rows;
	int32_t row_taps;
	int32_t weight_rows; /* of each channel: kernel_height, or 2 * kernel_height - 1 where some are there twice */
	int32_t columns_out; /* 1: int16 columns, see columns.h */
	int32_t output_pixel_step; /* of int16 columns their pitch */
	int32_t output_channel_step; /* of int8 output */
	int32_t rounding; /* RUNNEL_SHORT_FORM, RUNNEL_FULL_RANGE: see accumulator.h */
};

/* Stores an output at element `place` of the output. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_planes_store(const struct runnel_depthwise_conv_2d_planes_shape *shape,
							 void *output, int32_t place, int32_t value)
{
	if (shape->columns_out) {
		((int16_t *)output)[place] = (int16_t)value;
	} else {
		((int8_t *)output)[place] = (int8_t)value;
	}
}

/* Sum of one window of one channel. window: its first column in slot 0; weights: of the window's first row. */
RUNNEL_INLINE int32_t runnel_depthwise_conv_2d_planes_sum(const struct runnel_depthwise_conv_2d_planes_shape *shape,
							  const int8_t *window, int32_t rotation,
							  const int8_t *weights, int32_t sum)
{
	int32_t slot = rotation;

	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		const int8_t *row = window + slot * shape->plane_width;

		for (int32_t tap = 0; tap < shape->kernel_width; tap++) {
			sum = runnel_add_wrapping(sum, (int32_t)row[tap * shape->dilation_width] * weights[tap]);
		}
		weights += shape->row_taps;
		slot += shape->dilation_height;
		slot = slot < shape->ring_rows ? slot : slot - shape->ring_rows;
	}
	return sum;
}

/* The output pixels of one channel; `output` is where the first one lies, in int16 columns as one of a pair. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_planes_row(const struct runnel_depthwise_conv_2d_planes_shape *shape,
						       const struct runnel_accumulator_layer *layer,
						       const struct runnel_channel *constants, const int8_t *plane,
						       int32_t rotation, const int8_t *weights, int32_t channel,
						       int32_t pixels, void *output)
{
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const int32_t sum = runnel_depthwise_conv_2d_planes_sum(shape, plane + pixel * shape->stride_width,
									rotation, weights, constants->bias);
		const int32_t place =
			shape->columns_out ? runnel_columns_pixel(shape->output_pixel_step, pixels, pixel, channel)
					   : pixel * shape->output_pixel_step;

		runnel_depthwise_conv_2d_planes_store(
			shape, output, place, runnel_requantize_wide(layer, shape->rounding, constants, sum));
	}
}

/* Computes the output pixels of one channel: the portable function above, or its DSP twin. */
typedef void (*runnel_depthwise_conv_2d_planes_row_function)(
	const struct runnel_depthwise_conv_2d_planes_shape *shape, const struct runnel_accumulator_layer *layer,
	const struct runnel_channel *constants, const int8_t *plane, int32_t rotation, const int8_t *weights,
	int32_t channel, int32_t pixels, void *output);

/* All channels; the function is known when this is inlined, so that it is inlined too. */
RUNNEL_INLINE void
runnel_depthwise_conv_2d_planes_channels(const struct runnel_depthwise_conv_2d_planes_shape *shape,
					 const struct runnel_accumulator_layer *layer, const int8_t *planes,
					 int32_t rotation, int32_t pixels, void *output,
					 runnel_depthwise_conv_2d_planes_row_function row_function)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const int8_t *weights = own.weights;
	uint32_t steps = RUNNEL_COLUMNS_STEPS;

	for (int32_t channel = 0; channel < shape->output_channels; channel++) {
		const struct runnel_channel constants = runnel_load_channel(&own, shape->rounding, channel);

		row_function(shape, &own, &constants, planes, rotation, weights, channel, pixels, output);
		weights += shape->weight_rows * shape->row_taps;
		if (shape->columns_out) {
			output = (int16_t *)output + runnel_columns_step(steps);
			steps = runnel_columns_next_step(steps);
		} else {
			output = (int8_t *)output + shape->output_channel_step;
		}
		if (shape->depth_multiplier == 1 || (channel + 1) % shape->depth_multiplier == 0) {
			planes += shape->plane_bytes;
		}
	}
}

/* One output row, or a group of its pixels. planes: channel 0, slot 0, first column of the first window. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_planes(const struct runnel_depthwise_conv_2d_planes_shape *shape,
						   const struct runnel_accumulator_layer *layer, const int8_t *planes,
						   int32_t rotation, int32_t pixels, void *output)
{
	runnel_depthwise_conv_2d_planes_channels(shape, layer, planes, rotation, pixels, output,
						 runnel_depthwise_conv_2d_planes_row);
}

#endif /* RUNNEL_KERNELS_DEPTHWISE_CONV_2D_PLANES_H_ */
