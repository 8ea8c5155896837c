/* SPDX-License-Identifier: Apache-2.0 */
#include "feature_ring.h"

#include <stddef.h>
#include <string.h>

void feature_ring_start(struct feature_ring *ring, int8_t *storage, uint32_t rows, uint32_t row_bytes)
{
	*ring = (struct feature_ring){.storage = storage, .rows = rows, .row_bytes = row_bytes};
}

int8_t *feature_ring_next(struct feature_ring *ring)
{
	return ring->storage + (size_t)ring->next * ring->row_bytes;
}

void feature_ring_advance(struct feature_ring *ring)
{
	ring->next = ring->next + 1 < ring->rows ? ring->next + 1 : 0;
}

void feature_ring_copy(const struct feature_ring *ring, int8_t *destination)
{
	const size_t older = (size_t)(ring->rows - ring->next) * ring->row_bytes;
	const size_t newer = (size_t)ring->next * ring->row_bytes;
	memcpy(destination, ring->storage + newer, older);
	memcpy(destination + older, ring->storage, newer);
}
