/* SPDX-License-Identifier: Apache-2.0 */
/* A frame as the model's rows, whether it is pixels in memory or a JPEG that is decoded as the model asks for rows. */
#ifndef PICTURE_H_
#define PICTURE_H_

#include <stdbool.h>

#include "image.h"

struct picture {
	const struct frame *frame;
	struct image_view view; /* not of a JPEG */
	uint32_t cycles;        /* that picture_read_row() has taken so far */
};

/* False after a message on the console that says why the frame cannot become the model's input. */
bool picture_open(struct picture *picture, const struct image_input *input, const struct frame *frame);

/* A runnel_read_row; the context is a struct picture. Negative after a message on the console. */
int picture_read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination);

#endif /* PICTURE_H_ */
