/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps/vww/src/image.c as a filter, for tests. Reads records from stdin until it ends:
 *   int32   frame width, height, row bytes, format; model width, height, channels, 1 for BGR, zero point
 *   float   mean[3], std[3], scale
 *   pixels  row bytes * height
 * and writes for each a byte (1: it can be done) and the rows of the model's input, the last row first. Each row is
 * asked for in two parts, the right one first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct record {
	int32_t width, height, row_bytes, format;
	int32_t model_width, model_height, channels, bgr, zero_point;
	float mean[3], std[3], scale;
};

static void read_all(void *memory, size_t bytes)
{
	if (fread(memory, 1, bytes, stdin) != bytes) {
		exit(2);
	}
}

static struct image_input make_input(const struct record *record)
{
	const struct runnel_edge edge = {
		.type = RUNNEL_INT8,
		.rank = 4,
		.dimensions = {1, record->model_height, record->model_width, record->channels},
		.scale = record->scale,
		.zero_point = record->zero_point,
	};
	struct runnel_model model = {.inputs = &edge, .input_count = 1};
	model.preprocessing.colour_order = record->bgr ? "bgr" : "rgb";
	memcpy(model.preprocessing.mean, record->mean, sizeof(record->mean));
	memcpy(model.preprocessing.std, record->std, sizeof(record->std));
	struct image_input input;
	if (!image_input_prepare(&input, &model)) {
		exit(3);
	}
	return input;
}

static void convert(const struct record *record, const uint8_t *pixels)
{
	const struct image_input input = make_input(record);
	const struct frame frame = {
		.pixels = pixels,
		.width = (uint32_t)record->width,
		.height = (uint32_t)record->height,
		.row_bytes = (uint32_t)record->row_bytes,
		.format = (enum frame_format)record->format,
	};
	struct image_view view;
	const bool possible = image_view_prepare(&view, &input, &frame);
	putchar(possible ? 1 : 0);
	if (!possible) {
		return;
	}
	for (uint32_t row = input.height; row-- > 0;) {
		const uint32_t left = row % (input.width + 1u);
		/* Each of its own: a sanitizer sees a write beyond it. */
		int8_t *values[2] = {malloc(left * input.channels), malloc((input.width - left) * input.channels)};
		image_row(&view, row, left, input.width - left, values[1]);
		image_row(&view, row, 0, left, values[0]);
		fwrite(values[0], 1, left * input.channels, stdout);
		fwrite(values[1], 1, (input.width - left) * input.channels, stdout);
		free(values[0]);
		free(values[1]);
	}
}

int main(void)
{
	struct record record;
	while (fread(&record, sizeof(record), 1, stdin) == 1) {
		const size_t bytes = (size_t)record.row_bytes * (size_t)record.height;
		uint8_t *pixels = malloc(bytes + 1);
		read_all(pixels, bytes);
		uint8_t *exact = realloc(pixels, bytes ? bytes : 1);
		convert(&record, exact);
		free(exact);
	}
	return 0;
}
