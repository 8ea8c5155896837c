/* SPDX-License-Identifier: Apache-2.0 */
/* Timer ticks and stack bytes of one call. */
#include "harness.h"
#include "platform.h"

#if defined(__arm__)

#define STACK_PAINT 0xC5A3C5A3u

/* From the linker script. */
extern uint32_t firmware_stack_limit[];

/*
 * Paint the free stack, call, look how far the paint is gone. Nothing may be called between the two loops but
 * the function itself, and no interrupt is enabled, so whatever is missing was used by `function`.
 */
__attribute__((noinline)) int harness_measure(int (*function)(void), struct harness_measurement *measurement)
{
	uint32_t *top;
	__asm__ volatile("mov %0, sp" : "=r"(top));
	for (volatile uint32_t *word = firmware_stack_limit; word < top; ++word) {
		*word = STACK_PAINT;
	}

	platform_timer_start();
	const int status = function();
	measurement->ticks = platform_timer_ticks();

	const volatile uint32_t *lowest = firmware_stack_limit;
	while (lowest < top && *lowest == STACK_PAINT) {
		++lowest;
	}
	const uint32_t used = (uint32_t)((uintptr_t)top - (uintptr_t)lowest);
	if (used > measurement->stack_bytes) {
		measurement->stack_bytes = used;
	}
	return status;
}

#else

int harness_measure(int (*function)(void), struct harness_measurement *measurement)
{
	measurement->ticks = 0;
	return function();
}

#endif
