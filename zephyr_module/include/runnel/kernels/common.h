/* SPDX-License-Identifier: Apache-2.0
 *
 * What every kernel shares. Kernels are inlined into one generated function per distinct shape, so that all
 * members of their shape struct are constants to the compiler.
 */
#ifndef RUNNEL_KERNELS_COMMON_H_
#define RUNNEL_KERNELS_COMMON_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define RUNNEL_INLINE static inline __attribute__((always_inline))
#else
#define RUNNEL_INLINE static inline
#endif

/* One function for one shape, shared by all its layers. noipa, because gcc makes a copy for each caller otherwise, and
 * because gcc 12.2 at -O2 takes such a copy for free of side effects now and then and drops the call. */
#if defined(__GNUC__) && !defined(__clang__)
#define RUNNEL_NOINLINE __attribute__((noipa))
#elif defined(__clang__)
#define RUNNEL_NOINLINE __attribute__((noinline))
#else
#define RUNNEL_NOINLINE
#endif

/* Unrolls the loop that follows `times` times, and not more: compilers unroll short loops whole, which costs flash. */
#define RUNNEL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define RUNNEL_UNROLL(times) RUNNEL_PRAGMA(clang loop unroll_count(times))
#elif defined(__GNUC__)
#define RUNNEL_UNROLL(times) RUNNEL_PRAGMA(GCC unroll times)
#else
#define RUNNEL_UNROLL(times)
#endif

/* Hides from the compiler where `pointer` points, so that it does not load whole tiles ahead of a loop and spill. */
#if defined(__GNUC__)
#define RUNNEL_OPAQUE(pointer) __asm__("" : "+r"(pointer))
#else
#define RUNNEL_OPAQUE(pointer) (void)(pointer)
#endif

/* The same, and whatever reads through `pointer` after this comes after `value` was computed: keeps the compiler from
 * loading the next rows of a window early and spilling them. */
#if defined(__GNUC__)
#define RUNNEL_OPAQUE_AFTER(pointer, value) __asm__("" : "+r"(pointer), "+r"(value))
#else
#define RUNNEL_OPAQUE_AFTER(pointer, value) (void)(pointer)
#endif

/* 32-bit additions wrap as they do on the device; signed overflow would be undefined. */
RUNNEL_INLINE int32_t runnel_add_wrapping(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a + (uint32_t)b);
}

RUNNEL_INLINE int32_t runnel_clamp(int32_t value, int32_t low, int32_t high)
{
	value = value < low ? low : value;
	return value > high ? high : value;
}

/* gemmlowp's SaturatingRoundingDoublingHighMul: round(a * b / 2^31), halves upwards (see docs/numbers.md). */
RUNNEL_INLINE int32_t runnel_doubling_high_multiply(int32_t a, int32_t b)
{
	if (a == INT32_MIN && b == INT32_MIN) {
		return INT32_MAX;
	}
	return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* gemmlowp's RoundingDivideByPOT: round(value / 2^exponent), halves away from zero. 0 <= exponent <= 31. */
RUNNEL_INLINE int32_t runnel_rounding_divide(int32_t value, int32_t exponent)
{
	const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
	const int32_t remainder = value & mask;
	const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);

	return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* TFLite's MultiplyByQuantizedMultiplier with double rounding: value * multiplier * 2^(shift - 31). */
RUNNEL_INLINE int32_t runnel_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
	const int32_t left = shift > 0 ? shift : 0;
	const int32_t right = shift > 0 ? 0 : -shift;
	const int32_t shifted = (int32_t)((uint32_t)value << left);

	return runnel_rounding_divide(runnel_doubling_high_multiply(shifted, multiplier), right);
}

#endif /* RUNNEL_KERNELS_COMMON_H_ */
