/* SPDX-License-Identifier: Apache-2.0 */
#include "jpeg_rows.h"

#include <string.h>

/* 2^16 times what Cr adds to red, Cb and Cr take from green, and Cb adds to blue (JFIF). */
#define RED_CR 91881
#define GREEN_CB 22554
#define GREEN_CR 46802
#define BLUE_CB 116130
#define HALF (1 << 15)

static void prepare_plane(struct jpeg_rows *rows, uint32_t index)
{
	const struct jpeg_component *y = &rows->jpeg.component[0];
	const struct jpeg_component *component = &rows->jpeg.component[index];
	const struct image_cut *cut = &rows->cut;
	struct jpeg_plane *plane = &rows->planes[index];
	const uint32_t step_x = (uint32_t)y->across / component->across;
	const uint32_t step_y = (uint32_t)y->down / component->down;

	plane->columns = image_axis_make(cut->left, cut->width, rows->input->width, step_x);
	plane->rows = image_axis_make(cut->top, cut->height, rows->input->height, step_y);
	plane->mcu_width = JPEG_BLOCK_SIDE * component->across;
	plane->mcu_height = JPEG_BLOCK_SIDE * component->down;
	plane->kept = image_axis_most_taps(&plane->columns) - 1u;
	plane->ring_lines = plane->mcu_height + image_axis_most_taps(&plane->rows);
	plane->next_column = 0;
	plane->lines = 0;
}

bool jpeg_rows_open(struct jpeg_rows *rows, const struct image_input *input, const struct frame_bytes *bytes,
		    uint8_t *memory, uint32_t memory_bytes, uint32_t *needed)
{
	*needed = 0;
	rows->input = input;
	if (!jpeg_open(&rows->jpeg, bytes)) {
		return false;
	}
	if (!image_cut(&rows->cut, input, rows->jpeg.width, rows->jpeg.height)) {
		jpeg_fail(&rows->jpeg, JPEG_SIZE);
		return false;
	}
	rows->plane_count = input->channels == 1u ? 1u : rows->jpeg.component_count;
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		struct jpeg_plane *plane = &rows->planes[i];
		prepare_plane(rows, i);
		plane->window = memory + *needed;
		*needed += plane->mcu_height * (plane->kept + plane->mcu_width);
		plane->ring = memory + *needed;
		*needed += plane->ring_lines * plane->columns.count;
		if (*needed > memory_bytes) { /* goes on to add up what it would take */
			jpeg_fail(&rows->jpeg, JPEG_MEMORY);
			plane->window = memory;
			plane->ring = memory;
		}
	}
	return rows->jpeg.error == JPEG_OK;
}

/* To the nearest. */
static uint32_t weighted(uint32_t sum, uint32_t weights)
{
	return (sum + weights / 2u) / weights;
}

/* One column of the model, in all lines of the row of MCUs. `first` is where in the window its taps begin. */
static void write_column(struct jpeg_plane *plane, const struct image_taps *taps, uint32_t first)
{
	const uint32_t window_width = plane->kept + plane->mcu_width;
	for (uint32_t line = 0; line < plane->mcu_height; ++line) {
		const uint8_t *samples = plane->window + line * window_width + first;
		uint32_t sum = 0;
		for (uint32_t i = 0; i < taps->count; ++i) {
			sum += (uint32_t)taps->weight[i] * samples[i];
		}
		const uint32_t slot = (plane->lines + line) % plane->ring_lines;
		plane->ring[slot * plane->columns.count + plane->next_column] = (uint8_t)weighted(sum, taps->sum);
	}
}

/* Takes over the samples of MCU `mcu` of a row of MCUs and makes all columns whose last sample is among them. */
static void add_mcu(struct jpeg_plane *plane, uint32_t mcu, const uint8_t *samples)
{
	const uint32_t window_width = plane->kept + plane->mcu_width;
	const uint32_t end = (mcu + 1u) * plane->mcu_width;
	struct image_taps taps;
	for (uint32_t line = 0; line < plane->mcu_height; ++line) {
		uint8_t *window = plane->window + line * window_width;
		(void)memmove(window, window + plane->mcu_width, plane->kept);
		(void)memcpy(window + plane->kept, samples + line * plane->mcu_width, plane->mcu_width);
	}
	for (; plane->next_column < plane->columns.count; ++plane->next_column) {
		image_axis_taps(&plane->columns, plane->next_column, &taps);
		if (taps.first + taps.count > end) {
			return;
		}
		write_column(plane, &taps, taps.first + window_width - end);
	}
}

