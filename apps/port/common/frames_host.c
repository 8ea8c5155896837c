/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from files of the host: a text file lists pictures, one path a line, relative to the list's own folder.
 * Pictures are PPM (P6, becomes RGB565 as from a camera) or PGM (P5, stays grey), 8 bits, or JPEG, which are not read
 * into memory here.
 *
 *   FRAMES_LIST         path of the list; frames.txt in the folder that the emulator was started in
 *   FRAME_BUFFER_BYTES  the largest frame: two bytes a pixel of a PPM, one of a PGM
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "frame_source.h"
#include "port.h"

#ifndef FRAMES_LIST
#define FRAMES_LIST "frames.txt"
#endif

#ifndef FRAME_BUFFER_BYTES
#define FRAME_BUFFER_BYTES (320u * 240u * 2u)
#endif

#define READ_BYTES 384u
#define PATH_BYTES 256u
#define END_OF_FILE (-1)
#define LARGEST_SIDE 65535u
#define JPEG_FIRST_BYTE 0xFF

_Static_assert(sizeof(FRAMES_LIST) < PATH_BYTES, "FRAMES_LIST is longer than the app's buffer for paths");

struct reader {
	int file;
	uint32_t used;
	uint32_t position;
	uint8_t bytes[READ_BYTES];
};

static struct reader list;
static struct reader picture;
static uint8_t frame_pixels[FRAME_BUFFER_BYTES];
static char path[PATH_BYTES];

static bool reader_open(struct reader *reader, const char *name)
{
	reader->file = port_file_open(name);
	reader->used = 0;
	reader->position = 0;
	return reader->file >= 0;
}

static int reader_byte(struct reader *reader)
{
	if (reader->position == reader->used) {
		const int32_t count = port_file_read(reader->file, reader->bytes, READ_BYTES);
		if (count <= 0) {
			return END_OF_FILE;
		}
		reader->used = (uint32_t)count;
		reader->position = 0;
	}
	return reader->bytes[reader->position++];
}

