/* SPDX-License-Identifier: Apache-2.0
 *
 * AVERAGE_POOL_2D and MAX_POOL_2D, portable C. One output row at a time; pixels outside the input are left out.
 * Pixels are written in order, each after its window was read, so the output may start at the input's first byte
 * where no later window reaches back (the generator decides).
 */
#ifndef RUNNEL_KERNELS_POOL_2D_H_
#define RUNNEL_KERNELS_POOL_2D_H_

#include "runnel/kernels/rows.h"

struct runnel_pool_2d_shape {
	int32_t input_height;
	int32_t input_width;
	int32_t channels;
	int32_t output_height;
	int32_t output_width;
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_height;
	int32_t stride_width;
	int32_t pad_top;
	int32_t pad_left;
	int32_t average; /* 0: the largest value */
};

struct runnel_pool_2d_layer {
	int32_t clamp_min;
	int32_t clamp_max;
};

/* The part of one axis of a window that lies inside the input: first <= i < end. */
struct runnel_pool_2d_span {
	int32_t first;
	int32_t end;
};

RUNNEL_INLINE struct runnel_pool_2d_span runnel_pool_2d_inside(int32_t first, int32_t kernel, int32_t size)
{
	const struct runnel_pool_2d_span span = {
		.first = first < 0 ? 0 : first,
		.end = first + kernel < size ? first + kernel : size,
	};

	return span;
}

/* Sum or maximum of one channel of a window; `slot` is where its first row lies in the ring. */
RUNNEL_INLINE int32_t runnel_pool_2d_reduce(const struct runnel_pool_2d_shape *shape, const int8_t *channel,
					    int32_t ring_rows, int32_t slot, struct runnel_pool_2d_span rows,
					    struct runnel_pool_2d_span columns)
{
	int32_t result = shape->average ? 0 : INT8_MIN;

	for (int32_t y = rows.first; y < rows.end; y++) {
		const int8_t *value = channel + (slot * shape->input_width + columns.first) * shape->channels;

		for (int32_t x = columns.first; x < columns.end; x++) {
			if (shape->average) {
				result += *value;
			} else {
				result = *value > result ? *value : result;
			}
			value += shape->channels;
		}
		slot = slot + 1 < ring_rows ? slot + 1 : 0;
	}
	return result;
}

/* sum / count, halves away from zero. */
RUNNEL_INLINE int32_t runnel_pool_2d_mean(int32_t sum, int32_t count)
{
	return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* Output row `row`. Input row y lies at ring + (y % ring_rows) * input_width * channels; a whole tensor is a ring of
 * input_height rows.
 */
RUNNEL_INLINE void runnel_pool_2d_row(const struct runnel_pool_2d_shape *shape,
				      const struct runnel_pool_2d_layer *layer, const int8_t *ring, int32_t ring_rows,
				      int32_t row, int8_t *output)
{
	const struct runnel_pool_2d_span rows = runnel_pool_2d_inside(row * shape->stride_height - shape->pad_top,
								      shape->kernel_height, shape->input_height);
	const int32_t slot = rows.first % ring_rows;

	for (int32_t x = 0; x < shape->output_width; x++) {
		const struct runnel_pool_2d_span columns = runnel_pool_2d_inside(
			x * shape->stride_width - shape->pad_left, shape->kernel_width, shape->input_width);
		const int32_t count = (rows.end - rows.first) * (columns.end - columns.first);

		for (int32_t channel = 0; channel < shape->channels; channel++) {
			int32_t value =
				runnel_pool_2d_reduce(shape, ring + channel, ring_rows, slot, rows, columns);

			value = shape->average ? runnel_pool_2d_mean(value, count) : value;
			*output++ = (int8_t)runnel_clamp(value, layer->clamp_min, layer->clamp_max);
		}
	}
}

RUNNEL_INLINE void runnel_pool_2d(const struct runnel_pool_2d_shape *shape, const struct runnel_pool_2d_layer *layer,
				  const int8_t *input, int8_t *output, void *scratch)
{
	(void)scratch;
	for (int32_t row = 0; row < shape->output_height; row++) {
		runnel_pool_2d_row(shape, layer, input, shape->input_height, row,
				   output + row * shape->output_width * shape->channels);
	}
}

/* By rows: from a ring of rows of pixels, pixels or channel planes out. Rows and columns are those of the whole image. */
struct runnel_pool_2d_window_shape {
	int32_t input_height;
	int32_t input_width;
	int32_t channels;
	int32_t kernel_height;
	int32_t kernel_width;
	int32_t stride_height;
	int32_t stride_width;
	int32_t pad_top;
	int32_t pad_left;
	int32_t average; /* 0: the largest value */
	int32_t output_pixel_step;
	int32_t output_channel_step;
};

/* One output pixel; `slot` is where the first row of its window lies in the ring. */
RUNNEL_INLINE void runnel_pool_2d_window_pixel(const struct runnel_pool_2d_window_shape *shape,
					       const struct runnel_pool_2d_layer *layer,
					       const struct runnel_rows *input, int32_t slot,
					       struct runnel_pool_2d_span rows, struct runnel_pool_2d_span columns,
					       int8_t *output)
{
	const int8_t *first = input->data + (columns.first - input->first_column) * shape->channels;
	const int32_t count = (rows.end - rows.first) * (columns.end - columns.first);

	for (int32_t channel = 0; channel < shape->channels; channel++) {
		int32_t result = shape->average ? 0 : INT8_MIN;
		int32_t place = slot;

		for (int32_t y = rows.first; y < rows.end; y++) {
			const int8_t *value = first + place * input->row_bytes + channel;

			for (int32_t x = columns.first; x < columns.end; x++) {
				if (shape->average) {
					result += *value;
				} else {
					result = *value > result ? *value : result;
				}
				value += shape->channels;
			}
			place = place + 1 < input->rows ? place + 1 : 0;
		}
		result = shape->average ? runnel_pool_2d_mean(result, count) : result;
		output[channel * shape->output_channel_step] =
			(int8_t)runnel_clamp(result, layer->clamp_min, layer->clamp_max);
	}
}

/* Output columns column..column + pixels - 1 of output row `row`. */
RUNNEL_INLINE void runnel_pool_2d_window(const struct runnel_pool_2d_window_shape *shape,
					 const struct runnel_pool_2d_layer *layer, const struct runnel_rows *input,
					 int32_t row, int32_t column, int32_t pixels, int8_t *output, void *scratch)
{
	const struct runnel_pool_2d_layer own = *layer; /* storing int8 outputs cannot change them */
	const struct runnel_rows ring = *input;
	const struct runnel_pool_2d_span rows = runnel_pool_2d_inside(row * shape->stride_height - shape->pad_top,
								      shape->kernel_height, shape->input_height);

	(void)scratch;
	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const struct runnel_pool_2d_span columns =
			runnel_pool_2d_inside((column + pixel) * shape->stride_width - shape->pad_left,
					      shape->kernel_width, shape->input_width);

		runnel_pool_2d_window_pixel(shape, &own, &ring, rows.first % ring.rows, rows, columns,
					    output + pixel * shape->output_pixel_step);
	}
}

#endif /* RUNNEL_KERNELS_POOL_2D_H_ */
