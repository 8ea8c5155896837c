/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full speed for the STM32 boards, from the internal oscillator: no crystal or jumper of the board matters.
 * It is exact to about 1 % at room temperature, enough for the UART; cycles are counted, so they stay exact.
 */
#include "clock.h"

#include "registers.h"
#include "stm32_registers.h"

#if defined(STM32_H7)
#include "caches.h"
#include "clock_stm32h7.h"
#elif defined(STM32_F7)
#include "caches.h"
#include "clock_stm32f4f7.h"
#else
#include "clock_stm32f4f7.h"

static void caches_enable(void)
{
}
#endif

static bool at_full_speed;

static bool select_pll(void)
{
	register_set_field(STM32_RCC + STM32_RCC_CFGR, STM32_RCC_SW_MASK, STM32_RCC_SW_PLL);
	return register_reaches(STM32_RCC + STM32_RCC_CFGR, STM32_RCC_SWS_MASK, STM32_RCC_SWS_PLL);
}

static bool start_pll(void)
{
	const uint32_t control = STM32_RCC + STM32_RCC_CR;
	REGISTER(control) |= STM32_RCC_PLLON;
	return register_reaches(control, STM32_RCC_PLLRDY, STM32_RCC_PLLRDY);
}

bool clock_start(void)
{
	caches_enable();
	if ((REGISTER(STM32_RCC + STM32_RCC_CFGR) & STM32_RCC_SWS_MASK) == STM32_RCC_SWS_PLL) {
		/* Not after a reset; a boot loader chose other speeds than the ones that are set here. */
		register_set_field(STM32_RCC + STM32_RCC_CFGR, STM32_RCC_SW_MASK, 0);
		register_reaches(STM32_RCC + STM32_RCC_CFGR, STM32_RCC_SWS_MASK, 0);
	}
	REGISTER(STM32_RCC + STM32_RCC_CR) |= STM32_RCC_HSION;
	at_full_speed = register_reaches(STM32_RCC + STM32_RCC_CR, STM32_RCC_HSIRDY, STM32_RCC_HSIRDY) &&
			prepare_power() && configure_pll() && start_pll() && finish_power() && prepare_buses() &&
			select_pll();
	return at_full_speed;
}

uint32_t clock_core_hz(void)
{
	return at_full_speed ? CORE_HZ : HSI_HZ;
}

uint32_t clock_uart_hz(void)
{
	return at_full_speed ? UART_HZ : HSI_HZ;
}
