/* SPDX-License-Identifier: Apache-2.0
 *
 * CONV_2D and FULLY_CONNECTED with SMLAD: two output pixels by two output channels at a time.
 *
 * Both operands stay int8: a word holds taps k..k+3, SXTB16 gives (k, k+2) and (k+1, k+3) of the column and of the
 * weights alike, so nothing has to be rearranged. Columns and weight rows are padded with zeros to whole words
 * (shape->column_bytes). An odd last pixel or channel is computed together with the one before it, a second time:
 * the same value is stored again, and no code for single pixels is needed.
 */
#ifndef RUNNEL_KERNELS_DSP_CONV_2D_H_
#define RUNNEL_KERNELS_DSP_CONV_2D_H_

#include "runnel/kernels/conv_2d.h"
#include "runnel/kernels/dsp/intrinsics.h"

/* Sums of 2 pixels x 2 channels; pixels or channels = 1 leaves the second of them out.
 * second: bytes from the first pixel's column to the second's. */
RUNNEL_INLINE void runnel_conv_2d_dsp_tile(int32_t column_bytes, int32_t pixels, int32_t channels,
					   const int8_t *column, int32_t second, const int8_t *weights,
					   int32_t sums[2][2])
{
	int32_t sum_00 = sums[0][0];
	int32_t sum_01 = sums[0][1];
	int32_t sum_10 = sums[1][0];
	int32_t sum_11 = sums[1][1];

	RUNNEL_OPAQUE(column);
	RUNNEL_OPAQUE(weights);
	RUNNEL_UNROLL(2)
	for (int32_t words = column_bytes / 4; words != 0; words--) {
		const uint32_t w0 = runnel_load_word(weights);
		const uint32_t w1 = channels > 1 ? runnel_load_word(weights + column_bytes) : 0;
		const uint32_t x0 = runnel_load_word(column);
		const uint32_t x1 = pixels > 1 ? runnel_load_word(column + second) : 0;
		const uint32_t x0_even = runnel_sxtb16(x0);
		const uint32_t x0_odd = runnel_sxtb16_odd(x0);
		const uint32_t x1_even = runnel_sxtb16(x1);
		const uint32_t x1_odd = runnel_sxtb16_odd(x1);
		const uint32_t w0_even = runnel_sxtb16(w0);
		const uint32_t w0_odd = runnel_sxtb16_odd(w0);

		sum_00 = runnel_smlad(x0_odd, w0_odd, runnel_smlad(x0_even, w0_even, sum_00));
		if (pixels > 1) {
			sum_10 = runnel_smlad(x1_odd, w0_odd, runnel_smlad(x1_even, w0_even, sum_10));
		}
		if (channels > 1) {
			const uint32_t w1_even = runnel_sxtb16(w1);
			const uint32_t w1_odd = runnel_sxtb16_odd(w1);

			sum_01 = runnel_smlad(x0_odd, w1_odd, runnel_smlad(x0_even, w1_even, sum_01));
			if (pixels > 1) {
				sum_11 = runnel_smlad(x1_odd, w1_odd, runnel_smlad(x1_even, w1_even, sum_11));
			}
		}
		column += 4;
		weights += 4;
	}
	sums[0][0] = sum_00;
	sums[0][1] = sum_01;
	sums[1][0] = sum_10;
	sums[1][1] = sum_11;
}

/* All channels of one or two output pixels, whose windows start at `column` and `second` bytes after it. */
RUNNEL_INLINE void runnel_conv_2d_dsp_pixels(const struct runnel_conv_2d_shape *shape,
					     const struct runnel_accumulator_layer *layer, int32_t pixels,
					     const int8_t *column, int32_t second, int8_t *output)
{
	const int32_t channels = shape->output_channels > 1 ? 2 : 1;

	for (int32_t step = 0; step < shape->output_channels; step += 2) {
		const int32_t channel = step + channels > shape->output_channels ? step - 1 : step;
		int32_t sums[2][2] = {{layer->bias[channel], 0}, {layer->bias[channel], 0}};

		if (channels > 1) {
			sums[0][1] = layer->bias[channel + 1];
			sums[1][1] = layer->bias[channel + 1];
		}
		runnel_conv_2d_dsp_tile(shape->column_bytes, pixels, channels, column, second,
					layer->weights + channel * shape->column_bytes, sums);
		for (int32_t c = 0; c < channels; c++) {
			const struct runnel_channel constants =
				runnel_load_channel(layer, shape->rounding, channel + c);

			for (int32_t pixel = 0; pixel < pixels; pixel++) {
				output[pixel * shape->output_channels + channel + c] = runnel_requantize_accumulator(
					layer, shape->rounding, &constants, sums[pixel][c]);
			}
		}
	}
}

/* One output row. `scratch` holds two columns where windows are gathered; the bytes that pad them must be 0. */
RUNNEL_INLINE void runnel_conv_2d_dsp_row(const struct runnel_conv_2d_shape *shape,
					  const struct runnel_accumulator_layer *layer, const int8_t *input, int32_t row,
					  int8_t *output, int8_t *scratch)
{
	const int32_t pixels = shape->output_width > 1 ? 2 : 1;

	for (int32_t step = 0; step < shape->output_width; step += 2) {
		const int32_t x = step + pixels > shape->output_width ? step - 1 : step;
		const int32_t second = shape->gather ? shape->column_bytes : shape->stride_width * shape->input_channels;
		const int8_t *column =
			runnel_conv_2d_column(shape, layer->input_zero_point, input, row, x, scratch);

		if (shape->gather && pixels > 1) {
			runnel_conv_2d_column(shape, layer->input_zero_point, input, row, x + 1, scratch + second);
		}
		runnel_conv_2d_dsp_pixels(shape, layer, pixels, column, second, output + x * shape->output_channels);
	}
}

RUNNEL_INLINE void runnel_conv_2d_dsp(const struct runnel_conv_2d_shape *shape,
				      const struct runnel_accumulator_layer *layer, const int8_t *input, int8_t *output,
				      void *scratch)
{
	const struct runnel_accumulator_layer own = runnel_own_layer(layer);

	if (shape->gather) {
		memset(scratch, 0, (size_t)(2 * shape->column_bytes));
	}
	for (int32_t row = 0; row < shape->output_height; row++) {
		runnel_conv_2d_dsp_row(shape, &own, input, row,
				       output + row * shape->output_width * shape->output_channels, scratch);
	}
}

#endif /* RUNNEL_KERNELS_DSP_CONV_2D_H_ */
