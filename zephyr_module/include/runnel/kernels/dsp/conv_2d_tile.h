/* SPDX-License-Identifier: Apache-2.0
 *
 * The tile of the convolutions that run by rows: two pixels by two output channels with SMLAD.
 *
 * The input is int16 in pairs of pixels (columns.h), as a depthwise convolution leaves it or as it is widened here,
 * once for all output channels. Weights are int8: [pair of output channels][four taps][channel of the pair][tap];
 * where their number is odd, the last pair begins with a channel of the pair before it. SXTB16 gives taps (0, 2) and (1, 3) of a word of weights.
 */
#ifndef RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_
#define RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_

#include "runnel/kernels/accumulator.h"
#include "runnel/kernels/columns.h"
#include "runnel/kernels/dsp/intrinsics.h"

/* What the tile needs to know of a convolution. */
struct runnel_conv_2d_tiles {
	int32_t bytes_in;       /* 1: the input is one pixel of int8, 0: columns of int16 */
	int32_t input_channels; /* of int8 */
	int32_t input_rest;     /* input_channels % 4 */
	int32_t column_bytes;   /* taps of a pixel, a multiple of 4; bytes of a channel's weights */
	int32_t output_channels;
	int32_t odd_channels; /* output_channels % 2 */
	int32_t output_pixel_step;
	int32_t output_channel_step;
	int32_t rounding;
};

/* Sums of two channels for two pixels (or one). */
struct runnel_conv_2d_sums {
	int32_t first_0; /* first pixel, channel 0 */
	int32_t first_1;
	int32_t second_0;
	int32_t second_1;
};

/* Adds the products of four taps of one pixel. */
RUNNEL_INLINE const int16_t *runnel_conv_2d_tile_taps(const int16_t *columns, const int8_t *weights, int32_t *sum_0,
						      int32_t *sum_1)
{
	const uint32_t w_0 = runnel_load_word(weights);
	const uint32_t w_1 = runnel_load_word(weights + 4);
	const uint32_t even = runnel_load_pair(columns);
	const uint32_t odd = runnel_load_pair(columns + 2);

	*sum_0 = runnel_smlad(odd, runnel_sxtb16_odd(w_0), runnel_smlad(even, runnel_sxtb16(w_0), *sum_0));
	*sum_1 = runnel_smlad(odd, runnel_sxtb16_odd(w_1), runnel_smlad(even, runnel_sxtb16(w_1), *sum_1));
	return columns + 4;
}

/* `rest` bytes, 1 to 3, as a word, without reading beyond them. before: there are 4 bytes or more before them. */
RUNNEL_INLINE uint32_t runnel_conv_2d_last_bytes(const int8_t *bytes, int32_t rest, int before)
{
	uint32_t word = 0;

	if (before) {
		return runnel_load_word(bytes + rest - 4) >> (32 - 8 * rest);
	}
	for (int32_t tap = 0; tap < rest; tap++) {
		word |= (uint32_t)(uint8_t)bytes[tap] << (8 * tap);
	}
	return word;
}

/* Adds the products of four taps of one pixel as int8; the weights behind them. */
RUNNEL_INLINE const int8_t *runnel_conv_2d_tile_word(uint32_t word, const int8_t *weights,
						     struct runnel_conv_2d_sums *sums)
{
	const uint32_t w_0 = runnel_load_word(weights);
	const uint32_t w_1 = runnel_load_word(weights + 4);
	const uint32_t even = runnel_sxtb16(word);
	const uint32_t odd = runnel_sxtb16_odd(word);

	sums->first_0 = runnel_smlad(odd, runnel_sxtb16_odd(w_0), runnel_smlad(even, runnel_sxtb16(w_0), sums->first_0));
	sums->first_1 = runnel_smlad(odd, runnel_sxtb16_odd(w_1), runnel_smlad(even, runnel_sxtb16(w_1), sums->first_1));
	return weights + 8;
}

/* All taps of one pixel as int8; the weights behind them. rest: taps % 4. */
RUNNEL_INLINE const int8_t *runnel_conv_2d_tile_bytes(const int8_t *bytes, int32_t taps, int32_t rest,
						      const int8_t *weights, struct runnel_conv_2d_sums *sums)
{
	RUNNEL_UNROLL(2)
	for (int32_t left = taps; left >= 4; left -= 4) {
		weights = runnel_conv_2d_tile_word(runnel_load_word(bytes), weights, sums);
		bytes += 4;
	}
	if (rest > 0) {
		weights = runnel_conv_2d_tile_word(runnel_conv_2d_last_bytes(bytes, rest, taps >= 4), weights, sums);
	}
	return weights;
}

