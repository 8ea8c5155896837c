/* SPDX-License-Identifier: Apache-2.0 */
/* Platform of the `host` board: the C library of the machine that compiles. */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

#include "print_number.h"

#define MAXIMUM_FILES 4

static FILE *files[MAXIMUM_FILES];

static int open_file(const char *path, const char *mode)
{
	for (int handle = 0; handle < MAXIMUM_FILES; ++handle) {
		if (files[handle] == NULL) {
			files[handle] = fopen(path, mode);
			return files[handle] == NULL ? -1 : handle;
		}
	}
	return -1;
}

int platform_open_for_reading(const char *path)
{
	return open_file(path, "rb");
}

int platform_open_for_writing(const char *path)
{
	return open_file(path, "wb");
}

uint32_t platform_read(int handle, uint8_t *destination, uint32_t bytes)
{
	return (uint32_t)fread(destination, 1, bytes, files[handle]);
}

uint32_t platform_write(int handle, const uint8_t *source, uint32_t bytes)
{
	return (uint32_t)fwrite(source, 1, bytes, files[handle]);
}

void platform_close(int handle)
{
	fclose(files[handle]);
	files[handle] = NULL;
}

void platform_print(const char *text)
{
	fputs(text, stdout);
	fflush(stdout); /* whoever started us reads the progress from it */
}

void platform_print_number(uint64_t number)
{
	char text[NUMBER_TEXT_BYTES];
	platform_print(number_text(number, text));
}

void platform_timer_start(void)
{
}

uint64_t platform_timer_ticks(void)
{
	return 0;
}

_Noreturn void platform_exit(int code)
{
	exit(code);
}
