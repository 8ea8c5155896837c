/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of a board, and its caches. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Brings core and buses to the board's full speed and switches the caches on. Call it once, first.
 * False when an oscillator or the PLL does not start; then everything runs on from the internal oscillator, slower.
 */
bool clock_start(void);

/* What clock_start() reached, in Hz. */
uint32_t clock_core_hz(void);

/* Clock in front of the board's console UART, in Hz. */
uint32_t clock_uart_hz(void);

#endif /* CLOCK_H */
