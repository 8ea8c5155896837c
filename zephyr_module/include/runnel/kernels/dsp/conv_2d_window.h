/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D by rows, with SMLAD: the windows of two pixels are gathered and widened, then two output channels at a time
 * are computed; see conv_2d_tile.h.
 */
#ifndef RUNNEL_KERNELS_DSP_CONV_2D_WINDOW_H_
#define RUNNEL_KERNELS_DSP_CONV_2D_WINDOW_H_

#include "runnel/kernels/conv_2d_window.h"
#include "runnel/kernels/dsp/conv_2d_tile.h"

/* Output columns column..column + pixels - 1 of output row `row`. `scratch` holds two columns of int16, then one of
 * int8. */
RUNNEL_INLINE void runnel_conv_2d_window_dsp(const struct runnel_conv_2d_window_shape *shape,
					     const struct runnel_accumulator_layer *layer,
					     const struct runnel_rows *input, int32_t row, int32_t column,
					     int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const struct runnel_conv_2d_window_place place = runnel_conv_2d_window_at(shape, input, row);
	const struct runnel_conv_2d_tiles tiles = {
		.column_bytes = shape->column_bytes,
		.output_channels = shape->output_channels,
		.odd_channels = shape->odd_channels,
		.output_pixel_step = shape->output_pixel_step,
		.output_channel_step = shape->output_channel_step,
		.rounding = shape->rounding,
	};
	const int32_t taps = shape->kernel_height * shape->kernel_width * shape->input_channels;
	int16_t *columns = scratch;
	int8_t *window = (int8_t *)(columns + 2 * shape->column_bytes);

	for (; pixels > 1; pixels -= 2) {
		runnel_conv_2d_window_gather(shape, own.input_zero_point, &place, column, window);
		runnel_conv_2d_widen(window, taps, taps % 4, 8, columns);
		runnel_conv_2d_window_gather(shape, own.input_zero_point, &place, column + 1, window);
		runnel_conv_2d_widen(window, taps, taps % 4, 8, columns + 4);
		runnel_conv_2d_tile_pixels(&tiles, &own, 2, columns, output);
		column += 2;
		output += 2 * shape->output_pixel_step;
		RUNNEL_OPAQUE(column);
		RUNNEL_OPAQUE(output);
	}
	if (pixels > 0) {
		runnel_conv_2d_window_gather(shape, own.input_zero_point, &place, column, window);
		runnel_conv_2d_widen(window, taps, taps % 4, 4, columns);
		runnel_conv_2d_tile_pixels(&tiles, &own, 1, columns, output);
	}
}

#endif /* RUNNEL_KERNELS_DSP_CONV_2D_WINDOW_H_ */
