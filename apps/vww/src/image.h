/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A camera's frame as the input of an image model, one row at a time and without a second frame.
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
#include "runnel/runnel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IMAGE_CHANNELS 3u

/* The most pixels of the frame, in a row or a column, that make one pixel of the model. */
#define IMAGE_MAXIMUM_TAPS 32u

/* The model's input, prepared once: sizes, and for each channel what a pixel of 0..255 becomes. */
struct image_input {
	uint32_t width;
	uint32_t height;
	uint32_t channels;              /* 1 (grey) or 3 */
	uint8_t colour[IMAGE_CHANNELS]; /* which of red 0, green 1, blue 2 channel i is */
	int8_t quantized[IMAGE_CHANNELS][256];
};

/* From `length` pixels to `count`: what one axis needs. */
struct image_axis {
	uint32_t length;
	uint32_t count;
	uint32_t height; /* of the triangle, in units of 1 / (2 * count) pixels of the frame */
	uint32_t shift;  /* applied to weights so that products stay within 32 bits */
};

/* A frame seen through the model's eyes. Valid as long as the frame's pixels and the input are. */
struct image_view {
	const struct image_input *input;
	const uint8_t *pixels; /* upper left corner of the cut */
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

/* False when the frame is so small that nothing is left of it, or so large that a pixel has IMAGE_MAXIMUM_TAPS taps. */
bool image_view_prepare(struct image_view *view, const struct image_input *input, const struct frame *frame);

/* Row `row` of the model's input: width * channels values. Rows may be asked for in any order. */
void image_row(const struct image_view *view, uint32_t row, int8_t *destination);

/* All rows. */
void image_fill(const struct image_view *view, int8_t *destination);

#ifdef __cplusplus
}
#endif

#endif /* IMAGE_H_ */
