/* SPDX-License-Identifier: Apache-2.0 */
/* Instruction and data cache of the Cortex-M7 (Armv7-M ARM B2.2.7, B3.2.3); nothing on cores without. */
#ifndef CACHES_H
#define CACHES_H

#include "registers.h"

#define CACHES_CCR 0xE000ED14u
#define CACHES_CCSIDR 0xE000ED80u
#define CACHES_CSSELR 0xE000ED84u
#define CACHES_ICIALLU 0xE000EF50u
#define CACHES_DCISW 0xE000EF60u

#define CACHES_CCR_DC (1u << 16)
#define CACHES_CCR_IC (1u << 17)
#define CACHES_WAY_POSITION 30u /* of a cache with 4 ways, the Cortex-M7's data cache */
#define CACHES_SET_POSITION 5u  /* lines of 32 bytes */

static inline void caches_barrier(void)
{
#if defined(__arm__)
	__asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
}

/* What the data cache holds after a reset is undefined: it is thrown away line by line before the cache goes on. */
static inline void caches_invalidate_data(void)
{
	REGISTER(CACHES_CSSELR) = 0; /* level 1, data */
	caches_barrier();
	const uint32_t geometry = REGISTER(CACHES_CCSIDR);
	const uint32_t last_set = (geometry >> 13) & 0x7FFFu;
	const uint32_t last_way = (geometry >> 3) & 0x3FFu;
	for (uint32_t set = 0; set <= last_set; ++set) {
		for (uint32_t way = 0; way <= last_way; ++way) {
			REGISTER(CACHES_DCISW) = (set << CACHES_SET_POSITION) | (way << CACHES_WAY_POSITION);
		}
	}
	caches_barrier();
}

static inline void caches_enable(void)
{
	caches_barrier();
	if ((REGISTER(CACHES_CCR) & CACHES_CCR_IC) == 0) {
		REGISTER(CACHES_ICIALLU) = 0;
		caches_barrier();
		REGISTER(CACHES_CCR) |= CACHES_CCR_IC;
	}
	/* Where a debugger or boot loader switched it on, invalidating would lose data. */
	if ((REGISTER(CACHES_CCR) & CACHES_CCR_DC) == 0) {
		caches_invalidate_data();
		REGISTER(CACHES_CCR) |= CACHES_CCR_DC;
	}
	caches_barrier();
}

#endif /* CACHES_H */
