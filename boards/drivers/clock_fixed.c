/* SPDX-License-Identifier: Apache-2.0 */
/* Emulated boards, whose clocks run from the start. The build defines CLOCK_HZ and UART_CLOCK_HZ. */
#include "clock.h"

bool clock_start(void)
{
	return true;
}

uint32_t clock_core_hz(void)
{
	return CLOCK_HZ;
}

uint32_t clock_uart_hz(void)
{
	return UART_CLOCK_HZ;
}
