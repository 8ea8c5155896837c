/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From scores to a decision that does not flicker: yes when the score has been at or above `on` for `on_frames` frames
 * one after the other, no when it has been below `off` for `off_frames`. In between it stays what it is.
 */
#ifndef DECISION_H_
#define DECISION_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Scores in thousandths; off <= on; frames from 1. */
struct decision_settings {
	int32_t on;
	int32_t off;
	uint32_t on_frames;
	uint32_t off_frames;
};

struct decision {
	struct decision_settings settings;
	bool yes;
	uint32_t frames; /* that spoke against the decision, one after the other */
};

/* Starts with no. */
void decision_start(struct decision *decision, const struct decision_settings *settings);

/* Takes the score of one more frame; true when the decision changed. */
bool decision_update(struct decision *decision, int32_t score);

#ifdef __cplusplus
}
#endif

#endif /* DECISION_H_ */
