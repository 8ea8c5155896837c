/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D by rows, portable C: any window over a ring of rows of pixels. Writes pixels or channel planes.
 *
 * For every output pixel the window is gathered into a column of kernel_height * kernel_width * input_channels int8
 * values, pixels outside the image as the input's zero point. Rows and columns are those of the whole image, so that
 * a strip of it is computed by naming its columns.
 * Weights: [output channel][kernel row][kernel column][input channel], each row padded with zeros to column_bytes.
 */
#ifndef RUNNEL_KERNELS_CONV_2D_WINDOW_H_
#define RUNNEL_KERNELS_CONV_2D_WINDOW_H_

#include "runnel/kernels/accumulator.h"
#include "runnel/kernels/rows.h"

struct runnel_conv_2d_window_shape {
	int32_t input_height; /* of the whole image */
	int32_t input_width;
	int32_t input_channels;
	int32_t output_channels;
	int32_t odd_channels; /* output_channels % 2 */
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_height;
	int32_t stride_width;
	int32_t dilation_height;
	int32_t dilation_width;
	int32_t pad_top;
	int32_t pad_left;
	int32_t column_bytes; /* taps of a window, rounded up to what the kernel reads at once */
	int32_t output_pixel_step;
	int32_t output_channel_step;
	int32_t rounding; /* RUNNEL_SHORT_FORM, RUNNEL_FULL_RANGE: see accumulator.h */
};

/* The ring and where windows of one output row begin in it: input row `y`, in slot `slot`. */
struct runnel_conv_2d_window_place {
	struct runnel_rows rows;
	int32_t y;
	int32_t slot;
};

RUNNEL_INLINE struct runnel_conv_2d_window_place
runnel_conv_2d_window_at(const struct runnel_conv_2d_window_shape *shape, const struct runnel_rows *input, int32_t row)
{
	const int32_t y = row * shape->stride_height - shape->pad_top;
	const int32_t slot = y % input->rows;
	const struct runnel_conv_2d_window_place place = {
		.rows = *input, .y = y, .slot = slot < 0 ? slot + input->rows : slot};

	return place;
}

/* Copies one row of a window, kernel_width pixels from image column x on; pixels outside become the zero point. */
RUNNEL_INLINE void runnel_conv_2d_window_gather_row(const struct runnel_conv_2d_window_shape *shape,
						    int32_t zero_point, const int8_t *row, int32_t first_column,
						    int32_t x, int8_t *column)
{
	const int32_t channels = shape->input_channels;
	const int32_t span = (shape->kernel_width - 1) * shape->dilation_width;

	if (shape->dilation_width == 1 && x >= 0 && x + span < shape->input_width) {
		memcpy(column, row + (x - first_column) * channels, (size_t)(shape->kernel_width * channels));
	} else {
		for (int32_t tap = 0; tap < shape->kernel_width; tap++) {
			const int32_t tap_x = x + tap * shape->dilation_width;

			if (tap_x < 0 || tap_x >= shape->input_width) {
				memset(column, zero_point, (size_t)channels);
			} else {
				memcpy(column, row + (tap_x - first_column) * channels, (size_t)channels);
			}
			column += channels;
		}
	}
}

/* The window of output column `output_column`, gathered into `space`. */
RUNNEL_INLINE void runnel_conv_2d_window_gather(const struct runnel_conv_2d_window_shape *shape, int32_t zero_point,
						const struct runnel_conv_2d_window_place *place, int32_t output_column,
						int8_t *space)
{
	const int32_t x = output_column * shape->stride_width - shape->pad_left;
	const int32_t row_taps = shape->kernel_width * shape->input_channels;
	int32_t slot = place->slot;
	int32_t y = place->y;

	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		if (y < 0 || y >= shape->input_height) {
			memset(space, zero_point, (size_t)row_taps);
		} else {
			runnel_conv_2d_window_gather_row(shape, zero_point,
							 place->rows.data + slot * place->rows.row_bytes,
							 place->rows.first_column, x, space);
		}
		space += row_taps;
		y += shape->dilation_height;
		slot += shape->dilation_height;
		while (slot >= place->rows.rows) {
			slot -= place->rows.rows;
		}
	}
}

/* Output columns column..column + pixels - 1 of output row `row`. `scratch` holds one column of taps. */
RUNNEL_INLINE void runnel_conv_2d_window(const struct runnel_conv_2d_window_shape *shape,
					 const struct runnel_accumulator_layer *layer, const struct runnel_rows *input,
					 int32_t row, int32_t column, int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);
	const struct runnel_conv_2d_window_place place = runnel_conv_2d_window_at(shape, input, row);
	const int8_t *taps = scratch;

	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const int8_t *weights = own.weights;
		int8_t *to = output + pixel * shape->output_pixel_step;

		runnel_conv_2d_window_gather(shape, own.input_zero_point, &place, column + pixel, scratch);
		for (int32_t channel = 0; channel < shape->output_channels; channel++) {
			const struct runnel_channel constants = runnel_load_channel(&own, shape->rounding, channel);
			int32_t acc = constants.bias;

			for (int32_t tap = 0; tap < shape->column_bytes; tap++) {
				acc = runnel_add_wrapping(acc, (int32_t)taps[tap] * weights[tap]);
			}
			weights += shape->column_bytes;
			*to = runnel_requantize_accumulator(&own, shape->rounding, &constants, acc);
			to += shape->output_channel_step;
		}
	}
}

#endif /* RUNNEL_KERNELS_CONV_2D_WINDOW_H_ */
