/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the weights come from. The centre of pixel x of the model lies at start + (2 x + 1) length / (2 count) pixels
 * of the picture, that of sample i at (2 i + 1) step / 2. In units of 1 / (2 count) their distance is the whole number
 * |(2 i + 1) step count - (2 x + 1) length - 2 start count|, and the triangle is 2 max(length, step count) high and
 * wide (to either side).
 */
#include "image_axis.h"

/*
 * Sums of weights stay below 512, for 255 * 31 * 512^2 is less than 2^32. What is aimed at is less: the sum of a few
 * weights is up to an eighth more than the triangle's area.
 */
#define WEIGHT_SUM_LIMIT 450u

struct image_axis image_axis_make(uint32_t start, uint32_t length, uint32_t count, uint32_t step)
{
	struct image_axis axis = {.start = start, .length = length, .count = count, .step = step, .shift = 0};
	const uint32_t widest = length > step * count ? length : step * count;
	axis.height = 2u * widest;
	/* The weights of one pixel sum up to about the triangle's area over the distance of samples. */
	const uint32_t sum = axis.height / (2u * step) * axis.height / count;
	while ((sum >> axis.shift) > WEIGHT_SUM_LIMIT) {
		++axis.shift;
	}
	return axis;
}

void image_axis_taps(const struct image_axis *axis, uint32_t index, struct image_taps *taps)
{
	const int32_t pitch = (int32_t)(2u * axis->step * axis->count);
	const int32_t height = (int32_t)axis->height;
	const int32_t centre = (int32_t)((2u * index + 1u) * axis->length + 2u * axis->start * axis->count);
	const int32_t least = (int32_t)(axis->start / axis->step);
	const int32_t end = (int32_t)((axis->start + axis->length + axis->step - 1u) / axis->step);
	/* The first i whose distance i * pitch + pitch / 2 - centre is above -height. */
	const int32_t before = centre - height - pitch / 2;
	int32_t first = before < 0 ? 0 : before / pitch + 1;
	first = first < least ? least : first;
	taps->first = (uint32_t)first;
	taps->count = 0;
	taps->sum = 0;
	for (int32_t i = first; i < end && taps->count < IMAGE_MAXIMUM_TAPS; ++i) {
		const int32_t distance = i * pitch + pitch / 2 - centre;
		const int32_t weight = height - (distance < 0 ? -distance : distance);
		if (weight <= 0) {
			break;
		}
		taps->weight[taps->count] = (uint16_t)((uint32_t)weight >> axis->shift);
		taps->sum += taps->weight[taps->count];
		++taps->count;
	}
}

uint32_t image_axis_most_taps(const struct image_axis *axis)
{
	/* Samples lie 2 * step * count apart, the triangle reaches `height` to either side. */
	const uint32_t taps = axis->height / (axis->step * axis->count) + 1u;
	return taps < IMAGE_MAXIMUM_TAPS ? taps : IMAGE_MAXIMUM_TAPS;
}
