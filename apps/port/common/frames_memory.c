/* SPDX-License-Identifier: Apache-2.0 */
#include "frames_memory.h"

#include <stddef.h>

#include "frame_source.h"
#include "port.h"

#ifndef FRAMES_MEMORY_ADDRESS
#error "define FRAMES_MEMORY_ADDRESS: the address where the simulator or debugger puts frames"
#endif

static uint32_t last_sequence;

static volatile struct frames_memory_header *header(void)
{
	return (volatile struct frames_memory_header *)FRAMES_MEMORY_ADDRESS;
}

int frame_source_start(void)
{
	port_print("frames: put one at 0x%x, where this waits for it\n", (unsigned int)FRAMES_MEMORY_ADDRESS);
	return 0;
}

int frame_source_next(struct frame *frame)
{
	while (header()->magic != FRAMES_MEMORY_MAGIC || header()->sequence == last_sequence) {
	}
	last_sequence = header()->sequence;
	if (header()->width == 0) {
		return 0;
	}
	frame->pixels = (const uint8_t *)((uintptr_t)FRAMES_MEMORY_ADDRESS + sizeof(struct frames_memory_header));
	frame->width = header()->width;
	frame->height = header()->height;
	frame->row_bytes = header()->row_bytes;
	frame->format = (enum frame_format)header()->format;
	frame->name = "memory";
	frame->private_data = NULL;
	return 1;
}

void frame_source_release(struct frame *frame)
{
	(void)frame;
}