/* All taps of one pixel as int16; the weights behind them. */
RUNNEL_INLINE const int8_t *runnel_conv_2d_tile_one(const int16_t *columns, const int8_t *weights, int32_t words,
						    struct runnel_conv_2d_sums *sums)
{
	RUNNEL_UNROLL(2)
	for (; words > 0; words--) {
		columns = runnel_conv_2d_tile_taps(columns, weights, &sums->first_0, &sums->first_1);
		weights += 8;
	}
	return weights;
}

/* All taps of a pair of pixels; the weights behind them. words: a pixel's taps / 4, at least 1. */
RUNNEL_INLINE const int8_t *runnel_conv_2d_tile_two(const int16_t *columns, const int8_t *weights, int32_t words,
						    struct runnel_conv_2d_sums *sums)
{
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && defined(__OPTIMIZE__)
	/* The loop needs 13 registers; from C, compilers keep sums in memory. An odd number of words begins in the
	 * middle. */
#define RUNNEL_CONV_2D_TILE_STEP                                                                                       \
	"ldrd %[w_0], %[w_1], [%[weights]], #8\n\t"                                                                    \
	"ldrd %[x_0], %[x_1], [%[columns]], #8\n\t"                                                                    \
	"sxtb16 %[v_0], %[w_0]\n\t"                                                                                    \
	"sxtb16 %[v_1], %[w_1]\n\t"                                                                                    \
	"sxtb16 %[w_0], %[w_0], ror #8\n\t"                                                                            \
	"sxtb16 %[w_1], %[w_1], ror #8\n\t"                                                                            \
	"smlad %[first_0], %[x_0], %[v_0], %[first_0]\n\t"                                                             \
	"smlad %[first_1], %[x_0], %[v_1], %[first_1]\n\t"                                                             \
	"smlad %[first_0], %[x_1], %[w_0], %[first_0]\n\t"                                                             \
	"smlad %[first_1], %[x_1], %[w_1], %[first_1]\n\t"                                                             \
	"ldrd %[x_0], %[x_1], [%[columns]], #8\n\t"                                                                    \
	"smlad %[second_0], %[x_0], %[v_0], %[second_0]\n\t"                                                           \
	"smlad %[second_1], %[x_0], %[v_1], %[second_1]\n\t"                                                           \
	"smlad %[second_0], %[x_1], %[w_0], %[second_0]\n\t"                                                           \
	"smlad %[second_1], %[x_1], %[w_1], %[second_1]\n\t"
	int32_t w_0, w_1, v_0, v_1, x_0, x_1;

	__asm__("tst %[words], #1\n\t"
		"bne 2f\n"
		"1:\n\t" RUNNEL_CONV_2D_TILE_STEP
		"2:\n\t" RUNNEL_CONV_2D_TILE_STEP
		"subs %[words], %[words], #2\n\t"
		"bgt 1b"
		: [first_0] "+r"(sums->first_0), [first_1] "+r"(sums->first_1), [second_0] "+r"(sums->second_0),
		  [second_1] "+r"(sums->second_1), [weights] "+r"(weights), [columns] "+r"(columns),
		  [words] "+r"(words), [w_0] "=&r"(w_0), [w_1] "=&r"(w_1), [v_0] "=&r"(v_0), [v_1] "=&r"(v_1),
		  [x_0] "=&r"(x_0), [x_1] "=&r"(x_1)
		:
		: "cc", "memory");
#else
	for (; words > 0; words--) {
		columns = runnel_conv_2d_tile_taps(columns, weights, &sums->first_0, &sums->first_1);
		columns = runnel_conv_2d_tile_taps(columns, weights, &sums->second_0, &sums->second_1);
		weights += 8;
	}
#endif
	return weights;
}

/* The outputs of one channel for one or two pixels. */
RUNNEL_INLINE void runnel_conv_2d_tile_store(const struct runnel_conv_2d_tiles *tiles,
					     const struct runnel_accumulator_layer *layer, int32_t pixels,
					     int32_t channel, int32_t first, int32_t second, int8_t *output)
{
	const struct runnel_channel constants = runnel_load_channel(layer, tiles->rounding, channel);

	output[0] = runnel_requantize_accumulator(layer, tiles->rounding, &constants, first);
	if (pixels > 1) {
		output[tiles->output_pixel_step] =
			runnel_requantize_accumulator(layer, tiles->rounding, &constants, second);
	}
}

