/* SPDX-License-Identifier: Apache-2.0 */
/* A serial line without interrupts and without a queue: one byte in, one byte out. 8 data bits, no parity, 1 stop. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

/* Clocks must run already (clock_start). Pins and instance are those of the board. */
void uart_start(uint32_t baud);

/* Waits until the byte is on its way. */
void uart_write(uint8_t byte);

/* True when a byte had arrived. A byte that nobody reads before the next one arrives is lost. */
bool uart_read(uint8_t *byte);

/* Waits until the last byte has left the wire, as is needed before a reset. */
void uart_flush(void);

#endif /* UART_H */
