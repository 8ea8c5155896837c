/* SPDX-License-Identifier: Apache-2.0 */
/* Memory-mapped registers, and waits that end. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(REGISTERS_OF_A_TEST)
volatile uint32_t *test_register(uint32_t address); /* a model of the chip in tests/drivers */
#define REGISTER(address) (*test_register(address))
#else
#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#endif

/* Far longer than any clock takes to start (less than 1 ms; this is 10 ms or more), far shorter than people notice. */
#define WAIT_LOOPS 100000u

/* Waits until the bits `mask` read as `value`; false when they never do (as where an emulator has no such device). */
static inline bool register_reaches(uint32_t address, uint32_t mask, uint32_t value)
{
	for (uint32_t i = 0; i < WAIT_LOOPS; ++i) {
		if ((REGISTER(address) & mask) == value) {
			return true;
		}
	}
	return false;
}

/* Replaces the bits `mask` by `value`. */
static inline void register_set_field(uint32_t address, uint32_t mask, uint32_t value)
{
	REGISTER(address) = (REGISTER(address) & ~mask) | value;
}

#endif /* REGISTERS_H */
