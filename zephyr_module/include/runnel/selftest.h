/* SPDX-License-Identifier: Apache-2.0
 *
 * What <model>_selftest() needs: a pseudo-random input that takes no flash, and the CRC-32 of what each layer gives.
 */
#ifndef RUNNEL_SELFTEST_H_
#define RUNNEL_SELFTEST_H_

#include <stddef.h>
#include <stdint.h>

#define RUNNEL_SELFTEST_SEED UINT32_C(0x52756e6c)

/* Marsaglia's xorshift32. */
static inline uint32_t runnel_selftest_next(uint32_t state)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static inline uint32_t runnel_selftest_fill_int8(uint32_t state, int8_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		state = runnel_selftest_next(state);
		values[i] = (int8_t)((int32_t)(state >> 24) - 128);
	}
	return state;
}

static inline uint32_t runnel_selftest_fill_uint8(uint32_t state, uint8_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		state = runnel_selftest_next(state);
		values[i] = (uint8_t)(state >> 24);
	}
	return state;
}

/* The same values row by row, for models that ask for rows: start with state 0 and row 0. Rows come from top to bottom;
 * one above the last starts again from the top. */
struct runnel_selftest_rows {
	uint32_t state; /* before row `row`; 0 stands for the seed */
	int32_t row;
	int32_t row_elements;
	int32_t pixel_elements;
};

/* A runnel_read_row. */
static inline int runnel_selftest_read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	struct runnel_selftest_rows *rows = (struct runnel_selftest_rows *)context;
	int8_t *values = (int8_t *)destination;
	const int32_t first = x * rows->pixel_elements;
	const int32_t end = first + columns * rows->pixel_elements;
	uint32_t state;

	if (y < rows->row || rows->state == 0) {
		rows->state = RUNNEL_SELFTEST_SEED;
		rows->row = 0;
	}
	for (; rows->row < y; rows->row++) {
		for (int32_t i = 0; i < rows->row_elements; i++) {
			rows->state = runnel_selftest_next(rows->state);
		}
	}
	state = rows->state;
	for (int32_t i = 0; i < end; i++) {
		state = runnel_selftest_next(state);
		if (i >= first) {
			values[i - first] = (int8_t)((int32_t)(state >> 24) - 128);
		}
	}
	return 0;
}

/* Multiples of 1/128 in [-1, 1): exact in float32. */
static inline uint32_t runnel_selftest_fill_float32(uint32_t state, float *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		state = runnel_selftest_next(state);
		values[i] = (float)((int32_t)(state >> 24) - 128) * 0.0078125f;
	}
	return state;
}

/* CRC-32 (IEEE 802.3, reflected); start with 0, chain by passing the last result. */
#ifdef __GNUC__
__attribute__((noinline, unused)) static /* called once for each layer */
#else
static inline
#endif
uint32_t runnel_selftest_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
	crc = ~crc;
	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc >> 1) ^ (UINT32_C(0xedb88320) & (0u - (crc & 1u)));
		}
	}
	return ~crc;
}

/* The same, or nothing where `crc` is NULL. */
static inline void runnel_selftest_add(uint32_t *crc, const uint8_t *bytes, size_t count)
{
	if (crc != NULL) {
		*crc = runnel_selftest_crc32(*crc, bytes, count);
	}
}

#endif /* RUNNEL_SELFTEST_H_ */
