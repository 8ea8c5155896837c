/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that lie in flash, each shown once. For boards and simulators without a camera. */
#include "frames_flash.h"

#include <string.h>

#include "port.h"

static uint32_t next_frame;

/* Of a JPEG: frames_flash.h. */
static const struct frame *jpeg;
static uint32_t position;

static int32_t read_jpeg(void *context, uint8_t *destination, uint32_t bytes)
{
	(void)context;
	const uint32_t left = jpeg->row_bytes - position;
	const uint32_t count = bytes < left ? bytes : left;
	(void)memcpy(destination, jpeg->pixels + position, count);
	position += count;
	return (int32_t)count;
}

static bool rewind_jpeg(void *context)
{
	(void)context;
	position = 0;
	return true;
}

int frame_source_start(void)
{
	next_frame = 0;
	port_print("frames: no camera here; showing %u pictures in flash (apps/vww/README.md: how to connect one)\n",
		   (unsigned int)frames_flash_count);
	return 0;
}

int frame_source_next(struct frame *frame)
{
	if (next_frame == frames_flash_count) {
		return 0;
	}
	*frame = frames_flash[next_frame++];
	if (frame->format == FRAME_JPEG) {
		jpeg = &frames_flash[next_frame - 1u];
		position = 0;
		frame->bytes = (struct frame_bytes){.read = read_jpeg, .rewind = rewind_jpeg};
	}
	return 1;
}

void frame_source_release(struct frame *frame)
{
	(void)frame;
}
