/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of clock_stm32.c for the STM32F4 (RM0402 3.4, 5.3, 6.2) and the STM32F7 (RM0385 3.3, 4.1, 5.2).
 *
 * HSI 16 MHz / 8 = 2 MHz into the PLL, which both manuals advise against jitter; times N; / 2 for the core.
 */
#ifndef CLOCK_STM32F4F7_H
#define CLOCK_STM32F4F7_H

#include "registers.h"
#include "stm32_registers.h"

#define HSI_HZ 16000000u
#define PLL_M 8u
#define PLL_P_DIVIDES_BY_2 0u

#define APB_DIVIDE_BY_1 0u
#define APB_DIVIDE_BY_2 4u
#define APB_DIVIDE_BY_4 5u

#if defined(STM32_F7)
#define PLL_N 216u /* 432 MHz, 216 for the core */
#define PLL_Q 9u   /* 48 MHz */
#define CORE_HZ 216000000u
#define APB1_DIVIDER APB_DIVIDE_BY_4 /* 54 MHz, the most it takes */
#define APB2_DIVIDER APB_DIVIDE_BY_2 /* 108 MHz, likewise */
#define APB1_HZ 54000000u
#define APB2_HZ 108000000u
#define FLASH_WAIT_STATES 7u /* RM0385 table 5: above 210 MHz at 2.7 to 3.6 V */
#define FLASH_ACCELERATOR (STM32_FLASH_ARTEN | STM32_FLASH_PRFTEN)
#else
#define PLL_N 100u /* 200 MHz, 100 for the core */
#define PLL_Q 5u   /* 40 MHz; nothing uses it, it must stay below 48 */
#define CORE_HZ 100000000u
#define APB1_DIVIDER APB_DIVIDE_BY_2 /* 50 MHz, the most it takes */
#define APB2_DIVIDER APB_DIVIDE_BY_1
#define APB1_HZ 50000000u
#define APB2_HZ 100000000u
#define FLASH_WAIT_STATES 3u /* RM0402 table 5: above 90 MHz at 2.7 to 3.6 V */
#define FLASH_ACCELERATOR (STM32_FLASH_ICEN | STM32_FLASH_DCEN | STM32_FLASH_PRFTEN)
#endif

#define PLLCFGR_PLL_FIELDS 0x0F437FFFu /* Q, source, P, N, M: what is above and between has reset values to keep */

#if STM32_CONSOLE_USART == 1
#define UART_HZ APB2_HZ
#else
#define UART_HZ APB1_HZ
#endif

/* The voltage that full speed needs; it can be set only while the PLL is off. */
static bool prepare_power(void)
{
	const uint32_t control = STM32_RCC + STM32_RCC_CR;
	REGISTER(STM32_RCC + STM32_RCC_APB1_ENABLE) |= STM32_RCC_PWREN;
	(void)REGISTER(STM32_RCC + STM32_RCC_APB1_ENABLE);
	REGISTER(control) &= ~STM32_RCC_PLLON;
	if (!register_reaches(control, STM32_RCC_PLLRDY, 0)) {
		return false;
	}
	register_set_field(STM32_PWR + STM32_PWR_CR, STM32_PWR_VOS_MASK, STM32_PWR_VOS_SCALE_1);
	return true;
}

static bool configure_pll(void)
{
	register_set_field(STM32_RCC + STM32_RCC_PLLCFGR, PLLCFGR_PLL_FIELDS,
			   PLL_M | (PLL_N << STM32_RCC_PLLN_POSITION) |
				   (PLL_P_DIVIDES_BY_2 << STM32_RCC_PLLP_POSITION) |
				   (PLL_Q << STM32_RCC_PLLQ_POSITION));
	return true;
}

/* Above 180 MHz the STM32F7 needs its over-drive: on, then switched to, each confirmed (RM0385 4.1.4). */
static bool finish_power(void)
{
#if defined(STM32_F7)
	REGISTER(STM32_PWR + STM32_PWR_CR) |= STM32_PWR_ODEN;
	if (!register_reaches(STM32_PWR + STM32_PWR_CSR, STM32_PWR_ODRDY, STM32_PWR_ODRDY)) {
		return false;
	}
	REGISTER(STM32_PWR + STM32_PWR_CR) |= STM32_PWR_ODSWEN;
	return register_reaches(STM32_PWR + STM32_PWR_CSR, STM32_PWR_ODSWRDY, STM32_PWR_ODSWRDY);
#else
	return true;
#endif
}

/* Slower buses and slower flash before the faster clock. */
static bool prepare_buses(void)
{
	const uint32_t acr = STM32_FLASH + STM32_FLASH_ACR;
	REGISTER(acr) = FLASH_WAIT_STATES | FLASH_ACCELERATOR;
	if (!register_reaches(acr, STM32_FLASH_LATENCY_MASK, FLASH_WAIT_STATES)) {
		return false;
	}
	const uint32_t mask = (7u << STM32_RCC_PPRE1_POSITION) | (7u << STM32_RCC_PPRE2_POSITION);
	register_set_field(STM32_RCC + STM32_RCC_CFGR, mask,
			   (APB1_DIVIDER << STM32_RCC_PPRE1_POSITION) |
				   (APB2_DIVIDER << STM32_RCC_PPRE2_POSITION));
	return true;
}

#endif /* CLOCK_STM32F4F7_H */
