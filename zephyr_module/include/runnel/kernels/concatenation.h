/* SPDX-License-Identifier: Apache-2.0
 *
 * CONCATENATION: one call for each input, which copies its blocks to their places in the output.
 */
#ifndef RUNNEL_KERNELS_CONCATENATION_H_
#define RUNNEL_KERNELS_CONCATENATION_H_

#include "runnel/kernels/common.h"

struct runnel_concatenation_shape {
	int32_t blocks;
	int32_t block_bytes;
	int32_t output_offset; /* of the first block */
	int32_t output_step;   /* from block to block */
};

struct runnel_concatenation_layer {
	int32_t unused; /* a struct needs a member */
};

RUNNEL_INLINE void runnel_concatenation(const struct runnel_concatenation_shape *shape,
					const struct runnel_concatenation_layer *layer, const int8_t *input,
					int8_t *output, void *scratch)
{
	(void)layer;
	(void)scratch;
	for (int32_t block = 0; block < shape->blocks; block++) {
		memcpy(output + shape->output_offset + block * shape->output_step, input + block * shape->block_bytes,
		       (size_t)shape->block_bytes);
	}
}

#endif /* RUNNEL_KERNELS_CONCATENATION_H_ */
