/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port of the apps to bare metal on QEMU. Console, files and exit code are Arm semihosting, the same code that the
 * test harness uses (boards/harness/platform_semihosting.c); time comes from the timer that HARNESS_TIMER_CMSDK or
 * HARNESS_TIMER_SSE, HARNESS_TIMER_ADDRESS and PORT_TIMER_HZ name. Without them there is no time: 0 milliseconds.
 */
#include "port.h"

#include <stdarg.h>

#include "common/print.h"
#include "common/stack.h"
#include "platform.h"

#ifndef PORT_TIMER_HZ
#define PORT_TIMER_HZ 1000u
#endif

#define TICKS_PER_MILLISECOND (PORT_TIMER_HZ / 1000u)

/* The timer's 32 bits are over within minutes: count on from what was seen last. */
static uint32_t seen_ticks;
static uint32_t rest_ticks;
static uint32_t milliseconds;

void port_start(void)
{
	stack_paint();
	platform_timer_start();
}

uint32_t port_cycles(void)
{
	return (uint32_t)platform_timer_ticks();
}

uint32_t port_cycles_per_second(void)
{
	return PORT_TIMER_HZ;
}

uint32_t port_milliseconds(void)
{
	const uint32_t now = port_cycles();
	/* Apart, because the sum of both does not fit 32 bits. */
	const uint32_t passed = now - seen_ticks;
	rest_ticks += passed % TICKS_PER_MILLISECOND;
	milliseconds += passed / TICKS_PER_MILLISECOND + rest_ticks / TICKS_PER_MILLISECOND;
	rest_ticks %= TICKS_PER_MILLISECOND;
	seen_ticks = now;
	return milliseconds;
}

void port_led(bool on)
{
	(void)on; /* emulated boards have none that anybody sees */
}

void port_print(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_formatted(platform_print, format, arguments);
	va_end(arguments);
}

void port_exit(int code)
{
	platform_exit(code);
}

int port_file_open(const char *path)
{
	return platform_open_for_reading(path);
}

int32_t port_file_read(int file, void *destination, uint32_t bytes)
{
	return (int32_t)platform_read(file, destination, bytes);
}

void port_file_close(int file)
{
	platform_close(file);
}
