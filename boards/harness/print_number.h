/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal digits of a number, shared by the platforms. */
#ifndef PRINT_NUMBER_H
#define PRINT_NUMBER_H

#include <stdint.h>

#define NUMBER_TEXT_BYTES 19 /* "0x", 16 digits, the final zero */

/* Writes `number` as 0x... into `text` (NUMBER_TEXT_BYTES bytes) and returns where it starts. */
static inline const char *number_text(uint64_t number, char *text)
{
	int position = NUMBER_TEXT_BYTES - 1;
	text[position] = '\0';
	do {
		text[--position] = "0123456789abcdef"[number & 15u];
		number >>= 4;
	} while (number != 0);
	text[--position] = 'x';
	text[--position] = '0';
	return text + position;
}

#endif /* PRINT_NUMBER_H */
