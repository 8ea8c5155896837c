/* SPDX-License-Identifier: Apache-2.0 */
#include "echo.h"

#define COMMAND_HANG 0xFE
#define COMMAND_FAIL 0xFD
#define COMMAND_FAULT 0xFC

static uint8_t input[ECHO_BYTES];
static uint8_t output[ECHO_BYTES];

uint8_t *echo_input(void)
{
	return input;
}

const uint8_t *echo_output(void)
{
	return output;
}

int echo_run(void)
{
	static const uint8_t command[] = "command";
	int is_command = 1;
	for (int i = 0; i < ECHO_BYTES; ++i) {
		output[i] = input[i];
		if (i < 7 && input[i] != command[i]) {
			is_command = 0;
		}
	}
	while (is_command && input[7] == COMMAND_HANG) {
	}
	if (is_command && input[7] == COMMAND_FAULT) {
		__builtin_trap();
	}
	return is_command && input[7] == COMMAND_FAIL ? -9 : 0;
}
