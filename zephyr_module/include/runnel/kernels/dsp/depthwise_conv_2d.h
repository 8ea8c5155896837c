/* SPDX-License-Identifier: Apache-2.0
 *
 * DEPTHWISE_CONV_2D without dilation, with SMLAD. The plane and the weights stay int8; a word of four columns gives
 * the pairs (x, x+2) and (x+1, x+3), and the weights' words give the pairs to match. At stride 1 two neighbouring
 * outputs share the words: the pairs of the second are the odd pair of the first word and the even pair of the word
 * two columns on. Weight rows are padded with zero taps to whole words (row_taps); the columns that those taps read
 * lie in the plane or in the 8 bytes after it.
 */
#ifndef RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_H_
#define RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_H_

#include "runnel/kernels/depthwise_conv_2d.h"
#include "runnel/kernels/dsp/intrinsics.h"

/* Sum of one window whose first column is `window`. */
RUNNEL_INLINE int32_t runnel_depthwise_conv_2d_dsp_one(const struct runnel_depthwise_conv_2d_shape *shape,
						       const int8_t *window, const int8_t *weights, int32_t sum)
{
	RUNNEL_UNROLL(3) /* a 7x7 window whole would take 1.7 kB of flash for 3 % fewer instructions */
	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		for (int32_t tap = 0; tap < shape->row_taps; tap += 4) {
			const uint32_t x = runnel_load_word(window + kernel_row * shape->plane_width + tap);
			const uint32_t w = runnel_load_word(weights + kernel_row * shape->row_taps + tap);

			sum = runnel_smlad(runnel_sxtb16(x), runnel_sxtb16(w), sum);
			sum = runnel_smlad(runnel_sxtb16_odd(x), runnel_sxtb16_odd(w), sum);
		}
	}
	return sum;
}

/* Sums of two windows that start one column apart. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_dsp_two(const struct runnel_depthwise_conv_2d_shape *shape,
						    const int8_t *window, const int8_t *weights, int32_t sums[2])
{
	RUNNEL_UNROLL(3) /* a 7x7 window whole would take 1.7 kB of flash for 3 % fewer instructions */
	for (int32_t kernel_row = 0; kernel_row < shape->kernel_height; kernel_row++) {
		for (int32_t tap = 0; tap < shape->row_taps; tap += 4) {
			const int8_t *columns = window + kernel_row * shape->plane_width + tap;
			const uint32_t w = runnel_load_word(weights + kernel_row * shape->row_taps + tap);
			const uint32_t w_even = runnel_sxtb16(w);
			const uint32_t w_odd = runnel_sxtb16_odd(w);
			const uint32_t x = runnel_load_word(columns);
			const uint32_t x_odd = runnel_sxtb16_odd(x);
			const uint32_t x_next = runnel_sxtb16(runnel_load_word(columns + 2));

			sums[0] = runnel_smlad(x_odd, w_odd, runnel_smlad(runnel_sxtb16(x), w_even, sums[0]));
			sums[1] = runnel_smlad(x_next, w_odd, runnel_smlad(x_odd, w_even, sums[1]));
		}
	}
}

/* One output row of one channel, as in the portable twin. */
RUNNEL_INLINE void runnel_depthwise_conv_2d_dsp_row(const struct runnel_depthwise_conv_2d_shape *shape,
						    const struct runnel_accumulator_layer *layer,
						    const struct runnel_channel *channel, const int8_t *rows,
						    const int8_t *weights, int8_t *output)
{
	const int32_t output_channels = shape->input_channels * shape->depth_multiplier;
	const int32_t bias = channel->bias;

	if (shape->stride_width == 1 && shape->output_width > 1) {
		for (int32_t step = 0; step < shape->output_width; step += 2) {
			/* an odd last output is computed with the one before it once more */
			const int32_t x = step + 2 > shape->output_width ? step - 1 : step;
			int32_t sums[2] = {bias, bias};

			runnel_depthwise_conv_2d_dsp_two(shape, rows + x, weights, sums);
			output[x * output_channels] = runnel_requantize_accumulator(layer, shape->rounding,
										    channel, sums[0]);
			output[(x + 1) * output_channels] = runnel_requantize_accumulator(
				layer, shape->rounding, channel, sums[1]);
		}
	} else {
		for (int32_t x = 0; x < shape->output_width; x++) {
			const int32_t sum = runnel_depthwise_conv_2d_dsp_one(shape, rows + x * shape->stride_width,
									     weights, bias);

			output[x * output_channels] =
				runnel_requantize_accumulator(layer, shape->rounding, channel, sum);
		}
	}
}

RUNNEL_INLINE void runnel_depthwise_conv_2d_dsp(const struct runnel_depthwise_conv_2d_shape *shape,
						const struct runnel_accumulator_layer *layer, const int8_t *input,
						int8_t *output, void *scratch)
{
	runnel_depthwise_conv_2d_channels(shape, layer, input, output, scratch, runnel_depthwise_conv_2d_dsp_row);
}

#endif /* RUNNEL_KERNELS_DSP_DEPTHWISE_CONV_2D_H_ */