/* All channels of one or two pixels, two channels at a time. An odd last channel is computed with the one before it, for
 * a second time; one channel alone has its constants twice. */
RUNNEL_INLINE void runnel_conv_2d_tile_pixels(const struct runnel_conv_2d_tiles *tiles,
					      const struct runnel_accumulator_layer *layer, int32_t pixels,
					      const void *input, int8_t *output)
{
	const int32_t words = tiles->column_bytes / 4;
	const int32_t next = tiles->output_channels > 1 ? tiles->output_channel_step : 0;
	const int32_t *const end = layer->bias + tiles->output_channels;
	struct runnel_accumulator_layer pair = *layer; /* its channels 0 and 1 are the pair */

	while (pair.bias < end) {
		struct runnel_conv_2d_sums sums;

		if (tiles->odd_channels && next != 0 && pair.bias + 1 == end) {
			pair.bias--;
			pair.multiplier--;
			pair.shift--;
			output -= next;
		}
		RUNNEL_OPAQUE(pair.bias); /* or compilers compute every address anew from the channel's number */
		sums.first_0 = pair.bias[0];
		sums.first_1 = pair.bias[1];
		if (tiles->bytes_in) {
			pair.weights = runnel_conv_2d_tile_bytes(input, tiles->input_channels, tiles->input_rest,
								 pair.weights, &sums);
		} else if (pixels > 1) {
			sums.second_0 = sums.first_0;
			sums.second_1 = sums.first_1;
			pair.weights = runnel_conv_2d_tile_two(input, pair.weights, words, &sums);
		} else {
			pair.weights = runnel_conv_2d_tile_one(input, pair.weights, words, &sums);
		}
		RUNNEL_OPAQUE_AFTER(pair.multiplier, sums.first_0);
		RUNNEL_OPAQUE_AFTER(pair.shift, sums.first_0);
		RUNNEL_OPAQUE_AFTER(output, sums.first_0);
		runnel_conv_2d_tile_store(tiles, &pair, pixels, 0, sums.first_0, sums.second_0, output);
		output += next;
		runnel_conv_2d_tile_store(tiles, &pair, pixels, 1, sums.first_1, sums.second_1, output);
		output += next;
		pair.bias += 2;
		pair.multiplier += 2;
		pair.shift += 2;
	}
}

RUNNEL_INLINE void runnel_conv_2d_widen_word(uint32_t word, int16_t *columns)
{
	runnel_store_pair(columns, runnel_sxtb16(word));
	runnel_store_pair(columns + 2, runnel_sxtb16_odd(word));
}

/* Widens `taps` int8 into every `step`th four of `columns`: 4 for a pixel alone, 8 in a pair. rest: taps % 4. */
RUNNEL_INLINE void runnel_conv_2d_widen(const int8_t *bytes, int32_t taps, int32_t rest, int32_t step,
					int16_t *columns)
{
	int32_t left = taps;

	RUNNEL_UNROLL(2)
	for (; left >= 4; left -= 4) {
		runnel_conv_2d_widen_word(runnel_load_word(bytes), columns);
		bytes += 4;
		columns += step;
	}
	if (rest > 0) {
		runnel_conv_2d_widen_word(runnel_conv_2d_last_bytes(bytes, rest, taps >= 4), columns);
	}
}

/* The same for both pixels of a pair. rest: taps % 4. */
RUNNEL_INLINE void runnel_conv_2d_widen_two(const int8_t *first, const int8_t *second, int32_t taps, int32_t rest,
					    int16_t *columns)
{
	int32_t left = taps;

	RUNNEL_OPAQUE_AFTER(first, left); /* nothing is worth computing once for all pixels: it would lie on the stack */
	RUNNEL_UNROLL(1)
	for (; left >= 4; left -= 4) {
		runnel_conv_2d_widen_word(runnel_load_word(first), columns);
		runnel_conv_2d_widen_word(runnel_load_word(second), columns + 4);
		first += 4;
		second += 4;
		columns += 8;
	}
	if (rest > 0) {
		runnel_conv_2d_widen_word(runnel_conv_2d_last_bytes(first, rest, taps >= 4), columns);
		runnel_conv_2d_widen_word(runnel_conv_2d_last_bytes(second, rest, taps >= 4), columns + 4);
	}
}

#endif /* RUNNEL_KERNELS_DSP_CONV_2D_TILE_H_ */
