/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platform of real boards: files, console and exit code over a serial line, cycles from the core's counter, and the
 * LED on while the model runs, as a mark for a current probe. Also runs on emulated boards, to test it.
 *
 * The build defines HARNESS_BAUD, HARNESS_BUILD_ID and a timer (timer.h).
 */
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "harness.h"
#include "led.h"
#include "print_number.h"
#include "serial_link.h"
#include "timer.h"
#include "uart.h"

#define PROTOCOL_VERSION 1u

#define COMMAND_HELLO 'H'
#define COMMAND_OPEN_FOR_READING 'r'
#define COMMAND_OPEN_FOR_WRITING 'w'
#define COMMAND_READ 'R'
#define COMMAND_WRITE 'W'
#define COMMAND_CLOSE 'C'
#define COMMAND_PRINT 'P'
#define COMMAND_EXIT 'E'

#define CONSOLE_BYTES 120u
#define HELLO_BYTES 64u
#define NO_FILE 0xFFu

static bool started;
static uint8_t console[CONSOLE_BYTES];
static uint32_t console_used;

static uint32_t length_of(const char *text)
{
	uint32_t length = 0;
	while (text[length] != '\0') {
		++length;
	}
	return length;
}

static void put_number(uint8_t *destination, uint32_t value)
{
	for (uint32_t i = 0; i < sizeof(value); ++i) {
		destination[i] = (uint8_t)(value >> (8u * i));
	}
}

/* Which firmware this is, how fast it runs: whoever asks for results must know that they are of the right model. */
static void say_hello(void)
{
	uint8_t hello[HELLO_BYTES];
	put_number(hello, HARNESS_BUILD_ID);
	put_number(hello + 4, clock_core_hz());
	uint32_t bytes = 8;
	for (const char *name = harness_model.name; *name != '\0' && bytes < HELLO_BYTES; ++name) {
		hello[bytes++] = (uint8_t)*name;
	}
	const struct serial_request request = {COMMAND_HELLO, PROTOCOL_VERSION, hello, bytes};
	serial_link_ask(&request, NULL, 0);
}

/* On first use: a fault may have to be reported before main() runs. */
static void start(void)
{
	if (started) {
		return;
	}
	started = true;
	(void)clock_start(); /* the host is told the clock that it reached */
	led_start();
	uart_start(HARNESS_BAUD);
	say_hello();
}

static void flush_console(void)
{
	if (console_used == 0) {
		return;
	}
	const struct serial_request request = {COMMAND_PRINT, 0, console, console_used};
	serial_link_ask(&request, NULL, 0);
	console_used = 0;
}

static int open_file(uint8_t command, const char *path)
{
	start();
	uint8_t handle = NO_FILE;
	const struct serial_request request = {command, 0, (const uint8_t *)path, length_of(path)};
	const uint32_t got = serial_link_ask(&request, &handle, 1);
	return got == 1 && handle != NO_FILE ? handle : -1;
}

int platform_open_for_reading(const char *path)
{
	return open_file(COMMAND_OPEN_FOR_READING, path);
}

int platform_open_for_writing(const char *path)
{
	return open_file(COMMAND_OPEN_FOR_WRITING, path);
}

uint32_t platform_read(int handle, uint8_t *destination, uint32_t bytes)
{
	uint32_t done = 0;
	while (done < bytes) {
		const uint32_t left = bytes - done;
		const uint32_t wanted = left < SERIAL_LINK_DATA_BYTES ? left : SERIAL_LINK_DATA_BYTES;
		uint8_t count[sizeof(wanted)];
		put_number(count, wanted);
		const struct serial_request request = {COMMAND_READ, (uint8_t)handle, count, sizeof(count)};
		const uint32_t got = serial_link_ask(&request, destination + done, wanted);
		done += got;
		if (got < wanted) {
			break;
		}
	}
	return done;
}

uint32_t platform_write(int handle, const uint8_t *source, uint32_t bytes)
{
	uint32_t done = 0;
	while (done < bytes) {
		const uint32_t left = bytes - done;
		const uint32_t part = left < SERIAL_LINK_DATA_BYTES ? left : SERIAL_LINK_DATA_BYTES;
		uint8_t written = 0;
		const struct serial_request request = {COMMAND_WRITE, (uint8_t)handle, source + done, part};
		if (serial_link_ask(&request, &written, 1) != 1 || written != 1) {
			break;
		}
		done += part;
	}
	return done;
}

void platform_close(int handle)
{
	const struct serial_request request = {COMMAND_CLOSE, (uint8_t)handle, NULL, 0};
	serial_link_ask(&request, NULL, 0);
}

/* A line at a time: an answer takes a millisecond or two over USB. */
void platform_print(const char *text)
{
	start();
	for (; *text != '\0'; ++text) {
		console[console_used++] = (uint8_t)*text;
		if (*text == '\n' || console_used == CONSOLE_BYTES) {
			flush_console();
		}
	}
}

void platform_print_number(uint64_t number)
{
	char text[NUMBER_TEXT_BYTES];
	platform_print(number_text(number, text));
}

void platform_timer_start(void)
{
	led_set(true);
	timer_start();
}

uint64_t platform_timer_ticks(void)
{
	const uint64_t ticks = timer_ticks();
	led_set(false);
	return ticks;
}

_Noreturn void platform_exit(int code)
{
	start();
	flush_console();
	const struct serial_request request = {COMMAND_EXIT, (uint8_t)code, NULL, 0};
	serial_link_ask(&request, NULL, 0);
	serial_link_wait_for_reset();
}
