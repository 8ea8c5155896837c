/* SPDX-License-Identifier: Apache-2.0 */
#include "common/print.h"

#include <stdbool.h>
#include <stdint.h>

#define LINE_BYTES 64u
#define NUMBER_BYTES 12u /* a sign, ten digits, the final zero */

struct line {
	print_writer write;
	uint32_t used;
	char text[LINE_BYTES];
};

struct field {
	uint32_t width;
	char padding;
};

static void flush(struct line *line)
{
	line->text[line->used] = '\0';
	if (line->used != 0) {
		line->write(line->text);
	}
	line->used = 0;
}

static void put(struct line *line, char character)
{
	if (line->used == LINE_BYTES - 1u) {
		flush(line);
	}
	line->text[line->used++] = character;
}

static void put_text(struct line *line, const char *text, struct field field)
{
	uint32_t length = 0;
	while (text[length] != '\0') {
		++length;
	}
	for (uint32_t i = length; i < field.width; ++i) {
		put(line, ' ');
	}
	for (uint32_t i = 0; i < length; ++i) {
		put(line, text[i]);
	}
}

static void put_number(struct line *line, uint32_t number, uint32_t base, bool negative, struct field field)
{
	char digits[NUMBER_BYTES];
	uint32_t position = NUMBER_BYTES - 1u;
	digits[position] = '\0';
	do {
		digits[--position] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	if (field.padding == '0') {
		/* The sign comes before the zeros. */
		if (negative) {
			put(line, '-');
		}
		for (uint32_t i = NUMBER_BYTES - 1u - position + (negative ? 1u : 0u); i < field.width; ++i) {
			put(line, '0');
		}
		field.width = 0;
	} else if (negative) {
		digits[--position] = '-';
	}
	put_text(line, digits + position, field);
}

static struct field read_field(const char **format)
{
	struct field field = {0, ' '};
	if (**format == '0') {
		field.padding = '0';
		++*format;
	}
	while (**format >= '0' && **format <= '9') {
		field.width = field.width * 10u + (uint32_t)(**format - '0');
		++*format;
	}
	return field;
}

void print_formatted(print_writer write, const char *format, va_list arguments)
{
	struct line line = {.write = write, .used = 0};
	for (; *format != '\0'; ++format) {
		if (*format != '%') {
			put(&line, *format);
			continue;
		}
		++format;
		const struct field field = read_field(&format);
		if (*format == 'd') {
			const int value = va_arg(arguments, int);
			put_number(&line, value < 0 ? 0u - (uint32_t)value : (uint32_t)value, 10u, value < 0, field);
		} else if (*format == 'u') {
			put_number(&line, va_arg(arguments, unsigned int), 10u, false, field);
		} else if (*format == 'x') {
			put_number(&line, va_arg(arguments, unsigned int), 16u, false, field);
		} else if (*format == 's') {
			put_text(&line, va_arg(arguments, const char *), field);
		} else if (*format == 'c') {
			put(&line, (char)va_arg(arguments, int));
		} else if (*format == '\0') {
			break;
		} else {
			put(&line, *format);
		}
	}
	flush(&line);
}
