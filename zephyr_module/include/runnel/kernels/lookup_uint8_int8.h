/* SPDX-License-Identifier: Apache-2.0
 *
 * QUANTIZE from uint8 to int8 by table; see lookup.h. The output may start at the input's first byte.
 */
#ifndef RUNNEL_KERNELS_LOOKUP_UINT8_INT8_H_
#define RUNNEL_KERNELS_LOOKUP_UINT8_INT8_H_

#include "runnel/kernels/common.h"

struct runnel_lookup_uint8_int8_shape {
	int32_t elements;
};

struct runnel_lookup_uint8_int8_layer {
	const int8_t *table; /* 256 values, indexed by the input value */
};

RUNNEL_INLINE void runnel_lookup_uint8_int8_row(const struct runnel_lookup_uint8_int8_layer *layer, int32_t elements,
						const uint8_t *input, int8_t *output)
{
	for (int32_t i = 0; i < elements; i++) {
		output[i] = layer->table[input[i]];
	}
}

RUNNEL_INLINE void runnel_lookup_uint8_int8(const struct runnel_lookup_uint8_int8_shape *shape,
					    const struct runnel_lookup_uint8_int8_layer *layer, const uint8_t *input,
					    int8_t *output, void *scratch)
{
	(void)scratch;
	runnel_lookup_uint8_int8_row(layer, shape->elements, input, output);
}

#endif /* RUNNEL_KERNELS_LOOKUP_UINT8_INT8_H_ */
