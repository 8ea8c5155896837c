/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that somebody else puts at a fixed address: a simulator (Renode's `sysbus LoadBinary`) or a debugger.
 *
 * FRAMES_MEMORY_ADDRESS is where the header lies; the pixels follow it, height rows of row_bytes bytes. A file of
 * that form is what `python -m runnel.frames --binary` writes.
 */
#ifndef FRAMES_MEMORY_H_
#define FRAMES_MEMORY_H_

#include <stdint.h>

#define FRAMES_MEMORY_MAGIC 0x4D415246u /* "FRAM" */

struct frames_memory_header {
	uint32_t magic;
	uint32_t sequence;  /* a new frame has another number than the last one */
	uint32_t width;     /* 0: there are no more frames */
	uint32_t height;
	uint32_t row_bytes;
	uint32_t format;    /* enum frame_format */
};

#endif /* FRAMES_MEMORY_H_ */
