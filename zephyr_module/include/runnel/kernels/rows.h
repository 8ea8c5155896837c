/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs a network by rows: rings of rows, and channel planes for depthwise convolutions (docs/streaming.md).
 */
#ifndef RUNNEL_KERNELS_ROWS_H_
#define RUNNEL_KERNELS_ROWS_H_

#include "runnel/kernels/common.h"

/* Rows of pixels that row kernels read: the last `rows` rows of a feature map, or all of it, or a patch of it.
 * Pixel (y, x) lies at data + (y % rows) * row_bytes + (x - first_column) * channels. */
struct runnel_rows {
	const int8_t *data;
	int32_t rows;
	int32_t row_bytes;
	int32_t first_column;
};

/* How many rows of its input, from the top of the image, output row `row` waits for.
 * reach: (kernel_height - 1) * dilation_height - pad_top + 1; height: of the input. */
RUNNEL_INLINE int32_t runnel_rows_needed(int32_t row, int32_t stride, int32_t reach, int32_t height)
{
	const int32_t needed = row * stride + reach;

	return needed < height ? needed : height;
}

/* Where row `row` of a ring begins. */
RUNNEL_INLINE int8_t *runnel_ring_row(int8_t *ring, int32_t row, int32_t rows, int32_t row_bytes)
{
	return ring + row % rows * row_bytes;
}

/* Fills one row of every channel plane with the zero point: a row above or below the image.
 * row: the row's first byte in the plane of channel 0; plane_bytes: from one channel to the next. */
RUNNEL_INLINE void runnel_planes_fill_row(int8_t *row, int32_t channels, int32_t plane_bytes, int32_t columns,
					  int32_t zero_point)
{
	for (int32_t channel = 0; channel < channels; channel++) {
		memset(row + channel * plane_bytes, zero_point, (size_t)columns);
	}
}

#endif /* RUNNEL_KERNELS_ROWS_H_ */
