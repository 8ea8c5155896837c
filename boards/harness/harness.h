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

/* Runs `function` and adds what it took. `stack_bytes` is the most that any call used, callees included. */
struct harness_measurement {
	uint64_t ticks;
	uint32_t stack_bytes;
};

int harness_measure(int (*function)(void), struct harness_measurement *measurement);

#endif /* HARNESS_H */
