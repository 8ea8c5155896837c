/* SPDX-License-Identifier: Apache-2.0 */
/* Compares print_formatted() with the C library's vsnprintf(); prints what differs. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/print.h"

static char written[1000];
static int failures;

static void append(const char *text)
{
	strcat(written, text);
}

__attribute__((format(printf, 1, 2))) static void check(const char *format, ...)
{
	char expected[1000];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(expected, sizeof(expected), format, arguments);
	va_end(arguments);
	written[0] = '\0';
	va_start(arguments, format);
	print_formatted(append, format, arguments);
	va_end(arguments);
	if (strcmp(written, expected) != 0) {
		printf("%s: '%s' instead of '%s'\n", format, written, expected);
		++failures;
	}
}

int main(void)
{
	const int numbers[] = {0, 1, -1, 9, 10, -10, 99999, INT_MAX, INT_MIN, INT_MIN + 1};
	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); ++i) {
		check("<%d %5d %05d %1d %014d %14d>", numbers[i], numbers[i], numbers[i], numbers[i], numbers[i], numbers[i]);
		check("%u|%8u|%02u|%012u", (unsigned int)numbers[i], (unsigned int)numbers[i], (unsigned int)numbers[i],
		      (unsigned int)numbers[i]);
		check("%x|%3x|%08x", (unsigned int)numbers[i], (unsigned int)numbers[i], (unsigned int)numbers[i]);
	}
	check("%s", "");
	check("plain, 100%%, %c%c and %s", 'a', '%', "text");
	check("%10s|%2s", "right", "longer");
	char text[400];
	for (unsigned int length = 0; length < 300; ++length) {
		memset(text, 'x', length);
		text[length] = '\0';
		check("%s%d", text, 42);
	}
	return failures == 0 ? 0 : 1;
}
