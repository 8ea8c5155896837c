/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A camera's frame as the input of an image model, a row or a part of one at a time and without a second frame.
 *
 * The frame is cut at its centre to the aspect ratio of the model and resized with a triangle filter as wide as the
 * pixels of the model (bilinear where they are smaller than the frame's): the antialiased bilinear resize that image
 * libraries use and models are trained with. Weights are whole numbers, so the answer is exact and the same everywhere.
 */
#ifndef IMAGE_H_
#define IMAGE_H_

#include <stdbool.h>
#include <stdint.h>

#include "frame_source.h"
#include "image_axis.h"
#include "runnel/runnel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IMAGE_CHANNELS 3u

/* The model's input, prepared once: sizes, and for each channel what a pixel of 0..255 becomes. */
struct image_input {
	uint32_t width;
	uint32_t height;
	uint32_t channels;              /* 1 (grey) or 3 */
	uint8_t colour[IMAGE_CHANNELS]; /* which of red 0, green 1, blue 2 channel i is */
	int8_t quantized[IMAGE_CHANNELS][256];
};

/* The largest rectangle in the middle of a picture that has the model's aspect ratio: one side is the picture's own. */
struct image_cut {
	uint32_t left;
	uint32_t top;
	uint32_t width;
	uint32_t height;
};

/* A frame seen through the model's eyes. Valid as long as the frame's pixels and the input are. */
struct image_view {
	const struct image_input *input;
	const uint8_t *pixels;
	uint32_t row_bytes;
	enum frame_format format;
	struct image_axis columns;
	struct image_axis rows;
};

/*
 * Prepares the first input of a model. False when it is no image of 1 or 3 channels in int8.
 * Uses floating point; image_row() does not.
 */
bool image_input_prepare(struct image_input *input, const struct runnel_model *model);

/* False when a picture is so small that nothing is left of it, or more than IMAGE_MAXIMUM_REDUCTION times as large. */
bool image_cut(struct image_cut *cut, const struct image_input *input, uint32_t width, uint32_t height);

/* False where image_cut() is. */
bool image_view_prepare(struct image_view *view, const struct image_input *input, const struct frame *frame);

/* `columns` pixels of row `row` of the model's input, from column `x` on. They may be asked for in any order. */
void image_row(const struct image_view *view, uint32_t row, uint32_t x, uint32_t columns, int8_t *destination);

/* One pixel of the model's input from red, green and blue of 0..255. */
void image_write_pixel(const struct image_input *input, const uint32_t *colours, int8_t *destination);

#ifdef __cplusplus
}
#endif

#endif /* IMAGE_H_ */
