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

/* Where of every four channels one lies. */
RUNNEL_INLINE int32_t runnel_columns_order(int32_t channel)
{
	return ((channel & 1) << 1) | ((channel >> 1) & 1);
}

/* Element of a channel of the first pixel of a pair; of the second one it is 4 further. Pair n begins at n * 2 * pitch.
 * pitch: channels, rounded up to a multiple of 4. */
RUNNEL_INLINE int32_t runnel_columns_pair(int32_t channel)
{
	return 2 * (channel & ~3) + runnel_columns_order(channel);
}

/* Element of a channel of the last of `pixels` pixels, an odd number. */
RUNNEL_INLINE int32_t runnel_columns_last(int32_t pitch, int32_t pixels, int32_t channel)
{
	return (pixels - 1) * pitch + (channel & ~3) + runnel_columns_order(channel);
}

/* Element of a channel of any of `pixels` pixels. */
RUNNEL_INLINE int32_t runnel_columns_element(int32_t pitch, int32_t pixels, int32_t pixel, int32_t channel)
{
	if (pixel % 2 == 0 && pixel == pixels - 1) {
		return runnel_columns_last(pitch, pixels, channel);
	}
	return pixel / 2 * 2 * pitch + pixel % 2 * 4 + runnel_columns_pair(channel);
}

#endif /* RUNNEL_KERNELS_COLUMNS_H_ */
