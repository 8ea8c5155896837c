/* SPDX-License-Identifier: Apache-2.0
 *
 * PAD, portable C. The generator merges dimensions, so that at most four remain, the innermost last.
 */
#ifndef RUNNEL_KERNELS_PAD_H_
#define RUNNEL_KERNELS_PAD_H_

#include "runnel/kernels/common.h"

struct runnel_pad_shape {
	int32_t input_0;
	int32_t input_1;
	int32_t input_2;
	int32_t input_3;
	/* elements added before and after along a dimension */
	int32_t before_0;
	int32_t before_1;
	int32_t before_2;
	int32_t before_3;
	int32_t after_0;
	int32_t after_1;
	int32_t after_2;
	int32_t after_3;
};

struct runnel_pad_layer {
	int32_t value;
};

/* One run along the innermost dimension; `input` is NULL where all of it is padding. Returns the end of the output. */
RUNNEL_INLINE int8_t *runnel_pad_row(const struct runnel_pad_shape *shape, const struct runnel_pad_layer *layer,
				     const int8_t *input, int8_t *output)
{
	const int32_t row = shape->before_3 + shape->input_3 + shape->after_3;

	memset(output, layer->value, (size_t)row);
	if (input != NULL) {
		memcpy(output + shape->before_3, input, (size_t)shape->input_3);
	}
	return output + row;
}

RUNNEL_INLINE int runnel_pad_inside(int32_t index, int32_t before, int32_t input)
{
	return index >= before && index < before + input;
}

RUNNEL_INLINE void runnel_pad(const struct runnel_pad_shape *shape, const struct runnel_pad_layer *layer,
			      const int8_t *input, int8_t *output, void *scratch)
{
	(void)scratch;
	for (int32_t i = 0; i < shape->before_0 + shape->input_0 + shape->after_0; i++) {
		for (int32_t j = 0; j < shape->before_1 + shape->input_1 + shape->after_1; j++) {
			for (int32_t k = 0; k < shape->before_2 + shape->input_2 + shape->after_2; k++) {
				const int inside = runnel_pad_inside(i, shape->before_0, shape->input_0) &&
						   runnel_pad_inside(j, shape->before_1, shape->input_1) &&
						   runnel_pad_inside(k, shape->before_2, shape->input_2);

				output = runnel_pad_row(shape, layer, inside ? input : NULL, output);
				input += inside ? shape->input_3 : 0;
			}
		}
	}
}

#endif /* RUNNEL_KERNELS_PAD_H_ */
