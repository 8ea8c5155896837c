/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and bits of the STM32 registers that the drivers touch.
 *
 * F4: RM0402 (STM32F412), F7: RM0385 (STM32F74x) and RM0410 (STM32F76x), H7: RM0433 (STM32H743).
 * tests/drivers compares every one with the vendor's device headers where a Zephyr workspace has them.
 */
#ifndef STM32_REGISTERS_H
#define STM32_REGISTERS_H

#include "stm32_board.h"

/* --- Blocks ------------------------------------------------------------------------------------------------ */

#if defined(STM32_H7)
#define STM32_RCC 0x58024400u
#define STM32_PWR 0x58024800u
#define STM32_FLASH 0x52002000u
#define STM32_GPIO 0x58020000u
#define STM32_DBGMCU_IDCODE 0x5C001000u
#define STM32_DBGMCU_REVISION_POSITION 16u
#define STM32_REVISION_V 0x2003u
#define STM32_AXI_TARG7_FN_MOD 0x51008108u
#define STM32_AXI_READ_ISS_OVERRIDE 1u
#else
#define STM32_RCC 0x40023800u
#define STM32_PWR 0x40007000u
#define STM32_FLASH 0x40023C00u
#define STM32_GPIO 0x40020000u
#endif
#define STM32_GPIO_STRIDE 0x400u

#define STM32_USART1 0x40011000u
#define STM32_USART3 0x40004800u

/* --- GPIO: the same in all three families ------------------------------------------------------------------- */

#define STM32_GPIO_MODER 0x00u
#define STM32_GPIO_PUPDR 0x0Cu
#define STM32_GPIO_BSRR 0x18u
#define STM32_GPIO_AFRL 0x20u

/* --- USART: SR and DR in the F4, ISR, RDR and TDR since the F7 ------------------------------------------------- */

#if defined(STM32_F4)
#define STM32_USART_STATUS 0x00u
#define STM32_USART_RECEIVE 0x04u
#define STM32_USART_TRANSMIT 0x04u
#define STM32_USART_BRR 0x08u
#define STM32_USART_CR1 0x0Cu
#define STM32_USART_UE (1u << 13)
#else
#define STM32_USART_CR1 0x00u
#define STM32_USART_BRR 0x0Cu
#define STM32_USART_STATUS 0x1Cu
#define STM32_USART_ICR 0x20u
#define STM32_USART_RECEIVE 0x24u
#define STM32_USART_TRANSMIT 0x28u
#define STM32_USART_UE (1u << 0)
#endif

#define STM32_USART_RE (1u << 2)
#define STM32_USART_TE (1u << 3)
#define STM32_USART_PE (1u << 0)   /* from here: bits of STATUS; ICR clears the first four at the same place */
#define STM32_USART_FE (1u << 1)
#define STM32_USART_NE (1u << 2)
#define STM32_USART_ORE (1u << 3)
#define STM32_USART_RXNE (1u << 5)
#define STM32_USART_TC (1u << 6)
#define STM32_USART_TXE (1u << 7)

/* --- RCC ----------------------------------------------------------------------------------------------------- */

#define STM32_RCC_CR 0x00u
#define STM32_RCC_HSION (1u << 0)
#define STM32_RCC_PLLON (1u << 24)
#define STM32_RCC_PLLRDY (1u << 25)

#if defined(STM32_H7)
#define STM32_RCC_HSIRDY (1u << 2)
#define STM32_RCC_CFGR 0x10u
#define STM32_RCC_D1CFGR 0x18u
#define STM32_RCC_D2CFGR 0x1Cu
#define STM32_RCC_D3CFGR 0x20u
#define STM32_RCC_PLLCKSELR 0x28u
#define STM32_RCC_PLLCFGR 0x2Cu
#define STM32_RCC_PLL1DIVR 0x30u
#define STM32_RCC_GPIO_ENABLE 0xE0u  /* AHB4ENR */
#define STM32_RCC_APB1_ENABLE 0xE8u  /* APB1LENR */
#define STM32_RCC_APB2_ENABLE 0xF0u  /* APB2ENR */
#define STM32_RCC_SW_MASK 0x7u
#define STM32_RCC_SW_PLL 0x3u
#define STM32_RCC_SWS_MASK (0x7u << 3)
#define STM32_RCC_SWS_PLL (0x3u << 3)
#else
#define STM32_RCC_HSIRDY (1u << 1)
#define STM32_RCC_PLLCFGR 0x04u
#define STM32_RCC_CFGR 0x08u
#define STM32_RCC_GPIO_ENABLE 0x30u  /* AHB1ENR */
#define STM32_RCC_APB1_ENABLE 0x40u  /* APB1ENR */
#define STM32_RCC_APB2_ENABLE 0x44u  /* APB2ENR */
#define STM32_RCC_SW_MASK 0x3u
#define STM32_RCC_SW_PLL 0x2u
#define STM32_RCC_SWS_MASK (0x3u << 2)
#define STM32_RCC_SWS_PLL (0x2u << 2)
#define STM32_RCC_PPRE1_POSITION 10u
#define STM32_RCC_PPRE2_POSITION 13u
#define STM32_RCC_PLLN_POSITION 6u
#define STM32_RCC_PLLP_POSITION 16u
#define STM32_RCC_PLLQ_POSITION 24u
#define STM32_RCC_PWREN (1u << 28)   /* of APB1_ENABLE */
#endif

#define STM32_RCC_USART1EN (1u << 4)  /* of APB2_ENABLE */
#define STM32_RCC_USART3EN (1u << 18) /* of APB1_ENABLE */

/* --- PWR, FLASH ------------------------------------------------------------------------------------------------ */

#if defined(STM32_H7)
#define STM32_PWR_CSR1 0x04u
#define STM32_PWR_ACTVOSRDY (1u << 13)
#define STM32_PWR_CR3 0x0Cu
#define STM32_PWR_SUPPLY_MASK 0x7u /* SCUEN, LDOEN, BYPASS */
#define STM32_PWR_LDOEN (1u << 1)
#define STM32_PWR_D3CR 0x18u
#define STM32_PWR_VOSRDY (1u << 13)
#define STM32_PWR_VOS_MASK (0x3u << 14)
#define STM32_PWR_VOS_SCALE_1 (0x3u << 14)
#else
#define STM32_PWR_CR 0x00u  /* CR1 in the F7 */
#define STM32_PWR_CSR 0x04u /* CSR1 in the F7 */
#define STM32_PWR_VOS_MASK (0x3u << 14)
#define STM32_PWR_VOS_SCALE_1 (0x3u << 14)
#if defined(STM32_F7)
#define STM32_PWR_ODEN (1u << 16)
#define STM32_PWR_ODSWEN (1u << 17)
#define STM32_PWR_ODRDY (1u << 16)
#define STM32_PWR_ODSWRDY (1u << 17)
#endif
#endif

#define STM32_FLASH_ACR 0x00u
#if defined(STM32_F4)
#define STM32_FLASH_LATENCY_MASK 0x7u
#else
#define STM32_FLASH_LATENCY_MASK 0xFu
#endif
#if defined(STM32_H7)
#define STM32_FLASH_WRHIGHFREQ_MASK (0x3u << 4)
#define STM32_FLASH_WRHIGHFREQ_2 (0x2u << 4)
#else
#define STM32_FLASH_PRFTEN (1u << 8)
#if defined(STM32_F4)
#define STM32_FLASH_ICEN (1u << 9)
#define STM32_FLASH_DCEN (1u << 10)
#else
#define STM32_FLASH_ARTEN (1u << 9)
#endif
#endif

#endif /* STM32_REGISTERS_H */
