/* SPDX-License-Identifier: Apache-2.0
 *
 * int16 columns: what a depthwise convolution hands to the 1x1 convolution after it, so that nobody takes int8 apart.
 *
 * Pixels lie in pairs: channels 0..3 of the first, 0..3 of the second, 4..7 of the first, and so on; each four in the
 * order 0, 2, 1, 3, so that words pair with SXTB16 of int8 weights. The last of an odd number of pixels lies alone.
 */
#ifndef RUNNEL_KERNELS_COLUMNS_H_
#define RUNNEL_KERNELS_COLUMNS_H_

#include "runnel/kernels/common.h"

/* Elements from a channel of the first pixel to the next channel, +2, -1, +2, +5 in turn, as the bytes of a word. */
#define RUNNEL_COLUMNS_STEPS UINT32_C(0x0502ff02)

RUNNEL_INLINE int32_t runnel_columns_step(uint32_t steps)
{
	return (int8_t)(uint8_t)(steps & 0xffu);
}

RUNNEL_INLINE uint32_t runnel_columns_next_step(uint32_t steps)
{
	return (steps >> 8) | (steps << 24);
}

/* Elements from a channel of the first pixel, where that is one of a pair, to the last of `pixels` pixels, an odd
 * number. pitch: channels, rounded up to a multiple of 4. */
RUNNEL_INLINE int32_t runnel_columns_last(int32_t pitch, int32_t pixels, int32_t channel)
{
	return (pixels - 1) * pitch - (channel & ~3);
}

/* The same to any pixel. */
RUNNEL_INLINE int32_t runnel_columns_pixel(int32_t pitch, int32_t pixels, int32_t pixel, int32_t channel)
{
	if (pixel % 2 == 0 && pixel == pixels - 1) {
		return runnel_columns_last(pitch, pixels, channel);
	}
	return pixel / 2 * 2 * pitch + pixel % 2 * 4;
}

#endif /* RUNNEL_KERNELS_COLUMNS_H_ */
