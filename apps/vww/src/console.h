/* SPDX-License-Identifier: Apache-2.0 */
/* All that the app prints: lines of `key: value`. */
#ifndef CONSOLE_H_
#define CONSOLE_H_

#include <stdint.h>

#include "answer.h"
#include "decision.h"
#include "runnel/runnel.h"

/* Frames since the last statistics, and what they took. */
struct statistics {
	uint32_t start; /* milliseconds, of the port */
	uint32_t frames;
	uint64_t image_cycles;
	uint64_t model_cycles;
};

void console_model(const struct runnel_model *model);

/* person: 0.88 (12 ms) */
void console_score(const struct answer *answer, int32_t score, uint32_t cycles);

/* , output: -97 97 */
void console_output(const struct answer *answer, const int8_t *output);

void console_statistics(const struct statistics *statistics, const struct runnel_model *model);

void console_decision(const struct answer *answer, const struct decision *decision);

#endif /* CONSOLE_H_ */
