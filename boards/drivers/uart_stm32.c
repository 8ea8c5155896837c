/* SPDX-License-Identifier: Apache-2.0 */
/* The console USART of an STM32 board: RM0402 26 (F4), RM0385 31 (F7), RM0433 48 (H7). */
#include "uart.h"

#include "clock.h"
#include "stm32_pins.h"

#if STM32_CONSOLE_USART == 1
#define CONSOLE STM32_USART1
#define CONSOLE_ENABLE_REGISTER (STM32_RCC + STM32_RCC_APB2_ENABLE)
#define CONSOLE_ENABLE STM32_RCC_USART1EN
#else
#define CONSOLE STM32_USART3
#define CONSOLE_ENABLE_REGISTER (STM32_RCC + STM32_RCC_APB1_ENABLE)
#define CONSOLE_ENABLE STM32_RCC_USART3EN
#endif

#define ERRORS (STM32_USART_ORE | STM32_USART_NE | STM32_USART_FE | STM32_USART_PE)

static uint32_t status(void)
{
	return REGISTER(CONSOLE + STM32_USART_STATUS);
}

void uart_start(uint32_t baud)
{
	stm32_pin_use_alternate(stm32_board.transmit, stm32_board.alternate_function);
	stm32_pin_use_alternate(stm32_board.receive, stm32_board.alternate_function);
	stm32_pin_pull_up(stm32_board.receive); /* an open line reads as idle, not as noise */
	REGISTER(CONSOLE_ENABLE_REGISTER) |= CONSOLE_ENABLE;
	(void)REGISTER(CONSOLE_ENABLE_REGISTER);
	REGISTER(CONSOLE + STM32_USART_CR1) = 0; /* BRR may be written only while it is off */
	REGISTER(CONSOLE + STM32_USART_BRR) = (clock_uart_hz() + baud / 2u) / baud;
	REGISTER(CONSOLE + STM32_USART_CR1) = STM32_USART_TE | STM32_USART_RE | STM32_USART_UE;
}

void uart_write(uint8_t byte)
{
	while ((status() & STM32_USART_TXE) == 0) {
	}
	REGISTER(CONSOLE + STM32_USART_TRANSMIT) = byte;
}

/* An overrun blocks the receiver until it is cleared: in the F4 by reading SR, then DR; later by ICR. */
bool uart_read(uint8_t *byte)
{
	const uint32_t now = status();
#if defined(STM32_F4)
	if ((now & (STM32_USART_RXNE | ERRORS)) == 0) {
		return false;
	}
	const uint8_t received = (uint8_t)REGISTER(CONSOLE + STM32_USART_RECEIVE);
#else
	if ((now & ERRORS) != 0) {
		REGISTER(CONSOLE + STM32_USART_ICR) = now & ERRORS;
	}
	if ((now & STM32_USART_RXNE) == 0) {
		return false;
	}
	const uint8_t received = (uint8_t)REGISTER(CONSOLE + STM32_USART_RECEIVE);
#endif
	*byte = received;
	return (now & STM32_USART_RXNE) != 0;
}

void uart_flush(void)
{
	while ((status() & STM32_USART_TC) == 0) {
	}
}
