/* SPDX-License-Identifier: Apache-2.0 */
/* port_stack_bytes() and port_static_sram_bytes() of firmware linked with boards/startup/firmware.ld.j2. */
#include "common/stack.h"

#include "port.h"

#if defined(__arm__)

#define STACK_PAINT 0xC5A3C5A3u
#define KEPT_BYTES 64u /* this function's own frame lies there */

/* From the linker script. */
extern uint32_t firmware_stack_limit[], firmware_stack_top[];
extern uint32_t firmware_data_start[], firmware_data_end[];
extern uint32_t firmware_bss_start[], firmware_bss_end[];
extern uint8_t firmware_noinit_bytes[]; /* the number is the symbol's address */

static uint32_t distance(const uint32_t *from, const uint32_t *to)
{
	return (uint32_t)((uintptr_t)to - (uintptr_t)from);
}

__attribute__((noinline)) void stack_paint(void)
{
	uintptr_t top;
	__asm__ volatile("mov %0, sp" : "=r"(top));
	for (volatile uint32_t *word = firmware_stack_limit; (uintptr_t)word < top - KEPT_BYTES; ++word) {
		*word = STACK_PAINT;
	}
}

uint32_t port_stack_bytes(void)
{
	const volatile uint32_t *lowest = firmware_stack_limit;
	while ((uintptr_t)lowest < (uintptr_t)firmware_stack_top && *lowest == STACK_PAINT) {
		++lowest;
	}
	return distance((const uint32_t *)(uintptr_t)lowest, firmware_stack_top);
}

uint32_t port_static_sram_bytes(void)
{
	return distance(firmware_stack_limit, firmware_stack_top) + distance(firmware_data_start, firmware_data_end) +
	       distance(firmware_bss_start, firmware_bss_end) + (uint32_t)(uintptr_t)firmware_noinit_bytes;
}

#else /* the host: nobody knows */

void stack_paint(void)
{
}

uint32_t port_stack_bytes(void)
{
	return 0;
}

uint32_t port_static_sram_bytes(void)
{
	return 0;
}

#endif
