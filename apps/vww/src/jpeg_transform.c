/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inverse DCT after Loeffler, Ligtenberg and Moschytz (1989): 12 multiplications for 8 values, in fixed point with 13
 * bits, first the columns (2 bits of fraction kept), then the rows. The accurate method of most decoders ("islow").
 */
#include "jpeg.h"

#define BITS 13
#define KEPT_BITS 2 /* between columns and rows */
#define SCALE_BITS 3 /* each direction makes values sqrt(8) times as large */
#define LARGEST_BETWEEN 16383 /* beyond what pictures have; keeps the sums of damaged files within 32 bits */

/* value * 2^13 of cosines and their sums. */
#define C0_298 2446
#define C0_390 3196
#define C0_541 4433
#define C0_765 6270
#define C0_899 7373
#define C1_175 9633
#define C1_501 12299
#define C1_847 15137
#define C1_961 16069
#define C2_053 16819
#define C2_562 20995
#define C3_072 25172

/* One direction: `out` is 2^13 sqrt(8) times the transform of the 8 values `in`, `step` apart. */
static void transform_8(const int32_t *in, uint32_t step, int32_t *out)
{
	const int32_t in2 = in[2u * step];
	const int32_t in6 = in[6u * step];
	const int32_t both = (in2 + in6) * C0_541;
	const int32_t low = both - in6 * C1_847;
	const int32_t high = both + in2 * C0_765;
	const int32_t sum = (in[0] + in[4u * step]) * (1 << BITS);
	const int32_t difference = (in[0] - in[4u * step]) * (1 << BITS);
	const int32_t even[4] = {sum + high, difference + low, difference - low, sum - high};

	const int32_t in1 = in[step];
	const int32_t in3 = in[3u * step];
	const int32_t in5 = in[5u * step];
	const int32_t in7 = in[7u * step];
	const int32_t z1 = -(in7 + in1) * C0_899;
	const int32_t z2 = -(in5 + in3) * C2_562;
	const int32_t z5 = (in7 + in3 + in5 + in1) * C1_175;
	const int32_t z3 = z5 - (in7 + in3) * C1_961;
	const int32_t z4 = z5 - (in5 + in1) * C0_390;
	const int32_t odd[4] = {
		in1 * C1_501 + z1 + z4,
		in3 * C3_072 + z2 + z3,
		in5 * C2_053 + z2 + z4,
		in7 * C0_298 + z1 + z3,
	};
	for (uint32_t i = 0; i < 4u; ++i) {
		out[i] = even[i] + odd[i];
		out[7u - i] = even[i] - odd[i];
	}
}

static int32_t clamp(int32_t value, int32_t least, int32_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* To the nearest, halves up. */
static int32_t shift_right(int32_t value, int32_t bits)
{
	return (value + (1 << (bits - 1))) >> bits;
}

/* Most columns of a photo: the transform of the first value is that value, everywhere. */
static bool only_the_first(const int32_t *column)
{
	int32_t others = 0;
	for (uint32_t row = 1; row < JPEG_BLOCK_SIDE; ++row) {
		others |= column[row * JPEG_BLOCK_SIDE];
	}
	return others == 0;
}

void jpeg_transform(int32_t *values, uint8_t *samples, uint32_t row_bytes)
{
	int32_t out[JPEG_BLOCK_SIDE];
	for (uint32_t column = 0; column < JPEG_BLOCK_SIDE; ++column) {
		if (only_the_first(values + column)) {
			const int32_t value = values[column] * (1 << KEPT_BITS);
			for (uint32_t row = 0; row < JPEG_BLOCK_SIDE; ++row) {
				values[row * JPEG_BLOCK_SIDE + column] = value;
			}
			continue;
		}
		transform_8(values + column, JPEG_BLOCK_SIDE, out);
		for (uint32_t row = 0; row < JPEG_BLOCK_SIDE; ++row) {
			values[row * JPEG_BLOCK_SIDE + column] =
				clamp(shift_right(out[row], BITS - KEPT_BITS), -LARGEST_BETWEEN, LARGEST_BETWEEN);
		}
	}
	for (uint32_t row = 0; row < JPEG_BLOCK_SIDE; ++row) {
		transform_8(values + row * JPEG_BLOCK_SIDE, 1u, out);
		for (uint32_t column = 0; column < JPEG_BLOCK_SIDE; ++column) {
			const int32_t sample = shift_right(out[column], BITS + KEPT_BITS + SCALE_BITS) + 128;
			samples[row * row_bytes + column] = (uint8_t)clamp(sample, 0, 255);
		}
	}
}
