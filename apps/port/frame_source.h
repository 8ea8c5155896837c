/* SPDX-License-Identifier: Apache-2.0 */
/* Where pictures come from: a camera, files of the host, frames in flash. One of them is linked into an app. */
#ifndef FRAME_SOURCE_H_
#define FRAME_SOURCE_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum frame_format {
	FRAME_RGB565_LITTLE_ENDIAN, /* Zephyr's VIDEO_PIX_FMT_RGB565: red in the high bits of the second byte */
	FRAME_RGB565_BIG_ENDIAN,    /* what OV sensors send when nobody swaps bytes */
	FRAME_GREY,                 /* a byte a pixel */
	FRAME_JPEG,                 /* the bytes of a JPEG file; only in apps built with an option for it */
};

/* The bytes of a file in their order. */
struct frame_bytes {
	int32_t (*read)(void *context, uint8_t *destination, uint32_t bytes); /* bytes read; 0 at the end; -1 */
	bool (*rewind)(void *context);                                        /* to the first byte; false: cannot */
	void *context;
};

struct frame {
	const uint8_t *pixels; /* height rows of row_bytes bytes each; nothing of a JPEG */
	uint32_t width;        /* of a JPEG 0: its file says */
	uint32_t height;
	uint32_t row_bytes;
	enum frame_format format;
	struct frame_bytes bytes; /* of a JPEG */
	const char *name; /* a file's name, or NULL */
	void *private_data; /* of the source */
};

/* 0, or a negative number after a message on the console that says what is missing and what to do. */
int frame_source_start(void);

/* Waits for a frame: 1 when there is one, 0 when there are no more (files), negative when the source failed. */
int frame_source_next(struct frame *frame);

/* Gives the frame back. Its pixels are not to be read afterwards. */
void frame_source_release(struct frame *frame);

#ifdef __cplusplus
}
#endif

#endif /* FRAME_SOURCE_H_ */
