/* SPDX-License-Identifier: Apache-2.0 */
/* Samples in, words out: features, ring of features, model, word detector, and what they cost. */
#ifndef LISTENER_H_
#define LISTENER_H_

#include <stdbool.h>
#include <stdint.h>

#include "feature_ring.h"
#include "runnel/audio/features.h"
#include "runnel/audio/word_detector.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LISTENER_MAX_ROWS 64 /* of features that a model may see at once: 1.28 s */

/* Sums since they were last reset. */
struct listener_cost {
	uint32_t rows;
	uint32_t runs;
	uint64_t feature_cycles;
	uint64_t model_cycles;
};

struct listener {
	struct runnel_features features;
	struct feature_ring ring;
	int8_t rows[LISTENER_MAX_ROWS * RUNNEL_FEATURES_CHANNELS];
	struct runnel_word_detector detector;
	uint32_t rows_until_run;
	bool ran; /* the model, for the last row */
	uint64_t samples; /* heard so far */
	struct listener_cost cost;
	uint32_t detections;
	int8_t scores[RUNNEL_WORD_DETECTOR_MAX_CLASSES]; /* of the last run */
};

/*
 * As if silence had come before. 0, or a negative number after a message: the model is none for these features, or a
 * setting makes no sense.
 */
int listener_start(struct listener *listener, const struct runnel_word_detector_config *config);

/* Takes the next RUNNEL_FEATURES_HOP samples; the model runs every KWS_STRIDE_ROWS rows. True: a word was heard. */
bool listener_hear(struct listener *listener, const int16_t *samples, struct runnel_word_detection *detection);

/* The name of a class, never NULL. */
const char *listener_label(uint32_t class_index);

#ifdef __cplusplus
}
#endif

#endif /* LISTENER_H_ */