/* Whether MCU `mcu` across or down, `size` pixels each, has pixels of the cut. */
static bool inside(uint32_t mcu, uint32_t size, uint32_t start, uint32_t length)
{
	return (mcu + 1u) * size > start && mcu * size < start + length;
}

/* All MCUs of the next row of them. Those outside the cut are decoded only as far as the next ones depend on them. */
static bool decode_lines(struct jpeg_rows *rows)
{
	const struct image_cut *cut = &rows->cut;
	const struct jpeg_plane *y = &rows->planes[0];
	const bool needed = inside(y->lines / y->mcu_height, y->mcu_height, cut->top, cut->height);
	if (y->lines == rows->jpeg.mcus_down * y->mcu_height) {
		jpeg_fail(&rows->jpeg, JPEG_ENDS_EARLY);
		return false;
	}
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		rows->planes[i].next_column = 0;
	}
	for (uint32_t mcu = 0; mcu < rows->jpeg.mcus_across; ++mcu) {
		const bool wanted = needed && inside(mcu, y->mcu_width, cut->left, cut->width);
		const uint8_t *samples = rows->samples;
		if (!jpeg_mcu(&rows->jpeg, wanted ? rows->plane_count : 0u, rows->samples)) {
			return false;
		}
		for (uint32_t i = 0; i < rows->plane_count && wanted; ++i) {
			struct jpeg_plane *plane = &rows->planes[i];
			add_mcu(plane, mcu, samples);
			samples += plane->mcu_width * plane->mcu_height;
		}
	}
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		rows->planes[i].lines += rows->planes[i].mcu_height;
	}
	return true;
}

static bool begin_anew(struct jpeg_rows *rows)
{
	const struct frame_bytes bytes = rows->jpeg.bytes;
	if (!bytes.rewind(bytes.context)) {
		jpeg_fail(&rows->jpeg, JPEG_UNREADABLE);
		return false;
	}
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		rows->planes[i].lines = 0;
	}
	return jpeg_open(&rows->jpeg, &bytes);
}

/* Decodes until the lines of row `row` are in the rings; their weights go to `taps`. */
static bool find_lines(struct jpeg_rows *rows, uint32_t row, struct image_taps *taps)
{
	bool gone = false;
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		image_axis_taps(&rows->planes[i].rows, row, &taps[i]);
		gone = gone || taps[i].first + rows->planes[i].ring_lines < rows->planes[i].lines;
	}
	if (gone && !begin_anew(rows)) {
		return false;
	}
	for (uint32_t i = 0; i < rows->plane_count; ++i) {
		while (rows->planes[i].lines < taps[i].first + taps[i].count) {
			if (!decode_lines(rows)) {
				return false;
			}
		}
	}
	return rows->jpeg.error == JPEG_OK;
}

static uint32_t sum_lines(const struct jpeg_plane *plane, const struct image_taps *taps, uint32_t column)
{
	uint32_t sum = 0;
	uint32_t slot = taps->first % plane->ring_lines;
	for (uint32_t i = 0; i < taps->count; ++i) {
		sum += (uint32_t)taps->weight[i] * plane->ring[slot * plane->columns.count + column];
		slot = slot + 1u == plane->ring_lines ? 0 : slot + 1u;
	}
	return weighted(sum, taps->sum);
}

static uint32_t clamp(int32_t value)
{
	return value < 0 ? 0u : value > 255 ? 255u : (uint32_t)value;
}

bool jpeg_rows_row(struct jpeg_rows *rows, uint32_t row, uint32_t x, uint32_t columns, int8_t *destination)
{
	struct image_taps taps[JPEG_COMPONENTS];
	if (!find_lines(rows, row, taps)) {
		return false;
	}
	for (uint32_t column = x; column < x + columns; ++column) {
		const uint32_t y = sum_lines(&rows->planes[0], &taps[0], column);
		uint32_t colours[IMAGE_CHANNELS] = {y, y, y};
		if (rows->plane_count == JPEG_COMPONENTS) {
			const int32_t luma = (int32_t)y * (1 << 16) + HALF;
			const int32_t cb = (int32_t)sum_lines(&rows->planes[1], &taps[1], column) - 128;
			const int32_t cr = (int32_t)sum_lines(&rows->planes[2], &taps[2], column) - 128;
			colours[0] = clamp((luma + RED_CR * cr) >> 16);
			colours[1] = clamp((luma - GREEN_CB * cb - GREEN_CR * cr) >> 16);
			colours[2] = clamp((luma + BLUE_CB * cb) >> 16);
		}
		image_write_pixel(rows->input, colours, destination);
		destination += rows->input->channels;
	}
	return true;
}
