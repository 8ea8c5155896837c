/* SPDX-License-Identifier: Apache-2.0 */
/* apps/vww/src/answer.c for tests: LABEL LABELS(comma) SCALE ZERO_POINT VALUE...: prints index, label and score. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define MOST 16

int main(int count, char **words)
{
	const char *labels[MOST];
	int32_t label_count = 0;
	for (char *label = strtok(words[2], ","); label != NULL; label = strtok(NULL, ",")) {
		labels[label_count++] = label;
	}
	int8_t values[MOST];
	for (int i = 5; i < count; ++i) {
		values[i - 5] = (int8_t)atoi(words[i]);
	}
	const struct runnel_edge edge = {
		.type = RUNNEL_INT8,
		.scale = strtof(words[3], NULL),
		.zero_point = atoi(words[4]),
		.bytes = (size_t)(count - 5),
	};
	const struct runnel_model model = {
		.outputs = &edge,
		.output_count = 1,
		.labels = label_count > 0 ? labels : NULL,
		.label_count = label_count,
	};
	struct answer answer;
	if (!answer_prepare(&answer, &model, words[1])) {
		return 1;
	}
	printf("%u %s %d\n", answer.index, answer.label, answer_score(&answer, values));
	return 0;
}
