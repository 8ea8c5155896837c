/* SPDX-License-Identifier: Apache-2.0
 *
 * QUANTIZE from float32 to uint8. The output may start at the input's first byte: value i is read before byte i is
 * written, and byte i belongs to a value that comes no later than i.
 */
#ifndef RUNNEL_KERNELS_QUANTIZE_FLOAT32_UINT8_H_
#define RUNNEL_KERNELS_QUANTIZE_FLOAT32_UINT8_H_

#include "runnel/kernels/quantize_float32.h"

struct runnel_quantize_float32_uint8_shape {
	int32_t elements;
};

struct runnel_quantize_float32_uint8_layer {
	const float *scale; /* one value, of the output */
	int32_t zero_point;
};

RUNNEL_INLINE void runnel_quantize_float32_uint8_row(const struct runnel_quantize_float32_uint8_layer *layer,
					       int32_t elements, const float *input, uint8_t *output)
{
	for (int32_t i = 0; i < elements; i++) {
		output[i] = (uint8_t)runnel_quantize_float32(input[i], *layer->scale, layer->zero_point, 0,
						       UINT8_MAX);
	}
}

RUNNEL_INLINE void runnel_quantize_float32_uint8(const struct runnel_quantize_float32_uint8_shape *shape,
					   const struct runnel_quantize_float32_uint8_layer *layer,
					   const float *input, uint8_t *output, void *scratch)
{
	(void)scratch;
	runnel_quantize_float32_uint8_row(layer, shape->elements, input, output);
}

#endif /* RUNNEL_KERNELS_QUANTIZE_FLOAT32_UINT8_H_ */
