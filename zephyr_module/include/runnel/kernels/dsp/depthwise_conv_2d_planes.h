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
#include "runnel/kernels/dsp/intrinsics.h"

/* Adds four taps of one window row to `count` sums, whose windows lie stride_width columns apart. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_planes_dsp_taps(int32_t stride, int32_t count, const int8_t *columns,
							    uint32_t weights, int32_t sums[4])
{
	const uint32_t w_even = runnel_sxtb16(weights);
	const uint32_t w_odd = runnel_sxtb16_odd(weights);

	if (stride == 1 && count > 1) {
		/* the odd pair of an output is the even pair of the next one */
		uint32_t word = runnel_load_word(columns);
		uint32_t even = runnel_sxtb16(word);

		for (int32_t i = 0; i < count; i += 2) {
			const uint32_t odd = runnel_sxtb16_odd(word);

			word = runnel_load_word(columns + i + 2);
			sums[i] = runnel_smlad(odd, w_odd, runnel_smlad(even, w_even, sums[i]));
			even = runnel_sxtb16(word);
			sums[i + 1] = runnel_smlad(even, w_odd, runnel_smlad(odd, w_even, sums[i + 1]));
		}
	} else {
		for (int32_t i = 0; i < count; i++) {
			const uint32_t word = runnel_load_word(columns + i * stride);

			sums[i] = runnel_smlad(runnel_sxtb16(word), w_even, sums[i]);
			sums[i] = runnel_smlad(runnel_sxtb16_odd(word), w_odd, sums[i]);
		}
	}
}

/* `count` neighbouring outputs of one channel: the first one's window is at `window`, its place in the output `place`.
 * In columns outputs lie in pairs. */
RUNNEL_INLINE void
runnel_depthwise_conv_2d_planes_dsp_outputs(const struct runnel_depthwise_conv_2d_planes_shape *shape,
					    const struct runnel_accumulator_layer *layer,
					    const struct runnel_channel *constants, int32_t count, const int8_t *window,
					    const int8_t *weights, void *output, int32_t place)
{
	const int32_t next = shape->columns_out ? 4 : shape->output_pixel_step;
	const int32_t bias = constants->bias;
	int32_t sums[4] = {bias, bias, bias, bias};

	RUNNEL_UNROLL(3) /* as in depthwise_conv_2d.h: a 7x7 window whole would take much flash for little */
	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		for (int32_t tap = 0; tap < shape->row_taps; tap += 4) {
			runnel_depthwise_conv_2d_planes_dsp_taps(
				shape->stride_width, count, window + kernel_row * shape->plane_width + tap,
				runnel_load_word(weights + kernel_row * shape->row_taps + tap), sums);
		}
	}
	for (int32_t i = 0; i < count; i++) {
		runnel_depthwise_conv_2d_planes_store(
			shape, output, place + i / 2 * 2 * shape->output_pixel_step + i % 2 * next,
			runnel_requantize_accumulator(layer, shape->rounding, constants, sums[i]));
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
	int32_t place = shape->columns_out ? runnel_columns_pair(channel) : channel * shape->output_channel_step;
	int32_t left = pixels;

	(void)rotation; /* is in `weights` */
	for (; left >= 4; left -= 4) {
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, 4, plane, weights, output, place);
		plane += 4 * step;
		place += 4 * shape->output_pixel_step;
	}
	if (left >= 2) {
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, 2, plane, weights, output, place);
		plane += 2 * step;
		place += 2 * shape->output_pixel_step;
		left -= 2;
	}
	if (left > 0) {
		if (shape->columns_out) {
			place = runnel_columns_last(shape->output_pixel_step, pixels, channel);
		}
		runnel_depthwise_conv_2d_planes_dsp_outputs(shape, layer, constants, 1, plane, weights, output, place);
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
