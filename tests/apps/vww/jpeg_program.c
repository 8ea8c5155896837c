/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps/vww/src/jpeg_rows.c as a filter, for tests: FILE WIDTH HEIGHT CHANNELS MEMORY_BYTES CHUNK [PARTS]
 * Writes the rows of the model's input (the pixel less 128) to stdout; what is wrong, and the bytes of memory that the
 * picture needs, to stderr. CHUNK is the most bytes that the file gives at once. With PARTS rows are asked for in so
 * many vertical strips, one after the other, from the top down each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg_rows.h"

static uint32_t chunk;
static uint32_t rewinds;

static int32_t read_file(void *context, uint8_t *destination, uint32_t bytes)
{
	return (int32_t)fread(destination, 1, bytes < chunk ? bytes : chunk, context);
}

static bool rewind_file(void *context)
{
	++rewinds;
	rewind(context);
	return true;
}

static struct image_input make_input(uint32_t width, uint32_t height, uint32_t channels)
{
	struct image_input input = {.width = width, .height = height, .channels = channels, .colour = {0, 1, 2}};
	for (int32_t i = 0; i < 256; ++i) {
		input.quantized[0][i] = input.quantized[1][i] = input.quantized[2][i] = (int8_t)(i - 128);
	}
	return input;
}

static bool convert(struct jpeg_rows *rows, uint32_t parts, int8_t *output)
{
	const uint32_t width = rows->input->width;
	const uint32_t channels = rows->input->channels;
	for (uint32_t part = 0; part < parts; ++part) {
		const uint32_t x = part * width / parts;
		const uint32_t columns = (part + 1u) * width / parts - x;
		int8_t *values = malloc(columns * channels); /* of its own: a sanitizer sees a write beyond it */
		for (uint32_t y = 0; y < rows->input->height; ++y) {
			if (!jpeg_rows_row(rows, y, x, columns, values)) {
				free(values);
				return false;
			}
			memcpy(output + (y * width + x) * channels, values, columns * channels);
		}
		free(values);
	}
	return true;
}

int main(int count, char **words)
{
	FILE *file = fopen(words[1], "rb");
	const struct image_input input =
		make_input((uint32_t)atoi(words[2]), (uint32_t)atoi(words[3]), (uint32_t)atoi(words[4]));
	const uint32_t memory_bytes = (uint32_t)atoi(words[5]);
	const size_t bytes = (size_t)input.width * input.height * input.channels;
	uint8_t *memory = malloc(memory_bytes);
	int8_t *output = malloc(bytes);
	static struct jpeg_rows rows;
	chunk = (uint32_t)atoi(words[6]);
	const struct frame_bytes source = {.read = read_file, .rewind = rewind_file, .context = file};
	uint32_t needed = 0;
	const bool right = jpeg_rows_open(&rows, &input, &source, memory, memory_bytes, &needed) &&
			   convert(&rows, count > 7 ? (uint32_t)atoi(words[7]) : 1u, output);
	fprintf(stderr, "needed: %u, rewinds: %u, struct: %u\n", needed, rewinds, (unsigned int)sizeof(rows));
	if (right) {
		fwrite(output, 1, bytes, stdout);
	} else {
		fprintf(stderr, "picture.jpg %s\n", jpeg_message(rows.jpeg.error));
	}
	free(memory);
	free(output);
	fclose(file);
	return right ? 0 : 1;
}
