/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last rows of features, as many as the model sees at once.
 *
 * Running a model destroys its input, so the rows are kept here and copied there, oldest first, before every run.
 */
#ifndef FEATURE_RING_H_
#define FEATURE_RING_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct feature_ring {
	int8_t *storage; /* rows of row_bytes each */
	uint32_t rows;
	uint32_t row_bytes;
	uint32_t next; /* the row that is written next: the oldest one */
};

/* `storage` is rows * row_bytes long, both at least 1, and stays the caller's. */
void feature_ring_start(struct feature_ring *ring, int8_t *storage, uint32_t rows, uint32_t row_bytes);

/* Where the next row goes: write it there, then call feature_ring_advance(). */
int8_t *feature_ring_next(struct feature_ring *ring);
void feature_ring_advance(struct feature_ring *ring);

/* Copies all rows, oldest first: those that were never written are what the storage held at the start. */
void feature_ring_copy(const struct feature_ring *ring, int8_t *destination);

#ifdef __cplusplus
}
#endif

#endif /* FEATURE_RING_H_ */
