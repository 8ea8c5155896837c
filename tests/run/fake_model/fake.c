/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output_0[i] = input_0[i] + 1, saturated; output_1[0] = input_1 as an integer.
 * The first byte of input_0 misbehaves on command, so that tests see what the harness makes of it.
 */
#include "fake.h"

#include <string.h>

extern uint8_t fake_arena[FAKE_ARENA_BYTES];

#define RETURN_ERROR 101
#define WRITE_BELOW 102
#define WRITE_ABOVE 103
#define FAULT 104
#define HANG 105
#define OVERFLOW_STACK 106
#define USE_STACK 107
#define LOOP 108

#define STACK_ARRAY_BYTES 2048

static const int8_t increments[4] = {1, 1, 1, 1};

int8_t *fake_input_0(void)
{
	return (int8_t *)fake_arena;
}

float *fake_input_1(void)
{
	return (float *)(void *)(fake_arena + FAKE_INPUT_BYTES);
}

const int8_t *fake_output_0(void)
{
	return (const int8_t *)(fake_arena + FAKE_INPUT_BYTES + 4);
}

const uint8_t *fake_output_1(void)
{
	return fake_arena + 2 * FAKE_INPUT_BYTES + 4;
}

__attribute__((noinline)) static int use_stack(void)
{
	volatile uint8_t array[STACK_ARRAY_BYTES];
	array[0] = 1;
	for (int i = 1; i < STACK_ARRAY_BYTES; ++i) {
		array[i] = (uint8_t)(array[i - 1] + 1);
	}
	return array[STACK_ARRAY_BYTES - 1] != 0;
}

__attribute__((noinline)) static uint32_t overflow_stack(uint32_t depth)
{
	volatile uint32_t array[64];
	array[depth & 63u] = depth;
	return depth == UINT32_MAX ? 0 : overflow_stack(depth + 1) + array[depth & 63u];
}

/* Two instructions an iteration: what the instruction count is calibrated on. */
static void loop(uint32_t iterations)
{
#if defined(__arm__)
	__asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(iterations) : : "cc");
#else
	(void)iterations;
#endif
}

static int misbehave(int command)
{
	uint8_t *volatile arena = fake_arena; /* volatile: the compiler knows the bounds, too */
	if (command == RETURN_ERROR) {
		return -7;
	}
	if (command == WRITE_BELOW) {
		arena[-1] = 0;
	}
	if (command == WRITE_ABOVE) {
		arena[FAKE_ARENA_BYTES] = 0;
	}
	if (command == FAULT) {
		*(volatile uint32_t *)(uintptr_t)0xFFFFFF00u = 0;
	}
	for (volatile int spin = 1; command == HANG && spin;) {
	}
	if (command == OVERFLOW_STACK) {
		return (int)(overflow_stack(0) & 1u);
	}
	if (command == USE_STACK) {
		return !use_stack() ? 0 : -8;
	}
	if (command == LOOP) {
		uint32_t iterations;
		memcpy(&iterations, fake_arena + 4, sizeof(iterations));
		loop(iterations);
	}
	return 0;
}

int fake_run(void)
{
	const int status = misbehave((int8_t)fake_arena[0]);
	if (status != 0) {
		return status;
	}
	int8_t *output = (int8_t *)(fake_arena + FAKE_INPUT_BYTES + 4);
	for (int i = 0; i < FAKE_INPUT_BYTES; ++i) {
		const int sum = ((int8_t *)fake_arena)[i] + increments[i & 3];
		output[i] = (int8_t)(sum > INT8_MAX ? INT8_MAX : sum);
	}
	fake_arena[2 * FAKE_INPUT_BYTES + 4] = (uint8_t)*fake_input_1();
	return 0;
}

int fake_selftest(void)
{
	memset(fake_arena, 0, sizeof(fake_arena));
	const int status = fake_run();
	return status != 0 ? status : fake_output_0()[0] - 1;
}
