/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of clock_stm32.c for the STM32H743 (RM0433 4.3, 6.6, 8.5).
 *
 * 400 MHz, not 480: 480 needs revision V of the chip and voltage scale 0; 400 runs on every revision.
 * HSI 64 MHz / 8 = 8 MHz into PLL 1, times 100, / 2 for the core.
 */
#ifndef CLOCK_STM32H7_H
#define CLOCK_STM32H7_H

#include "registers.h"
#include "stm32_registers.h"

#define HSI_HZ 64000000u
#define CORE_HZ 400000000u
#define UART_HZ 100000000u /* APB1: the USART's clock after a reset */

#define PLL_M 8u
#define PLL_N 100u
#define PLL_P 2u

#define PLLCKSELR_SOURCE_AND_M1 0x3F3u
#define PLLCKSELR_M1_POSITION 4u
#define PLLCFGR_PLL1_FIELDS 0x0007000Fu     /* output enables; range, VCO and fraction of PLL 1 */
#define PLLCFGR_INPUT_8_TO_16_MHZ (3u << 2)
#define PLLCFGR_P_ENABLE (1u << 16)
#define PLL1DIVR_Q_AND_R_BY_2 ((1u << 16) | (1u << 24))
#define PLL1DIVR_P_POSITION 9u

#define D1_AHB_BY_2 8u         /* HPRE: 200 MHz for AXI, AHB and flash */
#define D1_APB3_BY_2 (4u << 4) /* D1PPRE: 100 MHz */
#define D1_FIELDS 0xF7Fu       /* D1CPRE (the core, not divided), D1PPRE, HPRE */
#define D2_APB1_APB2_BY_2 ((4u << 4) | (4u << 8))
#define D2_FIELDS 0x770u
#define D3_APB4_BY_2 (4u << 4)
#define D3_FIELDS 0x70u

#define FLASH_WAIT_STATES 2u /* RM0433 table 17: 185 to 210 MHz at voltage scale 1, programming delay 2 */

/*
 * The first revisions of the chip (Z and Y) may read wrong data from the AXI SRAM, where the arena lies; the erratum's
 * way round is to let that memory take one read at a time (ES0392, "Reading from AXI SRAM may lead to data read
 * corruption"). Revision V needs it no more.
 */
static void avoid_axi_sram_erratum(void)
{
	if (REGISTER(STM32_DBGMCU_IDCODE) >> STM32_DBGMCU_REVISION_POSITION < STM32_REVISION_V) {
		REGISTER(STM32_AXI_TARG7_FN_MOD) = STM32_AXI_READ_ISS_OVERRIDE;
	}
}

/* The supply must be confirmed once after power-on before the voltage scale can change (RM0433 6.4.1). */
static bool prepare_power(void)
{
	avoid_axi_sram_erratum();
	const uint32_t control = STM32_RCC + STM32_RCC_CR;
	REGISTER(control) &= ~STM32_RCC_PLLON;
	if (!register_reaches(control, STM32_RCC_PLLRDY, 0)) {
		return false;
	}
	register_set_field(STM32_PWR + STM32_PWR_CR3, STM32_PWR_SUPPLY_MASK, STM32_PWR_LDOEN);
	if (!register_reaches(STM32_PWR + STM32_PWR_CSR1, STM32_PWR_ACTVOSRDY, STM32_PWR_ACTVOSRDY)) {
		return false;
	}
	register_set_field(STM32_PWR + STM32_PWR_D3CR, STM32_PWR_VOS_MASK, STM32_PWR_VOS_SCALE_1);
	return register_reaches(STM32_PWR + STM32_PWR_D3CR, STM32_PWR_VOSRDY, STM32_PWR_VOSRDY);
}

static bool configure_pll(void)
{
	register_set_field(STM32_RCC + STM32_RCC_PLLCKSELR, PLLCKSELR_SOURCE_AND_M1, PLL_M << PLLCKSELR_M1_POSITION);
	register_set_field(STM32_RCC + STM32_RCC_PLLCFGR, PLLCFGR_PLL1_FIELDS,
			   PLLCFGR_INPUT_8_TO_16_MHZ | PLLCFGR_P_ENABLE);
	REGISTER(STM32_RCC + STM32_RCC_PLL1DIVR) =
		(PLL_N - 1u) | ((PLL_P - 1u) << PLL1DIVR_P_POSITION) | PLL1DIVR_Q_AND_R_BY_2;
	return true;
}

static bool finish_power(void)
{
	return true;
}

/* Slower buses and slower flash before the faster clock. */
static bool prepare_buses(void)
{
	const uint32_t acr = STM32_FLASH + STM32_FLASH_ACR;
	const uint32_t timing = FLASH_WAIT_STATES | STM32_FLASH_WRHIGHFREQ_2;
	const uint32_t mask = STM32_FLASH_LATENCY_MASK | STM32_FLASH_WRHIGHFREQ_MASK;
	register_set_field(acr, mask, timing);
	if (!register_reaches(acr, mask, timing)) {
		return false;
	}
	register_set_field(STM32_RCC + STM32_RCC_D1CFGR, D1_FIELDS, D1_AHB_BY_2 | D1_APB3_BY_2);
	register_set_field(STM32_RCC + STM32_RCC_D2CFGR, D2_FIELDS, D2_APB1_APB2_BY_2);
	register_set_field(STM32_RCC + STM32_RCC_D3CFGR, D3_FIELDS, D3_APB4_BY_2);
	return true;
}

#endif /* CLOCK_STM32H7_H */
