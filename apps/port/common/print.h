/* SPDX-License-Identifier: Apache-2.0 */
/* Formatted text without a C library's printf, which costs kilobytes and wants a heap. */
#ifndef PORT_PRINT_H_
#define PORT_PRINT_H_

#include <stdarg.h>

/* Takes a piece of text that ends with a zero. */
typedef void (*print_writer)(const char *text);

/* %d %u %x %s %c %% with a width and zero padding; anything else is written as it stands. */
void print_formatted(print_writer write, const char *format, va_list arguments);

#endif /* PORT_PRINT_H_ */
