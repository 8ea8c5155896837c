/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <string.h>

#define FRACTION_BITS 16
#define LARGEST_SCALE 32.0f /* a step of it still fits 32 bits, in thousandths and 1 / 65536 */

static uint32_t find_label(const struct runnel_model *model, const char *label, uint32_t values)
{
	const uint32_t labels = model->labels == NULL ? 0 : (uint32_t)model->label_count;
	for (uint32_t i = 0; i < labels && i < values; ++i) {
		if (strcmp(model->labels[i], label) == 0) {
			return i;
		}
	}
	return values - 1u;
}

bool answer_prepare(struct answer *answer, const struct runnel_model *model, const char *label)
{
	const struct runnel_edge *edge = &model->outputs[0];
	if (edge->type != RUNNEL_INT8 || edge->bytes == 0 || !(edge->scale > 0.0f && edge->scale < LARGEST_SCALE)) {
		return false;
	}
	answer->values = (uint32_t)edge->bytes;
	answer->index = find_label(model, label, answer->values);
	answer->label = label;
	if (model->labels != NULL && answer->index < (uint32_t)model->label_count) {
		answer->label = model->labels[answer->index];
	}
	answer->zero_point = edge->zero_point;
	answer->thousandths = (int32_t)(edge->scale * 1000.0f * (float)(1 << FRACTION_BITS) + 0.5f);
	return true;
}

int32_t answer_score(const struct answer *answer, const int8_t *output)
{
	const int64_t steps = output[answer->index] - answer->zero_point;
	return (int32_t)((steps * answer->thousandths + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS);
}
