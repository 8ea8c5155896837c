/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <stddef.h>

#include "port.h"
#include "settings.h"

#define READ_FAILED (-5) /* none of Runnel's own errors */

#if VWW_JPEG

#include "jpeg_rows.h"

static struct jpeg_rows jpeg;
static uint8_t jpeg_memory[VWW_JPEG_BYTES];

static void print_jpeg_error(const struct frame *frame, uint32_t needed)
{
	port_print("frame: %s %s", frame->name == NULL ? "a JPEG" : frame->name, jpeg_message(jpeg.jpeg.error));
	if (jpeg.jpeg.error == JPEG_MEMORY) {
		port_print(" (%u bytes; it has %u)", (unsigned int)needed, (unsigned int)VWW_JPEG_BYTES);
	}
	port_print("\n");
}

static bool open_jpeg(const struct image_input *input, const struct frame *frame)
{
	uint32_t needed;
	if (!jpeg_rows_open(&jpeg, input, &frame->bytes, jpeg_memory, sizeof(jpeg_memory), &needed)) {
		print_jpeg_error(frame, needed);
		return false;
	}
	return true;
}

static bool read_jpeg(const struct frame *frame, uint32_t y, uint32_t x, uint32_t columns, int8_t *destination)
{
	if (!jpeg_rows_row(&jpeg, y, x, columns, destination)) {
		print_jpeg_error(frame, 0);
		return false;
	}
	return true;
}

#else

static bool open_jpeg(const struct image_input *input, const struct frame *frame)
{
	(void)input;
	port_print("frame: %s is a JPEG, which this build does not read: build with VWW_JPEG (apps/vww/README.md)\n",
		   frame->name);
	return false;
}

static bool read_jpeg(const struct frame *frame, uint32_t y, uint32_t x, uint32_t columns, int8_t *destination)
{
	(void)frame;
	(void)y;
	(void)x;
	(void)columns;
	(void)destination;
	return false;
}

#endif

bool picture_open(struct picture *picture, const struct image_input *input, const struct frame *frame)
{
	picture->frame = frame;
	picture->cycles = 0;
	if (frame->format == FRAME_JPEG) {
		return open_jpeg(input, frame);
	}
	if (!image_view_prepare(&picture->view, input, frame)) {
		port_print("frame: %ux%u cannot become the model's %ux%u: it is empty or more than %u times as large\n",
			   (unsigned int)frame->width, (unsigned int)frame->height, (unsigned int)input->width,
			   (unsigned int)input->height, IMAGE_MAXIMUM_REDUCTION);
		return false;
	}
	return true;
}

int picture_read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	struct picture *picture = context;
	const uint32_t start = port_cycles();
	bool read = true;
	if (picture->frame->format == FRAME_JPEG) {
		read = read_jpeg(picture->frame, (uint32_t)y, (uint32_t)x, (uint32_t)columns, destination);
	} else {
		image_row(&picture->view, (uint32_t)y, (uint32_t)x, (uint32_t)columns, destination);
	}
	picture->cycles += port_cycles() - start;
	return read ? 0 : READ_FAILED;
}
