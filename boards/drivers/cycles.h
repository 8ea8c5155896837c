/* SPDX-License-Identifier: Apache-2.0 */
/* The core's cycle counter (DWT, Armv7-M ARM C1.8): 32 bits, wraps after 20 s at 216 MHz and 10 s at 400 MHz. */
#ifndef CYCLES_H
#define CYCLES_H

#include <stdint.h>

#include "registers.h"

#define CYCLES_DEMCR 0xE000EDFCu
#define CYCLES_DWT_CTRL 0xE0001000u
#define CYCLES_DWT_CYCCNT 0xE0001004u
#define CYCLES_DWT_LAR 0xE0001FB0u /* lock access: the Cortex-M7 ignores writes to the DWT until it is unlocked */

#define CYCLES_DEMCR_TRCENA (1u << 24)
#define CYCLES_DWT_CTRL_CYCCNTENA (1u << 0)
#define CYCLES_DWT_UNLOCK 0xC5ACCE55u

/* Starts to count from 0. */
static inline void cycles_start(void)
{
	REGISTER(CYCLES_DEMCR) |= CYCLES_DEMCR_TRCENA;
	REGISTER(CYCLES_DWT_LAR) = CYCLES_DWT_UNLOCK;
	REGISTER(CYCLES_DWT_CYCCNT) = 0;
	REGISTER(CYCLES_DWT_CTRL) |= CYCLES_DWT_CTRL_CYCCNTENA;
}

static inline uint32_t cycles_now(void)
{
	return REGISTER(CYCLES_DWT_CYCCNT);
}

#endif /* CYCLES_H */
