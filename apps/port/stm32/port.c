/* SPDX-License-Identifier: Apache-2.0 */
/* The port of the apps to an STM32 without an operating system: console on the UART, time from the cycle counter. */
#include "port.h"

#include <stdarg.h>

#include "clock.h"
#include "common/print.h"
#include "common/stack.h"
#include "cycles.h"
#include "led.h"
#include "platform.h"
#include "print_number.h"
#include "uart.h"

#ifndef PORT_BAUD
#define PORT_BAUD 115200u
#endif

#define MILLISECONDS_PER_SECOND 1000u

static bool console_works;
static uint32_t whole_milliseconds;
static uint32_t counted_until; /* the cycle up to which whole_milliseconds counts */

void port_start(void)
{
	stack_paint();
	const bool full_speed = clock_start();
	uart_start(PORT_BAUD);
	console_works = true;
	led_start();
	cycles_start();
	if (!full_speed) {
		port_print("clock: the PLL did not start; running at %u Hz\n", (unsigned int)clock_core_hz());
	}
}

/* The cycle counter wraps within seconds: milliseconds are right as long as somebody asks more often than that. */
uint32_t port_milliseconds(void)
{
	const uint32_t cycles_each = clock_core_hz() / MILLISECONDS_PER_SECOND;
	const uint32_t passed = (cycles_now() - counted_until) / cycles_each;
	whole_milliseconds += passed;
	counted_until += passed * cycles_each;
	return whole_milliseconds;
}

uint32_t port_cycles(void)
{
	return cycles_now();
}

uint32_t port_cycles_per_second(void)
{
	return clock_core_hz();
}

void port_led(bool on)
{
	led_set(on);
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
	port_print("exit: %d\n", code);
	uart_flush();
	for (;;) {
		__asm__ volatile("wfi");
	}
}

int port_file_open(const char *path)
{
	(void)path; /* there is no host */
	return -1;
}

int32_t port_file_read(int file, void *destination, uint32_t bytes)
{
	(void)file;
	(void)destination;
	(void)bytes;
	return -1;
}

void port_file_close(int file)
{
	(void)file;
}

/* What boards/startup/startup.c reports a fault with, and ends the program with. */

void platform_print(const char *text)
{
	if (!console_works) {
		return; /* a fault before port_start() */
	}
	for (; *text != '\0'; ++text) {
		if (*text == '\n') {
			uart_write('\r'); /* terminals want both */
		}
		uart_write((uint8_t)*text);
	}
}

void platform_print_number(uint64_t number)
{
	char text[NUMBER_TEXT_BYTES];
	platform_print(number_text(number, text));
}

_Noreturn void platform_exit(int code)
{
	port_exit(code);
}
