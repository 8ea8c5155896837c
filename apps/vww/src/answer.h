/* SPDX-License-Identifier: Apache-2.0 */
/* What the output of a classifier says, in thousandths. */
#ifndef ANSWER_H_
#define ANSWER_H_

#include <stdbool.h>
#include <stdint.h>

#include "runnel/runnel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first output of a model: how many values, the one that is asked about, and how a value becomes thousandths. */
struct answer {
	uint32_t values;
	uint32_t index;
	const char *label;
	int32_t zero_point;
	int32_t thousandths; /* for one step, in 1 / 65536 */
};

/*
 * Looks for the value with this label. Without labels, or without that one, it is the last value. False when the
 * output is not int8 or its scale is out of range.
 */
bool answer_prepare(struct answer *answer, const struct runnel_model *model, const char *label);

/* The score of that value in thousandths; of a probability 0 to 1000. */
int32_t answer_score(const struct answer *answer, const int8_t *output);

#ifdef __cplusplus
}
#endif

#endif /* ANSWER_H_ */
