/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUNNEL_ARENA(name, size): defines the arena of a model, the one static SRAM array it works in.
 *
 * Use it once, at file scope, in the model's own <model>_arena.c, and declare the array where it is read:
 *
 *     RUNNEL_ARENA(vww_arena, 60400)              extern uint8_t vww_arena[60400];
 *
 * `size` is in bytes. The array starts at a multiple of RUNNEL_ARENA_ALIGNMENT bytes and its symbol is exactly
 * `size` bytes long. A product places it by defining, before this header is read,
 *   RUNNEL_ARENA_ATTRIBUTES  for example  __attribute__((section(".dtcm")))
 * or by defining the whole macro RUNNEL_ARENA itself.
 *
 * RUNNEL_ARENA_SHARED(name, size, array): makes `name` another name for the first `size` bytes of `array`, which the
 * same file defines with RUNNEL_ARENA. Models that never run at the same time share one arena so; `runnel arena`
 * writes that file. It needs ELF (every Cortex-M toolchain, Linux).
 *
 * RUNNEL_ARENA_GUARD_BYTES (a plain decimal multiple of RUNNEL_ARENA_ALIGNMENT, given on the command line of a
 * test build) puts that many bytes before and after the arena. They belong to <name>_guarded, which is
 * <name>_guarded_bytes long; whoever tests fills them and sees whether the model wrote outside its arena.
 */
#ifndef RUNNEL_ARENA_H_
#define RUNNEL_ARENA_H_

#include <stdint.h>

#define RUNNEL_ARENA_ALIGNMENT 16

#ifdef __cplusplus
#define RUNNEL_ARENA_EXTERN extern "C"
#define RUNNEL_ARENA_ALIGNED alignas(RUNNEL_ARENA_ALIGNMENT)
#else
#define RUNNEL_ARENA_EXTERN extern
#define RUNNEL_ARENA_ALIGNED _Alignas(RUNNEL_ARENA_ALIGNMENT)
#endif

#ifndef RUNNEL_ARENA_ATTRIBUTES
#define RUNNEL_ARENA_ATTRIBUTES
#endif

#define RUNNEL_ARENA_TEXT_(x) #x
#define RUNNEL_ARENA_TEXT(x) RUNNEL_ARENA_TEXT_(x)

#ifndef RUNNEL_ARENA
#ifdef RUNNEL_ARENA_GUARD_BYTES
/* C has no alias into the middle of an object, the assembler has: the arena is the guarded array plus the guard. */
#define RUNNEL_ARENA(name, size)                                                                   \
	RUNNEL_ARENA_EXTERN uint8_t name##_guarded[(size) + 2 * RUNNEL_ARENA_GUARD_BYTES];         \
	RUNNEL_ARENA_EXTERN const uint32_t name##_guarded_bytes;                                   \
	RUNNEL_ARENA_ATTRIBUTES RUNNEL_ARENA_ALIGNED uint8_t                                       \
		name##_guarded[(size) + 2 * RUNNEL_ARENA_GUARD_BYTES];                             \
	const uint32_t name##_guarded_bytes = sizeof(name##_guarded);                              \
	__asm__(".globl " #name "\n\t.type " #name ", %object\n\t.set " #name ", " #name           \
		"_guarded + " RUNNEL_ARENA_TEXT(RUNNEL_ARENA_GUARD_BYTES));                        \
	RUNNEL_ARENA_EXTERN uint8_t name[(size)];
#else
#define RUNNEL_ARENA(name, size)                                                                   \
	RUNNEL_ARENA_EXTERN uint8_t name[(size)];                                                  \
	RUNNEL_ARENA_ATTRIBUTES RUNNEL_ARENA_ALIGNED uint8_t name[(size)];
#endif
#endif

#define RUNNEL_ARENA_SIZE_(name, size) __asm__(".size " #name ", " RUNNEL_ARENA_TEXT(size));
#ifdef __SANITIZE_ADDRESS__
/* gcc's address sanitizer takes an alias for an array of its own and forbids the bytes behind it. */
#define RUNNEL_ARENA_ALIAS_(name, size, array)                                                     \
	RUNNEL_ARENA_EXTERN uint8_t name[(size)];                                                  \
	__asm__(".globl " #name "\n\t.type " #name ", %object\n\t.set " #name ", " #array);
#else
#define RUNNEL_ARENA_ALIAS_(name, size, array)                                                     \
	RUNNEL_ARENA_EXTERN uint8_t name[(size)] __attribute__((alias(#array)));
#endif
/* The assembler gives an alias the size of the whole array unless it is told. */
#define RUNNEL_ARENA_SHARED(name, size, array)                                                     \
	RUNNEL_ARENA_ALIAS_(name, size, array)                                                     \
	RUNNEL_ARENA_SIZE_(name, size)

#endif /* RUNNEL_ARENA_H_ */
