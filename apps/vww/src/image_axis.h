/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weights of a resize with a triangle filter, in one direction and in whole numbers: which samples of a picture
 * make one pixel of the model, and how much each counts.
 */
#ifndef IMAGE_AXIS_H_
#define IMAGE_AXIS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most samples of the picture, in a row or a column, that make one pixel of the model. */
#define IMAGE_MAXIMUM_TAPS 32u

/* The largest reduction for which that is enough. */
#define IMAGE_MAXIMUM_REDUCTION (IMAGE_MAXIMUM_TAPS / 2u - 1u)

/* `length` pixels of a picture from pixel `start` on become `count` pixels of the model. */
struct image_axis {
	uint32_t start;
	uint32_t length;
	uint32_t count;
	uint32_t step;   /* pixels between samples: 1, or 2 for a JPEG's colours, which are half as wide */
	uint32_t height; /* of the triangle, in units of 1 / (2 * count) pixels of the picture */
	uint32_t shift;  /* applied to weights so that products stay within 32 bits */
};

/* The samples of one pixel of the model. */
struct image_taps {
	uint32_t first;
	uint32_t count;
	uint32_t sum;
	uint16_t weight[IMAGE_MAXIMUM_TAPS];
};

struct image_axis image_axis_make(uint32_t start, uint32_t length, uint32_t count, uint32_t step);

/* The taps of pixel `index` of the model. At the edges of the cut there are fewer of them. */
void image_axis_taps(const struct image_axis *axis, uint32_t index, struct image_taps *taps);

/* The most taps that a pixel has. */
uint32_t image_axis_most_taps(const struct image_axis *axis);

#ifdef __cplusplus
}
#endif

#endif /* IMAGE_AXIS_H_ */
