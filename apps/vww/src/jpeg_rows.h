/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JPEG as the input of an image model, row by row. Of the picture there are never more than a few lines, and these
 * are resized already: each MCU is reduced to the model's columns when it is decoded, lines are reduced to the model's
 * rows when a row is asked for. The filter is that of image.h; Y, Cb and Cr are resized apart, each from its own
 * resolution, and become red, green and blue at the end.
 */
#ifndef JPEG_ROWS_H_
#define JPEG_ROWS_H_

#include "image.h"
#include "jpeg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Y, Cb or Cr. */
struct jpeg_plane {
	struct image_axis columns;
	struct image_axis rows;
	uint32_t mcu_width;   /* samples of an MCU */
	uint32_t mcu_height;
	uint32_t kept;        /* samples of the MCU before that the next columns may need */
	uint32_t next_column; /* of the model, in this row of MCUs */
	uint32_t lines;       /* how many lines have been decoded; the last ring_lines of them are in the ring */
	uint32_t ring_lines;
	uint8_t *window;      /* mcu_height lines of kept + mcu_width samples */
	uint8_t *ring;        /* ring_lines lines of columns.count samples: line i at i % ring_lines */
};

struct jpeg_rows {
	struct jpeg jpeg;
	const struct image_input *input;
	struct image_cut cut;
	uint32_t plane_count; /* 1 where colours are not needed */
	struct jpeg_plane planes[JPEG_COMPONENTS];
	uint8_t samples[JPEG_MCU_BYTES];
};

/*
 * Prepares `input` from the JPEG in `bytes`. `memory` is for windows and rings; how much they take depends on the
 * picture's size and goes to `needed`. False after an error, which is in rows->jpeg.error.
 */
bool jpeg_rows_open(struct jpeg_rows *rows, const struct image_input *input, const struct frame_bytes *bytes,
		    uint8_t *memory, uint32_t memory_bytes, uint32_t *needed);

/*
 * `columns` pixels of row `row` of the model's input, from column `x` on. From the top down nothing is decoded twice;
 * rows further up than the last one begin the file anew. False after an error.
 */
bool jpeg_rows_row(struct jpeg_rows *rows, uint32_t row, uint32_t x, uint32_t columns, int8_t *destination);

#ifdef __cplusplus
}
#endif

#endif /* JPEG_ROWS_H_ */
