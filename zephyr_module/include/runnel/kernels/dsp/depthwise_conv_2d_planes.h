/* SPDX-License-Identifier: Apache-2.0
 *
 * DEPTHWISE_CONV_2D without dilation by rows, with SMLAD. A word of four columns gives the pairs (x, x+2) and
 * (x+1, x+3), and the weights' words give the pairs to match. Four outputs at a time, then two, then one; at stride 1
 * neighbours share words. Weight rows are padded with zero taps to whole words (row_taps); the columns that those taps
 * read lie in the planes or in the 8 bytes after them.
 */
#ifndef RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_PLANES_H_
#define RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_PLANES_H_

#include "runnel/kernels/depthwise_conv_2d_planes.h"
#include "runnel/kernels/dsp/depthwise_taps.h"

/* Four taps for `count` outputs, 1 or 2, or 4 up to stride 2; the weights behind them. */
RUNNEL_INLINE const int8_t *runnel_depthwise_conv_2d_planes_taps(int32_t stride, int32_t count, const int8_t *columns,
								 const int8_t *weights,
								 struct runnel_depthwise_sums *sums)
{
	if (count == 1) {
		return runnel_depthwise_taps_one(columns, weights, sums);
	}
	if (stride == 1) {
		return count == 2 ? runnel_depthwise_taps_two_stride_1(columns, weights, sums)
				  : runnel_depthwise_taps_four_stride_1(columns, weights, sums);
	}
	if (stride == 2) {
		return count == 2 ? runnel_depthwise_taps_two_stride_2(columns, weights, sums)
				  : runnel_depthwise_taps_four_stride_2(columns, weights, sums);
	}
	return runnel_depthwise_taps_two(stride, columns, weights, sums);
}

/* Sums of `count` windows, the first one at `window`. Where rows of weights are there twice, `weights` is the row of
 * slot 0, and the loop goes through without a break; otherwise it is the window's first row. */
RUNNEL_INLINE struct runnel_depthwise_sums
runnel_depthwise_conv_2d_planes_windows(const struct runnel_depthwise_conv_2d_planes_shape *shape, int32_t bias,
					int32_t rotation, int32_t count, const int8_t *window, const int8_t *weights)
{
	struct runnel_depthwise_sums sums = {bias, bias, bias, bias};

	if (shape->weight_rows != shape->kernel_height || shape->kernel_height == 1) {
		RUNNEL_UNROLL(3)
		for (int32_t rows = shape->kernel_height; rows != 0; rows--) {
			for (int32_t tap = 0; tap < shape->row_taps; tap += 4) {
				weights = runnel_depthwise_conv_2d_planes_taps(shape->stride_width, count, window + tap,
									       weights, &sums);
			}
			if (rows > 1) {
				window += shape->plane_width;
				RUNNEL_OPAQUE_AFTER(window, sums.sum_0);
			}
		}
		return sums;
	}
	/* slots before the window's first row hold its last rows */
	weights += (shape->kernel_height - rotation) * shape->row_taps;
	for (int32_t part = 0, rows = rotation; part < 2; part++, rows = shape->kernel_height - rotation) {
		RUNNEL_UNROLL(1)
		for (; rows != 0; rows--) {
			for (int32_t tap = 0; tap < shape->row_taps; tap += 4) {
				weights = runnel_depthwise_conv_2d_planes_taps(shape->stride_width, count, window + tap,
									       weights, &sums);
			}
			window += shape->plane_width;
		}
		weights -= shape->kernel_height * shape->row_taps;
	}
	return sums;
}

/* `count` neighbouring outputs of one channel, the first one's place in the output is `place`. In columns outputs lie
 * in pairs. */
RUNNEL_INLINE void
runnel_depthwise_conv_2d_planes_dsp_outputs(const struct runnel_depthwise_conv_2d_planes_shape *shape,
					    const struct runnel_accumulator_layer *layer,
					    const struct runnel_channel *constants, int32_t rotation, int32_t count,
					    const int8_t *window, const int8_t *weights, void *output, int32_t place)
{
	const int32_t next = shape->columns_out ? 4 : shape->output_pixel_step;
	const struct runnel_depthwise_sums sums =
		runnel_depthwise_conv_2d_planes_windows(shape, constants->bias, rotation, count, window, weights);

	for (int32_t i = 0; i < count; i++) {
		const int32_t sum = i == 0 ? sums.sum_0 : i == 1 ? sums.sum_1 : i == 2 ? sums.sum_2 : sums.sum_3;

		runnel_depthwise_conv_2d_planes_store(shape, output,
						      place + i / 2 * 2 * shape->output_pixel_step + i % 2 * next,
						      runnel_requantize_wide(layer, shape->rounding, constants, sum));
	}
}

/* The output pixels of one channel, as in the portable twin. */
RUNNEL_INLINE void
runnel_depthwise_conv_2d_planes_dsp_row(const struct runnel_depthwise_conv_2d_planes_shape *shape,
					const struct runnel_accumulator_layer *layer,
					const struct runnel_channel *constants, const int8_t *plane, int32_t rotation,
					const int8_t *weights, int32_t channel, int32_t pixels, void *output)
{
	const int32_t step = shape->stride_width;
	const int32_t at_once = step > 2 ? 2 : 4;
	int32_t place = 0;
	int32_t left = pixels;

	if (shape->weight_rows != shape->kernel_height && rotation > 0) {
		weights += (shape->kernel_height - rotation) * shape->row_taps;
	}
	for (; left >= at_once; left -= at_once) {
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, rotation, at_once, plane, weights,
							    output, place);
		plane += at_once * step;
		place += at_once * shape->output_pixel_step;
	}
	if (left >= 2) {
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, rotation, 2, plane, weights,
							    output, place);
		plane += 2 * step;
		place += 2 * shape->output_pixel_step;
		left -= 2;
	}
	if (left > 0) {
		if (shape->columns_out) {
			place = runnel_columns_last(shape->output_pixel_step, pixels, channel);
		}
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, rotation, 1, plane, weights,
							    output, place);
	}
}

RUNNEL_INLINE void runnel_depthwise_conv_2d_planes_dsp(const struct runnel_depthwise_conv_2d_planes_shape *shape,
						       const struct runnel_accumulator_layer *layer,
						       const int8_t *planes, int32_t rotation, int32_t pixels,
						       void *output)
{
	runnel_depthwise_conv_2d_planes_channels(shape, layer, planes, rotation, pixels, output,
						 runnel_depthwise_conv_2d_planes_dsp_row);
}

#endif /* RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_PLANES_H_ */
