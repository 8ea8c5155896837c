/* SPDX-License-Identifier: Apache-2.0 */
/* The model as the harness sees it; harness_model.c, written at build time, fills it in. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdint.h>

struct harness_input {
	uint8_t *(*pointer)(void); /* valid until the model runs */
	uint32_t bytes;
};

struct harness_output {
	const uint8_t *(*pointer)(void); /* valid until the next run */
	uint32_t bytes;
};

struct harness_model {
	const char *name;
	const struct harness_input *inputs;
	const struct harness_output *outputs;
	uint32_t input_count;
	uint32_t output_count;
	int (*run)(void);
	int (*selftest)(void);          /* NULL where it is not to be called */
	uint8_t *guarded;               /* the arena with its guard bytes, or NULL */
	const uint32_t *guarded_bytes;
	uint32_t guard_bytes;           /* on each side */
};

extern const struct harness_model harness_model;

/* What read_row() returns when the model asks for a row that is none of the input's. */
#define HARNESS_NO_SUCH_ROW (-100)

/* As memcpy, by words: it is part of what is measured of a model that asks for rows, and a camera's DMA would do it. */
static inline void harness_copy(void *destination, const void *source, uint32_t bytes)
{
	struct __attribute__((packed, may_alias)) words {
		uint32_t word[4];
	};
	uint8_t *to = destination;
	const uint8_t *from = source;

	for (; bytes >= sizeof(struct words); bytes -= (uint32_t)sizeof(struct words)) {
		*(struct words *)to = *(const struct words *)from;
		to += sizeof(struct words);
		from += sizeof(struct words);
	}
	for (; bytes > 0; --bytes) {
		*to++ = *from++;
	}
}

/* Runs `function` and adds what it took. `stack_bytes` is the most that any call used, callees included. */
struct harness_measurement {
	uint64_t ticks;
	uint32_t stack_bytes;
};

int harness_measure(int (*function)(void), struct harness_measurement *measurement);

#endif /* HARNESS_H */
