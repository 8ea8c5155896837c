/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The APB UART of Arm's Cortex-M System Design Kit (DDI0479, 4.3), as QEMU's MPS2 and MPS3 boards have it.
 * The build defines UART_ADDRESS.
 */
#include "uart.h"

#include "clock.h"
#include "registers.h"

#define CMSDK_UART_DATA (UART_ADDRESS + 0x00u)
#define CMSDK_UART_STATE (UART_ADDRESS + 0x04u)
#define CMSDK_UART_CONTROL (UART_ADDRESS + 0x08u)
#define CMSDK_UART_BAUD_DIVIDER (UART_ADDRESS + 0x10u)

#define STATE_TRANSMIT_FULL (1u << 0)
#define STATE_RECEIVE_FULL (1u << 1)
#define CONTROL_TRANSMIT (1u << 0)
#define CONTROL_RECEIVE (1u << 1)
#define SMALLEST_DIVIDER 16u

void uart_start(uint32_t baud)
{
	const uint32_t divider = clock_uart_hz() / baud;
	REGISTER(CMSDK_UART_BAUD_DIVIDER) = divider < SMALLEST_DIVIDER ? SMALLEST_DIVIDER : divider;
	REGISTER(CMSDK_UART_CONTROL) = CONTROL_TRANSMIT | CONTROL_RECEIVE;
}

void uart_write(uint8_t byte)
{
	while ((REGISTER(CMSDK_UART_STATE) & STATE_TRANSMIT_FULL) != 0) {
	}
	REGISTER(CMSDK_UART_DATA) = byte;
}

bool uart_read(uint8_t *byte)
{
	if ((REGISTER(CMSDK_UART_STATE) & STATE_RECEIVE_FULL) == 0) {
		return false;
	}
	*byte = (uint8_t)REGISTER(CMSDK_UART_DATA);
	return true;
}

void uart_flush(void)
{
	while ((REGISTER(CMSDK_UART_STATE) & STATE_TRANSMIT_FULL) != 0) {
	}
}
