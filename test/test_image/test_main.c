/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame to the model's input, row by row, on the target. */
#include <string.h>

#include "check.h"
#include "image.h"
#include "person.h"

#define SIDE 80u
#define BYTES (SIDE * SIDE * 3u)

static struct image_input input;
static uint8_t pixels[2u * SIDE * SIDE];
static int8_t filled[BYTES];
static int8_t row[SIDE * 3u];

static struct frame square(uint32_t side, enum frame_format format)
{
	const uint32_t row_bytes = format == FRAME_GREY ? side : 2u * side;
	const struct frame frame = {
		.pixels = pixels, .width = side, .height = side, .row_bytes = row_bytes, .format = format};
	return frame;
}

static void fill(const struct frame *frame)
{
	struct image_view view;
	CHECK(image_view_prepare(&view, &input, frame));
	for (uint32_t y = 0; y < SIDE; ++y) {
		image_row(&view, y, 0, SIDE, filled + y * sizeof(row));
	}
}

static void the_model_takes_images(void)
{
	CHECK(image_input_prepare(&input, &person));
	CHECK(input.width == SIDE && input.height == SIDE && input.channels == 3u);
}

static void grey_of_the_same_size_stays(void)
{
	bool same = true;
	for (uint32_t i = 0; i < SIDE * SIDE; ++i) {
		pixels[i] = (uint8_t)(i * 31u);
	}
	const struct frame frame = square(SIDE, FRAME_GREY);
	fill(&frame);
	for (uint32_t i = 0; i < BYTES; ++i) {
		same = same && filled[i] == input.quantized[i % 3u][pixels[i / 3u]];
	}
	CHECK(same);
}

static void one_colour_stays_one_colour(void)
{
	bool red = true;
	for (uint32_t i = 0; i < sizeof(pixels); i += 2u) {
		pixels[i] = 0x00;
		pixels[i + 1u] = 0xF8; /* RGB565: all of red */
	}
	const struct frame frame = square(33, FRAME_RGB565_LITTLE_ENDIAN);
	fill(&frame);
	for (uint32_t i = 0; i < BYTES; i += 3u) {
		red = red && filled[i] == input.quantized[0][255] && filled[i + 1u] == input.quantized[1][0] &&
		      filled[i + 2u] == input.quantized[2][0];
	}
	CHECK(red);
}

static void byte_orders_agree(void)
{
	static int8_t other[BYTES];
	for (uint32_t i = 0; i < sizeof(pixels); ++i) {
		pixels[i] = (uint8_t)(i * 73u + i / 90u);
	}
	struct frame frame = square(45, FRAME_RGB565_LITTLE_ENDIAN);
	fill(&frame);
	memcpy(other, filled, BYTES);
	for (uint32_t i = 0; i < sizeof(pixels); i += 2u) {
		const uint8_t low = pixels[i];
		pixels[i] = pixels[i + 1u];
		pixels[i + 1u] = low;
	}
	frame.format = FRAME_RGB565_BIG_ENDIAN;
	fill(&frame);
	CHECK(memcmp(other, filled, BYTES) == 0);
}

static void rows_and_parts_come_in_any_order(void)
{
	struct image_view view;
	bool same = true;
	const struct frame frame = square(70, FRAME_RGB565_LITTLE_ENDIAN);
	fill(&frame);
	CHECK(image_view_prepare(&view, &input, &frame));
	for (uint32_t y = SIDE; y-- > 0;) {
		image_row(&view, y, y % SIDE, SIDE - y % SIDE, row + y % SIDE * 3u);
		image_row(&view, y, 0, y % SIDE, row);
		same = same && memcmp(row, filled + y * sizeof(row), sizeof(row)) == 0;
	}
	CHECK(same);
}

static void too_large_a_frame_is_refused(void)
{
	struct image_view view;
	const struct frame frame = square(SIDE * IMAGE_MAXIMUM_TAPS, FRAME_GREY);
	CHECK(!image_view_prepare(&view, &input, &frame));
}

int main(void)
{
	port_start();
	RUN(the_model_takes_images);
	RUN(grey_of_the_same_size_stays);
	RUN(one_colour_stays_one_colour);
	RUN(byte_orders_agree);
	RUN(rows_and_parts_come_in_any_order);
	RUN(too_large_a_frame_is_refused);
	return check_end();
}
