/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D with a 1x1 window by rows, with SMLAD: two pixels by two output channels at a time, see conv_2d_tile.h.
 */
#ifndef RUNNEL_KERNELS_DSP_CONV_2D_PIXELS_H_
#define RUNNEL_KERNELS_DSP_CONV_2D_PIXELS_H_

#include "runnel/kernels/conv_2d_pixels.h"
#include "runnel/kernels/dsp/conv_2d_tile.h"

/* `scratch` holds two columns of int16. */
RUNNEL_INLINE void runnel_conv_2d_pixels_dsp(const struct runnel_conv_2d_pixels_shape *shape,
					     const struct runnel_accumulator_layer *layer, const int8_t *input,
					     int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const struct runnel_conv_2d_tiles tiles = {
		.column_bytes = shape->column_bytes,
		.output_channels = shape->output_channels,
		.odd_channels = shape->odd_channels,
		.output_pixel_step = shape->output_pixel_step,
		.output_channel_step = shape->output_channel_step,
		.rounding = shape->rounding,
	};
	int16_t *columns = scratch;

	for (; pixels > 1; pixels -= 2) {
		runnel_conv_2d_widen_two(input, input + shape->input_pixel_step, shape->input_channels,
					 shape->input_rest, columns);
		runnel_conv_2d_tile_pixels(&tiles, &own, 2, columns, output);
		input += 2 * shape->input_pixel_step;
		output += 2 * shape->output_pixel_step;
		RUNNEL_OPAQUE(input); /* or compilers keep what they have computed of all pairs on the stack */
		RUNNEL_OPAQUE(output);
	}
	if (pixels > 0) {
		runnel_conv_2d_widen(input, shape->input_channels, shape->input_rest, 4, columns);
		runnel_conv_2d_tile_pixels(&tiles, &own, 1, columns, output);
	}
}

/* What computes one pixel from one pixel, where it lies, and so needs no scratch: FULLY_CONNECTED. */
struct runnel_conv_2d_pixel_shape {
	int32_t input_channels;
	int32_t input_rest; /* input_channels % 4 */
	int32_t output_channels;
	int32_t odd_channels; /* output_channels % 2 */
	int32_t column_bytes; /* input channels, rounded up to a multiple of 4 */
	int32_t rounding;
};

RUNNEL_INLINE void runnel_conv_2d_pixel_dsp(const struct runnel_conv_2d_pixel_shape *shape,
					    const struct runnel_accumulator_layer *layer, const int8_t *input,
					    int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const struct runnel_conv_2d_tiles tiles = {
		.bytes_in = 1,
		.input_channels = shape->input_channels,
		.input_rest = shape->input_rest,
		.column_bytes = shape->column_bytes,
		.output_channels = shape->output_channels,
		.odd_channels = shape->odd_channels,
		.output_pixel_step = 0,
		.output_channel_step = 1,
		.rounding = shape->rounding,
	};

	(void)scratch;
	runnel_conv_2d_tile_pixels(&tiles, &own, 1, input, output);
}

/* The columns start on a multiple of 4 bytes. */
RUNNEL_INLINE void runnel_conv_2d_columns_dsp(const struct runnel_conv_2d_columns_shape *shape,
					      const struct runnel_accumulator_layer *layer, const int16_t *input,
					      int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const struct runnel_conv_2d_tiles tiles = {
		.column_bytes = shape->column_bytes,
		.output_channels = shape->output_channels,
		.odd_channels = shape->odd_channels,
		.output_pixel_step = shape->output_pixel_step,
		.output_channel_step = shape->output_channel_step,
		.rounding = shape->rounding,
	};

	(void)scratch;
	for (; pixels > 1; pixels -= 2) {
		runnel_conv_2d_tile_pixels(&tiles, &own, 2, input, output);
		input += 2 * shape->column_bytes;
		output += 2 * shape->output_pixel_step;
		RUNNEL_OPAQUE(input);
		RUNNEL_OPAQUE(output);
	}
	if (pixels > 0) {
		runnel_conv_2d_tile_pixels(&tiles, &own, 1, input, output);
	}
}

#endif /* RUNNEL_KERNELS_DSP_CONV_2D_PIXELS_H_ */
