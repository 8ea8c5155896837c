/* SPDX-License-Identifier: Apache-2.0
 *
 * RESIZE_NEAREST_NEIGHBOR, portable C. The generator lists the source of every row and column.
 */
#ifndef RUNNEL_KERNELS_RESIZE_NEAREST_NEIGHBOR_H_
#define RUNNEL_KERNELS_RESIZE_NEAREST_NEIGHBOR_H_

#include "runnel/kernels/rows.h"

struct runnel_resize_nearest_neighbor_shape {
	int32_t input_width;
	int32_t output_height;
	int32_t output_width;
	int32_t channels;
};

struct runnel_resize_nearest_neighbor_layer {
	const int16_t *rows;    /* input row of each output row */
	const int16_t *columns; /* input column of each output column */
};

/* One output row from the input row that it repeats. */
RUNNEL_INLINE void runnel_resize_nearest_neighbor_row(const struct runnel_resize_nearest_neighbor_shape *shape,
						      const struct runnel_resize_nearest_neighbor_layer *layer,
						      const int8_t *input, int8_t *output)
{
	for (int32_t x = 0; x < shape->output_width; x++) {
		memcpy(output + x * shape->channels, input + layer->columns[x] * shape->channels,
		       (size_t)shape->channels);
	}
}

RUNNEL_INLINE void runnel_resize_nearest_neighbor(const struct runnel_resize_nearest_neighbor_shape *shape,
						  const struct runnel_resize_nearest_neighbor_layer *layer,
						  const int8_t *input, int8_t *output, void *scratch)
{
	(void)scratch;
	for (int32_t y = 0; y < shape->output_height; y++) {
		runnel_resize_nearest_neighbor_row(shape, layer,
						   input + layer->rows[y] * shape->input_width * shape->channels,
						   output + y * shape->output_width * shape->channels);
	}
}

/* By rows: from a ring of rows of pixels, pixels or channel planes out. */
struct runnel_resize_nearest_neighbor_window_shape {
	int32_t channels;
	int32_t output_pixel_step;
	int32_t output_channel_step;
};

/* Output columns column..column + pixels - 1 of output row `row`. */
RUNNEL_INLINE void runnel_resize_nearest_neighbor_window(
	const struct runnel_resize_nearest_neighbor_window_shape *shape,
	const struct runnel_resize_nearest_neighbor_layer *layer, const struct runnel_rows *input, int32_t row,
	int32_t column, int32_t pixels, int8_t *output, void *scratch)
{
	const int8_t *source = input->data + layer->rows[row] % input->rows * input->row_bytes;
	const int32_t first_column = input->first_column;

	(void)scratch;
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const int8_t *from = source + (layer->columns[column + pixel] - first_column) * shape->channels;
		int8_t *to = output + pixel * shape->output_pixel_step;

		if (shape->output_channel_step == 1) {
			memcpy(to, from, (size_t)shape->channels);
			continue;
		}
		for (int32_t channel = 0; channel < shape->channels; channel++) {
			to[channel * shape->output_channel_step] = from[channel];
		}
	}
}

#endif /* RUNNEL_KERNELS_RESIZE_NEAREST_NEIGHBOR_H_ */
