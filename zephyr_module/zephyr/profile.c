/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONFIG_RUNNEL_PROFILE: the cycle counter and the console behind runnel/profile.h.
 *
 * Zephyr's timing functions count processor cycles (DWT on Cortex-M). Emulators have no DWT: its counter stands
 * still there, and the kernel's clock takes over.
 */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#ifdef CONFIG_TIMING_FUNCTIONS
#include <zephyr/timing/timing.h>
#endif

#include "runnel/profile.h"

enum counter {
	COUNTER_UNKNOWN,
	COUNTER_TIMING,
	COUNTER_KERNEL,
};

static enum counter counter;
static uint32_t total;

#ifdef CONFIG_TIMING_FUNCTIONS
static timing_t origin;

static uint32_t timing_cycles(void)
{
	timing_t now = timing_counter_get();

	/* On some chips a tick of the counter is several cycles: timing_cycles_get() knows. Wraps as 32 bits do. */
	return (uint32_t)timing_cycles_get(&origin, &now);
}

static bool timing_counts(void)
{
	timing_init();
	timing_start();
	origin = timing_counter_get();
	k_busy_wait(10);
	return timing_cycles() != 0;
}
#else
static uint32_t timing_cycles(void)
{
	return 0;
}

static bool timing_counts(void)
{
	return false;
}
#endif

static void choose_counter(void)
{
	if (timing_counts()) {
		counter = COUNTER_TIMING;
		printk("profile: cycles of the processor\n");
	} else {
		counter = COUNTER_KERNEL;
		printk("profile: cycles of the kernel's clock, %u per second\n", sys_clock_hw_cycles_per_sec());
	}
}

uint32_t runnel_profile_cycles(void)
{
	if (counter == COUNTER_UNKNOWN) {
		choose_counter();
	}
	return counter == COUNTER_TIMING ? timing_cycles() : k_cycle_get_32();
}

void runnel_profile_segment(const char *model, int32_t segment, const char *name, uint32_t cycles)
{
	printk("profile: %s: %3d %-32s %10u\n", model, (int)segment, name, cycles);
	total = segment == 0 ? cycles : total + cycles;
}

void runnel_profile_end(const char *model)
{
	printk("profile: %s: total %41u\n", model, total);
}
