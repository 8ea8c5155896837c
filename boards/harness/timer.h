/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A free-running timer, from which executed instructions (emulators) or cycles (real boards) are computed.
 *
 * Not SysTick: its 24 bits overflow within one large model, and the interrupt that would extend it pushes a
 * frame on the stack that is being measured. The build defines one of
 *   HARNESS_TIMER_CMSDK  Arm's APB timer: 32 bits, counts down
 *   HARNESS_TIMER_SSE    the system counter of an SSE-300: 64 bits, counts up
 *   HARNESS_TIMER_DWT    the cycle counter of real cores: 32 bits, counts up (QEMU's stands still)
 * and HARNESS_TIMER_ADDRESS; with neither there is no timer and 0 ticks.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

#define TIMER_REGISTER(offset) (*(volatile uint32_t *)(HARNESS_TIMER_ADDRESS + (offset)))

#if defined(HARNESS_TIMER_CMSDK)

#define CMSDK_CONTROL 0x0u
#define CMSDK_VALUE 0x4u
#define CMSDK_RELOAD 0x8u
#define CMSDK_ENABLE 1u

static inline void timer_start(void)
{
	TIMER_REGISTER(CMSDK_CONTROL) = 0;
	TIMER_REGISTER(CMSDK_RELOAD) = UINT32_MAX;
	TIMER_REGISTER(CMSDK_VALUE) = UINT32_MAX;
	TIMER_REGISTER(CMSDK_CONTROL) = CMSDK_ENABLE;
}

static inline uint64_t timer_ticks(void)
{
	return UINT32_MAX - TIMER_REGISTER(CMSDK_VALUE);
}

#elif defined(HARNESS_TIMER_SSE)

#define SSE_CONTROL 0x0u
#define SSE_COUNT_LOW 0x8u
#define SSE_COUNT_HIGH 0xCu
#define SSE_ENABLE 1u

static inline void timer_start(void)
{
	TIMER_REGISTER(SSE_CONTROL) = 0;
	TIMER_REGISTER(SSE_COUNT_LOW) = 0;
	TIMER_REGISTER(SSE_COUNT_HIGH) = 0;
	TIMER_REGISTER(SSE_CONTROL) = SSE_ENABLE;
}

static inline uint64_t timer_ticks(void)
{
	uint32_t high = TIMER_REGISTER(SSE_COUNT_HIGH);
	for (;;) {
		const uint32_t low = TIMER_REGISTER(SSE_COUNT_LOW);
		const uint32_t again = TIMER_REGISTER(SSE_COUNT_HIGH);
		if (again == high) {
			return ((uint64_t)high << 32) | low;
		}
		high = again;
	}
}

#elif defined(HARNESS_TIMER_DWT)

#include "cycles.h"

static inline void timer_start(void)
{
	cycles_start();
}

static inline uint64_t timer_ticks(void)
{
	return cycles_now();
}

#else

static inline void timer_start(void)
{
}

static inline uint64_t timer_ticks(void)
{
	return 0;
}

#endif

#endif /* TIMER_H */
