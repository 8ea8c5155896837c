/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bare-metal start-up for every Cortex-M with the Main extension (M3, M4, M7, M33, M55).
 *
 * Used to run a model alone, under an emulator. A product brings its own start-up (Zephyr, CMSIS, STM32Cube).
 * Nothing here may use floating point or a C library: the FPU is not on yet, and library code would be
 * counted as the model's.
 */
#include <stdint.h>

#include "platform.h"

#define VTOR (*(volatile uint32_t *)0xE000ED08u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CFSR (*(volatile uint32_t *)0xE000ED28u)
#define BFAR (*(volatile uint32_t *)0xE000ED38u)

#define MPU_CTRL (*(volatile uint32_t *)0xE000ED94u)
#define MPU_RBAR (*(volatile uint32_t *)0xE000ED9Cu)
#define MPU_RASR (*(volatile uint32_t *)0xE000EDA0u)

#define CPACR_FULL_ACCESS_CP10_CP11 (0xFu << 20)
#define MPU_REGION_0 0x10u
#define MPU_NO_ACCESS_64K ((1u << 28) | (15u << 1) | 1u)
#define MPU_ON_WITH_DEFAULT_MAP 5u
#define GUARDED_BYTES 0x10000u /* a power of two, which the start of the stack is a multiple of */
#define CFSR_STACK_ERRORS ((1u << 20) | (1u << 12) | (1u << 4)) /* STKOF, STKERR, MSTKERR */
#define EXCEPTION_FRAME_WORDS 8u
#define FRAME_PC 6u

/* From the linker script. */
extern uint32_t firmware_stack_limit[], firmware_stack_top[];
extern uint32_t firmware_data_image[], firmware_data_start[], firmware_data_end[];
extern uint32_t firmware_bss_start[], firmware_bss_end[];

int main(void);
void reset_handler(void);
void fault_handler(void);
void fault_report(const uint32_t *frame);

typedef void (*vector)(void);

/* The first entry is the initial stack pointer, which is not a function: hence the union. */
union vector_entry {
	uint32_t *stack;
	vector handler;
};

/* No interrupt is ever enabled, so every entry after the reset is a fault. */
extern const union vector_entry firmware_vectors[16];
__attribute__((section(".vectors"), used)) const union vector_entry firmware_vectors[16] = {
	{.stack = firmware_stack_top},  {.handler = reset_handler}, {.handler = fault_handler},
	{.handler = fault_handler},     {.handler = fault_handler}, {.handler = fault_handler},
	{.handler = fault_handler},     {.handler = fault_handler}, {.handler = fault_handler},
	{.handler = fault_handler},     {.handler = fault_handler}, {.handler = fault_handler},
	{.handler = fault_handler},     {.handler = fault_handler}, {.handler = fault_handler},
	{.handler = fault_handler},
};

static void prepare_memory(void)
{
	const uint32_t *source = firmware_data_image;
	for (uint32_t *word = firmware_data_start; word < firmware_data_end; ++word) {
		*word = *source++;
	}
	for (uint32_t *word = firmware_bss_start; word < firmware_bss_end; ++word) {
		*word = 0;
	}
}

/*
 * Below the stack there may be memory that swallows writes (QEMU's MPS2 boards have such), so running over the
 * stack must be made to fault: by the stack limit of Armv8-M, else by a region of the MPU where nothing may go.
 */
static void guard_stack(void)
{
	const uint32_t limit = (uint32_t)(uintptr_t)firmware_stack_limit;
#if __ARM_ARCH >= 8
	__asm__ volatile("msr msplim, %0" : : "r"(limit));
#else
	MPU_RBAR = (limit - GUARDED_BYTES) | MPU_REGION_0;
	MPU_RASR = MPU_NO_ACCESS_64K;
	MPU_CTRL = MPU_ON_WITH_DEFAULT_MAP;
	__asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

void reset_handler(void)
{
	VTOR = (uint32_t)(uintptr_t)firmware_vectors;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
	CPACR |= CPACR_FULL_ACCESS_CP10_CP11; /* without it the first FPU or MVE instruction faults */
	__asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
	guard_stack();
	prepare_memory();
	platform_exit(main());
}

/* The fault may be a stack overflow: start from the top of the stack again, or the report itself faults. */
__attribute__((naked)) void fault_handler(void)
{
	__asm__ volatile("mrs r0, msp\n\t"
			 "ldr r1, =firmware_stack_top\n\t"
			 "mov sp, r1\n\t"
			 "b fault_report\n\t"
			 ".ltorg");
}

static void print_value(const char *name, uint32_t value)
{
	platform_print(name);
	platform_print_number(value);
}

void fault_report(const uint32_t *frame)
{
	const uintptr_t address = (uintptr_t)frame;
	const uintptr_t limit = (uintptr_t)firmware_stack_limit;
	const uintptr_t top = (uintptr_t)firmware_stack_top;
	platform_print("fault: ");
	if (address < limit || (CFSR & CFSR_STACK_ERRORS) != 0) {
		platform_print("the stack overflowed");
	} else if (address + EXCEPTION_FRAME_WORDS * sizeof(uint32_t) <= top) {
		print_value("at instruction ", frame[FRAME_PC]);
		print_value(", CFSR ", CFSR);
		print_value(", BFAR ", BFAR);
	} else {
		print_value("CFSR ", CFSR);
	}
	platform_print("\n");
	platform_exit(PLATFORM_EXIT_FAULT);
}