static bool is_space(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* What follows the last '/' (or '\') of a path. */
static char *base_name(char *text)
{
	char *name = text;
	for (char *c = text; *c != '\0'; ++c) {
		if (*c == '/' || *c == '\\') {
			name = c + 1;
		}
	}
	return name;
}

static bool is_absolute(const char *text)
{
	return text[0] == '/' || text[0] == '\\' || (text[0] != '\0' && text[1] == ':');
}

/* One line into `path`, without spaces at its ends: its length, or END_OF_FILE, or PATH_BYTES when it is too long. */
static int read_line(uint32_t start)
{
	uint32_t length = start;
	uint32_t end = start;
	int byte = reader_byte(&list);
	if (byte == END_OF_FILE) {
		return END_OF_FILE;
	}
	for (; byte != END_OF_FILE && byte != '\n'; byte = reader_byte(&list)) {
		if (is_space(byte) && length == start) {
			continue;
		}
		if (length == PATH_BYTES - 1u) {
			return (int)PATH_BYTES;
		}
		path[length++] = (char)byte;
		end = is_space(byte) ? end : length;
	}
	path[end] = '\0';
	return (int)(end - start);
}

/* The next picture's path into `path`: 1, 0 at the end of the list, -1. */
static int next_path(void)
{
	(void)strcpy(path, FRAMES_LIST);
	const uint32_t folder = (uint32_t)(base_name(path) - path);
	for (;;) {
		const int length = read_line(folder);
		if (length == END_OF_FILE) {
			return 0;
		}
		if (length == (int)PATH_BYTES) {
			port_print("frames: %s has a line of more than %u characters\n", FRAMES_LIST,
				   (unsigned int)(PATH_BYTES - 1u - folder));
			return -1;
		}
		if (length != 0 && path[folder] != '#') {
			if (is_absolute(path + folder)) {
				(void)memmove(path, path + folder, (size_t)length + 1u);
			}
			return 1;
		}
	}
}

/* The first byte behind spaces and comments. */
static int skip_spaces(void)
{
	bool comment = false;
	for (;;) {
		const int byte = reader_byte(&picture);
		if (byte == '#') {
			comment = true;
		} else if (byte == END_OF_FILE || (!comment && !is_space(byte))) {
			return byte;
		} else if (byte == '\n') {
			comment = false;
		}
	}
}

/* A number of the header, and the one byte behind it. 0 where there is none or it is too large. */
static uint32_t read_number(void)
{
	uint32_t number = 0;
	for (int byte = skip_spaces(); byte >= '0' && byte <= '9'; byte = reader_byte(&picture)) {
		number = number * 10u + (uint32_t)(byte - '0');
		if (number > LARGEST_SIDE) {
			return 0;
		}
	}
	return number;
}

/* Five or six bits of a colour, to the nearest. */
static uint32_t fewer_bits(int byte, uint32_t largest)
{
	return ((uint32_t)byte * largest + 127u) / 255u;
}

static bool read_rgb565(uint32_t pixels)
{
	uint8_t *destination = frame_pixels;
	for (uint32_t i = 0; i < pixels; ++i) {
		const int red = reader_byte(&picture);
		const int green = reader_byte(&picture);
		const int blue = reader_byte(&picture);
		if (red == END_OF_FILE || green == END_OF_FILE || blue == END_OF_FILE) {
			return false;
		}
		const uint32_t pixel =
			(fewer_bits(red, 31u) << 11) | (fewer_bits(green, 63u) << 5) | fewer_bits(blue, 31u);
		*destination++ = (uint8_t)(pixel & 0xFFu);
		*destination++ = (uint8_t)(pixel >> 8);
	}
	return true;
}

static bool read_grey(uint32_t pixels)
{
	for (uint32_t i = 0; i < pixels; ++i) {
		const int byte = reader_byte(&picture);
		if (byte == END_OF_FILE) {
			return false;
		}
		frame_pixels[i] = (uint8_t)byte;
	}
	return true;
}

static int32_t read_jpeg(void *context, uint8_t *destination, uint32_t bytes)
{
	(void)context;
	return port_file_read(picture.file, destination, bytes);
}

static bool rewind_jpeg(void *context)
{
	(void)context;
	port_file_close(picture.file);
	return reader_open(&picture, path);
}

static bool read_header(struct frame *frame, int letter)
{
	const int kind = reader_byte(&picture);
	if (letter != 'P' || (kind != '5' && kind != '6')) {
		port_print("frames: %s is no PPM (P6), PGM (P5) or JPEG picture\n", path);
		return false;
	}
	const uint32_t pixel_bytes = kind == '6' ? 2u : 1u;
	frame->width = read_number();
	frame->height = read_number();
	if (frame->width == 0 || frame->height == 0 || read_number() != 255u) {
		port_print("frames: %s has a header that is not understood; 8 bits a colour are supported\n", path);
		return false;
	}
	frame->row_bytes = frame->width * pixel_bytes;
	frame->format = kind == '6' ? FRAME_RGB565_LITTLE_ENDIAN : FRAME_GREY;
	if (frame->height > FRAME_BUFFER_BYTES / frame->row_bytes) {
		port_print("frames: %s is %ux%u, which takes more than the %u bytes of the frame buffer; make it "
			   "smaller, or build with a larger FRAME_BUFFER_BYTES\n",
			   path, (unsigned int)frame->width, (unsigned int)frame->height,
			   (unsigned int)FRAME_BUFFER_BYTES);
		return false;
	}
	return true;
}

static bool read_picture(struct frame *frame)
{
	const int first = reader_byte(&picture);
	*frame = (struct frame){.name = base_name(path)};
	if (first == JPEG_FIRST_BYTE) {
		frame->format = FRAME_JPEG;
		frame->bytes = (struct frame_bytes){.read = read_jpeg, .rewind = rewind_jpeg};
		return rewind_jpeg(NULL);
	}
	if (!read_header(frame, first)) {
		return false;
	}
	const uint32_t pixels = frame->width * frame->height;
	if (!(frame->format == FRAME_GREY ? read_grey(pixels) : read_rgb565(pixels))) {
		port_print("frames: %s ends too early\n", path);
		return false;
	}
	frame->pixels = frame_pixels;
	return true;
}

int frame_source_start(void)
{
	if (!reader_open(&list, FRAMES_LIST)) {
		port_print("frames: %s cannot be opened. It lists PPM or PGM pictures, one a line. Start the emulator in "
			   "a folder that has it (apps/vww/frames), or build with another FRAMES_LIST\n",
			   FRAMES_LIST);
		return -1;
	}
	return 0;
}

int frame_source_next(struct frame *frame)
{
	const int found = next_path();
	if (found <= 0) {
		port_file_close(list.file);
		return found;
	}
	if (!reader_open(&picture, path)) {
		port_print("frames: %s, which %s lists, cannot be opened\n", path, FRAMES_LIST);
		return -1;
	}
	const bool read = read_picture(frame);
	if (frame->format != FRAME_JPEG) {
		port_file_close(picture.file);
	}
	return read ? 1 : -1;
}

void frame_source_release(struct frame *frame)
{
	if (frame->format == FRAME_JPEG) {
		port_file_close(picture.file);
	} /* else: the buffer is only filled again by the next call */
}
