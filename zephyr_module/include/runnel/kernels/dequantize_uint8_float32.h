/* SPDX-License-Identifier: Apache-2.0
 *
 * DEQUANTIZE from uint8 to float32. The product of a float32 and a 9-bit integer is exact in double, so TensorFlow Lite
 * Micro's detour through double gives what one float32 multiplication gives. Runs from the last value to the first:
 * the output may start at the input's first byte.
 */
#ifndef RUNNEL_KERNELS_DEQUANTIZE_UINT8_FLOAT32_H_
#define RUNNEL_KERNELS_DEQUANTIZE_UINT8_FLOAT32_H_

#include "runnel/kernels/common.h"

struct runnel_dequantize_uint8_float32_shape {
	int32_t elements;
};

struct runnel_dequantize_uint8_float32_layer {
	const float *scale; /* one value, of the input */
	int32_t zero_point;
};

RUNNEL_INLINE void runnel_dequantize_uint8_float32_row(const struct runnel_dequantize_uint8_float32_layer *layer,
						 int32_t elements, const uint8_t *input, float *output)
{
	for (int32_t i = elements - 1; i >= 0; i--) {
		output[i] = *layer->scale * (float)(input[i] - layer->zero_point);
	}
}

RUNNEL_INLINE void runnel_dequantize_uint8_float32(const struct runnel_dequantize_uint8_float32_shape *shape,
					     const struct runnel_dequantize_uint8_float32_layer *layer,
					     const uint8_t *input, float *output, void *scratch)
{
	(void)scratch;
	runnel_dequantize_uint8_float32_row(layer, shape->elements, input, output);
}

#endif /* RUNNEL_KERNELS_DEQUANTIZE_UINT8_FLOAT32_H_ */
