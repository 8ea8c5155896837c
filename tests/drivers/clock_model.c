/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs clock_start() on this computer against a model of the chip that answers as the manuals say: an oscillator that
 * is switched on is ready at the next look, the clock switch reports what it was told, and so on. Prints every value
 * that a register takes, in order; the test computes the clocks from them.
 *
 * Usage: clock_model [DEAD [CCR]]   DEAD: an address (hexadecimal) whose register never gets ready. CCR: the core's
 * configuration register at the start (hexadecimal), as a boot loader may leave it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "caches.h"
#include "clock.h"
#include "registers.h"
#include "stm32_registers.h"

#define KNOWN 32

struct seen {
	uint32_t address;
	uint32_t value; /* last printed */
	volatile uint32_t cell;
};

static struct seen registers[KNOWN];
static int known;
static uint32_t dead;

static void answer(struct seen *seen, uint32_t when, uint32_t ready)
{
	if (seen->address == dead) {
		return;
	}
	seen->cell = (seen->cell & when) == when ? seen->cell | ready : seen->cell & ~ready;
}

static struct seen *find(uint32_t address)
{
	for (int i = 0; i < known; ++i) {
		if (registers[i].address == address) {
			return &registers[i];
		}
	}
	if (known == KNOWN) {
		exit(2);
	}
	registers[known].address = address;
	return &registers[known++];
}

/* What the hardware does between two accesses. */
static void react(void)
{
	struct seen *control = find(STM32_RCC + STM32_RCC_CR);
	answer(control, STM32_RCC_HSION, STM32_RCC_HSIRDY);
	answer(control, STM32_RCC_PLLON, STM32_RCC_PLLRDY);
	struct seen *switches = find(STM32_RCC + STM32_RCC_CFGR);
	if (switches->address != dead) {
		const uint32_t selected = switches->cell & STM32_RCC_SW_MASK;
		const uint32_t shift = STM32_RCC_SWS_PLL / STM32_RCC_SW_PLL;
		switches->cell = (switches->cell & ~STM32_RCC_SWS_MASK) | selected * shift;
	}
#if defined(STM32_F7)
	const uint32_t power = find(STM32_PWR + STM32_PWR_CR)->cell;
	struct seen *status = find(STM32_PWR + STM32_PWR_CSR);
	if (status->address != dead) {
		status->cell = power & (STM32_PWR_ODEN | STM32_PWR_ODSWEN); /* the ready bits lie at the same place */
	}
#elif defined(STM32_H7)
	find(STM32_PWR + STM32_PWR_D3CR)->cell |= STM32_PWR_VOSRDY;
	if (find(STM32_PWR + STM32_PWR_CR3)->cell == STM32_PWR_LDOEN) {
		answer(find(STM32_PWR + STM32_PWR_CSR1), 0, STM32_PWR_ACTVOSRDY);
	}
#endif
}

static void log_changes(void)
{
	for (int i = 0; i < known; ++i) {
		if (registers[i].cell != registers[i].value) {
			registers[i].value = registers[i].cell;
			printf("%08x %08x\n", (unsigned int)registers[i].address, (unsigned int)registers[i].value);
		}
	}
}

volatile uint32_t *test_register(uint32_t address)
{
	log_changes();
	react();
	log_changes();
	return &find(address)->cell;
}

int main(int argc, char **argv)
{
	dead = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 16) : 0;
	/* Values after a reset that matter: RM0402 6.3, RM0385 5.3, RM0433 6.8 and 8.7. */
#if defined(STM32_H7)
	find(STM32_RCC + STM32_RCC_PLLCFGR)->cell = 0x01FF0000u;
	find(STM32_RCC + STM32_RCC_PLLCKSELR)->cell = 0x02020200u;
	find(STM32_RCC + STM32_RCC_PLL1DIVR)->cell = 0x01010280u;
	find(STM32_PWR + STM32_PWR_CR3)->cell = 0x00000006u;
	find(STM32_FLASH + STM32_FLASH_ACR)->cell = 0x00000037u;
#else
	find(STM32_RCC + STM32_RCC_PLLCFGR)->cell = 0x24003010u;
#endif
	find(CACHES_CCR)->cell = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 16) : 0;
	find(CACHES_CCSIDR)->cell = (127u << 13) | (3u << 3); /* 16 kB: 128 sets of 4 lines of 32 bytes */
	const bool started = clock_start();
	test_register(STM32_RCC + STM32_RCC_CR);
	printf("started %d core %u uart %u\n", started, (unsigned int)clock_core_hz(), (unsigned int)clock_uart_hz());
	return 0;
}
