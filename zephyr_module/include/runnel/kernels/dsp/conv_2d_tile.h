/* SPDX-License-Identifier: Apache-2.0
 *
 * The tile of the convolutions that run by rows: two pixels by two output channels, or one of either, with SMLAD.
 *
 * Weights are int8; SXTB16 gives taps (k, k+2) and (k+1, k+3) of a word. The input is either int8, taken apart in the
 * same way, or int16 in that order (0, 2, 1, 3), which takes nothing apart.
 */
#ifndef RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_
#define RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_

#include "runnel/kernels/accumulator.h"
#include "runnel/kernels/dsp/intrinsics.h"

/* What the tile needs to know of a convolution; constants when it is inlined. */
struct runnel_conv_2d_tiles {
	int32_t taps;           /* of the input that are read; the rest of column_bytes has zero weights */
	int32_t column_bytes;   /* from one channel's weights to the next one's */
	int32_t second;         /* elements from the first pixel's taps to the second's */
	int32_t wide;           /* the input is int16 */
	int32_t output_channels;
	int32_t output_pixel_step;
	int32_t output_channel_step;
	int32_t rounding;
};

/* Four taps of one pixel: (0, 2) and (1, 3). */
struct runnel_conv_2d_taps {
	uint32_t even;
	uint32_t odd;
};

RUNNEL_INLINE struct runnel_conv_2d_taps runnel_conv_2d_taps_of_bytes(uint32_t word)
{
	const struct runnel_conv_2d_taps taps = {.even = runnel_sxtb16(word), .odd = runnel_sxtb16_odd(word)};

	return taps;
}

/* The last 1 to 3 taps of a pixel whose number of channels is no multiple of 4, without reading beyond it. */
RUNNEL_INLINE struct runnel_conv_2d_taps runnel_conv_2d_last_taps(const int8_t *end, int32_t taps, int32_t rest)
{
	uint32_t word = 0;

	if (taps >= 4) {
		word = runnel_load_word(end - 4) >> (32 - 8 * rest);
	} else {
		for (int32_t tap = 0; tap < rest; tap++) {
			word |= (uint32_t)(uint8_t)end[tap - rest] << (8 * tap);
		}
	}
	return runnel_conv_2d_taps_of_bytes(word);
}

RUNNEL_INLINE int32_t runnel_conv_2d_four_taps(struct runnel_conv_2d_taps x, struct runnel_conv_2d_taps w, int32_t sum)
{
	return runnel_smlad(x.odd, w.odd, runnel_smlad(x.even, w.even, sum));
}

/* Adds the products of all whole words of taps. sums[pixel][channel]. */
RUNNEL_INLINE void runnel_conv_2d_tile_words(const struct runnel_conv_2d_tiles *tiles, int32_t pixels,
					     int32_t channels, const void *input, const int8_t *weights,
					     int32_t sums[2][2])
{
	const int8_t *bytes = input;
	const int16_t *columns = input;
	const int16_t *second_columns = pixels > 1 ? columns + tiles->second : columns;
	int32_t sum_00 = sums[0][0];
	int32_t sum_01 = sums[0][1];
	int32_t sum_10 = sums[1][0];
	int32_t sum_11 = sums[1][1];

	RUNNEL_OPAQUE(bytes);
	RUNNEL_OPAQUE(columns);
	RUNNEL_OPAQUE(second_columns);
	RUNNEL_OPAQUE(weights);
	RUNNEL_UNROLL(2)
	for (int32_t words = tiles->taps / 4; words != 0; words--) {
		const struct runnel_conv_2d_taps w_0 = runnel_conv_2d_taps_of_bytes(runnel_load_word(weights));
		struct runnel_conv_2d_taps w_1 = {0, 0};
		struct runnel_conv_2d_taps x = {0, 0};

		if (channels > 1) {
			w_1 = runnel_conv_2d_taps_of_bytes(runnel_load_word(weights + tiles->column_bytes));
		}
		if (tiles->wide) {
			runnel_next_two_words(&columns, &x.even, &x.odd);
		} else {
			x = runnel_conv_2d_taps_of_bytes(runnel_load_word(bytes));
		}
		sum_00 = runnel_conv_2d_four_taps(x, w_0, sum_00);
		sum_01 = channels > 1 ? runnel_conv_2d_four_taps(x, w_1, sum_01) : 0;
		if (pixels > 1) {
			if (tiles->wide) {
				runnel_next_two_words(&second_columns, &x.even, &x.odd);
			} else {
				x = runnel_conv_2d_taps_of_bytes(runnel_load_word(bytes + tiles->second));
			}
			sum_10 = runnel_conv_2d_four_taps(x, w_0, sum_10);
			sum_11 = channels > 1 ? runnel_conv_2d_four_taps(x, w_1, sum_11) : 0;
		}
		bytes += 4;
		weights += 4;
	}
	sums[0][0] = sum_00;
	sums[0][1] = sum_01;
	sums[1][0] = sum_10;
	sums[1][1] = sum_11;
}

/* Adds what is left when the taps are no multiple of 4. */
RUNNEL_INLINE void runnel_conv_2d_tile_rest(const struct runnel_conv_2d_tiles *tiles, int32_t pixels, int32_t channels,
					    const int8_t *input, const int8_t *weights, int32_t sums[2][2])
{
	const int32_t rest = tiles->taps % 4;

	for (int32_t pixel = 0; pixel < pixels; pixel++) {
		const struct runnel_conv_2d_taps x =
			runnel_conv_2d_last_taps(input + pixel * tiles->second + tiles->taps, tiles->taps, rest);

		for (int32_t channel = 0; channel < channels; channel++) {
			const int8_t *last = weights + channel * tiles->column_bytes + tiles->taps - rest;

			sums[pixel][channel] = runnel_conv_2d_four_taps(
				x, runnel_conv_2d_taps_of_bytes(runnel_load_word(last)), sums[pixel][channel]);
		}
	}
}

/* All channels of one or two output pixels. An odd last channel is computed with the one before it once more. */
RUNNEL_INLINE void runnel_conv_2d_tile_pixels(const struct runnel_conv_2d_tiles *tiles,
					      const struct runnel_accumulator_layer *layer, int32_t pixels,
					      const void *input, int8_t *output)
{
	const int32_t channels = tiles->output_channels > 1 ? 2 : 1;

	for (int32_t step = 0; step < tiles->output_channels; step += 2) {
		const int32_t channel = step + channels > tiles->output_channels ? step - 1 : step;
		const int8_t *weights = layer->weights + channel * tiles->column_bytes;
		int32_t sums[2][2] = {{layer->bias[channel], 0}, {layer->bias[channel], 0}};

		if (channels > 1) {
			sums[0][1] = layer->bias[channel + 1];
			sums[1][1] = layer->bias[channel + 1];
		}
		runnel_conv_2d_tile_words(tiles, pixels, channels, input, weights, sums);
		if (!tiles->wide && tiles->taps % 4 != 0) {
			runnel_conv_2d_tile_rest(tiles, pixels, channels, input, weights, sums);
		}
		for (int32_t c = 0; c < channels; c++) {
			const struct runnel_channel constants = runnel_load_channel(layer, tiles->rounding, channel + c);
			int8_t *to = output + (channel + c) * tiles->output_channel_step;

			for (int32_t pixel = 0; pixel < pixels; pixel++) {
				to[pixel * tiles->output_pixel_step] = runnel_requantize_accumulator(
					layer, tiles->rounding, &constants, sums[pixel][c]);
			}
		}
	}
}

#endif /* RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_ */
