/* SPDX-License-Identifier: Apache-2.0
 *
 * The DSP instructions of ARMv7E-M and ARMv8-M that the kernels use, each with a C twin for other processors,
 * so that every DSP kernel also runs (slowly, under sanitizers) on the host.
 */
#ifndef RUNNEL_KERNELS_DSP_INTRINSICS_H_
#define RUNNEL_KERNELS_DSP_INTRINSICS_H_

#include "runnel/kernels/common.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the DSP kernels take bytes out of words: they need a little-endian processor"
#endif

/* Four int8 as one little-endian word; the address need not be aligned. */
RUNNEL_INLINE uint32_t runnel_load_word(const int8_t *address)
{
	uint32_t word;

	memcpy(&word, address, sizeof(word));
	return word;
}

/* Two int16 as one word. */
RUNNEL_INLINE uint32_t runnel_load_pair(const int16_t *address)
{
	uint32_t word;

	memcpy(&word, address, sizeof(word));
	return word;
}

RUNNEL_INLINE void runnel_store_pair(int16_t *address, uint32_t pair)
{
	memcpy(address, &pair, sizeof(pair));
}

#if defined(__ARM_FEATURE_DSP)

/* Bytes 0 and 2 as a pair of int16. */
RUNNEL_INLINE uint32_t runnel_sxtb16(uint32_t word)
{
	uint32_t result;

	__asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
	return result;
}

/* Bytes 1 and 3 as a pair of int16. */
RUNNEL_INLINE uint32_t runnel_sxtb16_odd(uint32_t word)
{
	uint32_t result;

	__asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
	return result;
}

/* acc + a.low * b.low + a.high * b.high */
RUNNEL_INLINE int32_t runnel_smlad(uint32_t a, uint32_t b, int32_t acc)
{
	int32_t result;

	__asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
	return result;
}

#else

RUNNEL_INLINE uint32_t runnel_pair(int32_t low, int32_t high)
{
	return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

RUNNEL_INLINE uint32_t runnel_sxtb16(uint32_t word)
{
	return runnel_pair((int8_t)(uint8_t)(word & 0xffu), (int8_t)(uint8_t)((word >> 16) & 0xffu));
}

RUNNEL_INLINE uint32_t runnel_sxtb16_odd(uint32_t word)
{
	return runnel_sxtb16(word >> 8);
}

RUNNEL_INLINE int32_t runnel_smlad(uint32_t a, uint32_t b, int32_t acc)
{
	const int32_t low = (int16_t)(uint16_t)(a & 0xffffu) * (int16_t)(uint16_t)(b & 0xffffu);
	const int32_t high = (int16_t)(uint16_t)(a >> 16) * (int16_t)(uint16_t)(b >> 16);

	return runnel_add_wrapping(acc, runnel_add_wrapping(low, high));
}

#endif

#endif /* RUNNEL_KERNELS_DSP_INTRINSICS_H_ */
