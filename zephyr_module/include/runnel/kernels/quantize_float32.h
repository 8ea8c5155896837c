/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of QUANTIZE from float32; see quantize_float32_int8.h and quantize_float32_uint8.h.
 */
#ifndef RUNNEL_KERNELS_QUANTIZE_FLOAT32_H_
#define RUNNEL_KERNELS_QUANTIZE_FLOAT32_H_

#include "runnel/kernels/common.h"

/* More than any 8-bit value is away from any zero point, and far below 2^23, where floats have no fraction. */
#define RUNNEL_QUANTIZE_LIMIT 1024.0f

/* round(value / scale) + zero_point, halves away from zero, clamped to low..high; not a number gives low.
 *
 * TensorFlow Lite Micro converts out-of-range quotients with undefined behaviour; here they saturate.
 */
RUNNEL_INLINE int32_t runnel_quantize_float32(float value, float scale, int32_t zero_point, int32_t low, int32_t high)
{
	float quotient = value / scale;
	float fraction;
	int32_t whole;

	if (!(quotient > -RUNNEL_QUANTIZE_LIMIT)) {
		return low;
	}
	quotient = quotient < RUNNEL_QUANTIZE_LIMIT ? quotient : RUNNEL_QUANTIZE_LIMIT;
	whole = (int32_t)quotient;
	fraction = quotient - (float)whole;
	whole += fraction >= 0.5f ? 1 : 0;
	whole -= fraction <= -0.5f ? 1 : 0;
	return runnel_clamp(whole + zero_point, low, high);
}

#endif /* RUNNEL_KERNELS_QUANTIZE_FLOAT32_H_ */
