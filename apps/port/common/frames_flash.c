/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that lie in flash, each shown once. For boards and simulators without a camera. */
#include "frames_flash.h"

#include "port.h"

static uint32_t next_frame;

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
	return 1;
}

void frame_source_release(struct frame *frame)
{
	(void)frame;
}
