/* SPDX-License-Identifier: Apache-2.0 */
/* What the harness needs of the machine it runs on: files, a console, an exit code and a timer. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* Exit codes; run/result.py turns them into messages. */
#define PLATFORM_EXIT_OK 0
#define PLATFORM_EXIT_MODEL 3 /* the model returned an error */
#define PLATFORM_EXIT_GUARD 4 /* the model wrote outside its arena */
#define PLATFORM_EXIT_FILES 5 /* a file could not be opened, or ends in the middle of a record */
#define PLATFORM_EXIT_FAULT 6 /* the processor took a fault, or the stack overflowed */

/* Opens a file in the working directory of the emulator: a handle, or -1. */
int platform_open_for_reading(const char *path);
int platform_open_for_writing(const char *path);

/* Reads up to `bytes` bytes; how many were read, fewer at the end of the file. */
uint32_t platform_read(int handle, uint8_t *destination, uint32_t bytes);

/* Writes `bytes` bytes; how many were written. */
uint32_t platform_write(int handle, const uint8_t *source, uint32_t bytes);

void platform_close(int handle);

/* Appends to the console. Numbers are hexadecimal: 64-bit decimal would pull in a library division. */
void platform_print(const char *text);
void platform_print_number(uint64_t number);

/* Ticks of a free-running timer since platform_timer_start(); 0 where the machine has none. */
void platform_timer_start(void);
uint64_t platform_timer_ticks(void);

_Noreturn void platform_exit(int code);

#endif /* PLATFORM_H */
