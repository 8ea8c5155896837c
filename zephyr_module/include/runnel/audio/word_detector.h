/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the scores of a keyword model, one output every stride, to words that were said.
 *
 * A model that sees one second of sound several times a second is right about most of it and wrong about some: a
 * word cut off by the edge of its window looks like another word, a cough looks like a short one. A single output
 * is therefore no evidence. This is what wake-word detectors do about it, one step after the other:
 *
 *   average      The scores of each class are averaged over the last `average` outputs. What only one output says is
 *                divided by that number; a word stays in the window for several outputs and keeps its score.
 *                Outputs before the first count as 0, so nothing fires on the first output alone.
 *   threshold    The best class must be a word (not silence, not unknown speech) and its average at least this.
 *   consecutive  It must be so, and the same word, for this many outputs one after the other.
 *   release      A word that has fired stays suppressed until its average has been below this once: a long word,
 *                or one that lingers in the window, is one detection. Lower than the threshold, so that a score
 *                that trembles around the threshold does not count twice (hysteresis).
 *   refractory   After a detection no word fires for this long: the tail of a word often resembles another one.
 *                A word whose evidence lasts beyond that time fires then; one whose evidence ends before is lost.
 *
 * All are integers; the same scores give the same detections everywhere. The caller owns all state.
 * One detector on one thread at a time.
 */
#ifndef RUNNEL_AUDIO_WORD_DETECTOR_H_
#define RUNNEL_AUDIO_WORD_DETECTOR_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Largest number of classes and of outputs to average over; a product may define others for all its files. */
#ifndef RUNNEL_WORD_DETECTOR_MAX_CLASSES
#define RUNNEL_WORD_DETECTOR_MAX_CLASSES 16
#endif
#ifndef RUNNEL_WORD_DETECTOR_MAX_AVERAGE
#define RUNNEL_WORD_DETECTOR_MAX_AVERAGE 16
#endif

/* Scores and thresholds are in 1/256: 0 is never, 255 the surest an int8 softmax can be. */
#define RUNNEL_WORD_DETECTOR_ONE 256

/* Return values of runnel_word_detector_start(): which setting is wrong. */
#define RUNNEL_WORD_DETECTOR_OK 0
#define RUNNEL_WORD_DETECTOR_ECLASSES (-1)     /* classes: first_word + 1 to MAX_CLASSES */
#define RUNNEL_WORD_DETECTOR_EAVERAGE (-2)     /* average: 1 to MAX_AVERAGE */
#define RUNNEL_WORD_DETECTOR_ETHRESHOLD (-3)   /* threshold: release to 255; release: at least 1 */
#define RUNNEL_WORD_DETECTOR_ECONSECUTIVE (-4) /* consecutive: at least 1 */

struct runnel_word_detector_config {
	uint32_t classes;            /* scores in one output of the model */
	uint32_t first_word;         /* classes before it never fire: 2 where they are silence and unknown */
	uint32_t average;            /* outputs */
	uint32_t threshold;          /* in 1/256 */
	uint32_t consecutive;        /* outputs */
	uint32_t release;            /* in 1/256 */
	uint32_t refractory_samples; /* from detection to detection */
};

/*
 * Defaults, for 16 kHz and an output every RUNNEL_WORD_DETECTOR_STRIDE_SAMPLES. Where they come from, and how to find
 * those of your own model: docs/keyword-spotting.md.
 */
#define RUNNEL_WORD_DETECTOR_STRIDE_SAMPLES 3200 /* 200 ms */
#define RUNNEL_WORD_DETECTOR_AVERAGE 1
#define RUNNEL_WORD_DETECTOR_THRESHOLD_PERCENT 77
#define RUNNEL_WORD_DETECTOR_CONSECUTIVE 3
#define RUNNEL_WORD_DETECTOR_RELEASE_PERCENT 30
#define RUNNEL_WORD_DETECTOR_REFRACTORY_MS 500

#define RUNNEL_WORD_DETECTOR_PERCENT(percent) ((percent) * RUNNEL_WORD_DETECTOR_ONE / 100u)
#define RUNNEL_WORD_DETECTOR_MILLISECONDS(milliseconds) ((milliseconds) * 16u)

/* A word was said. */
struct runnel_word_detection {
	uint32_t word;   /* class */
	uint32_t score;  /* average of its scores when it fired, in 1/256, rounded down */
	uint64_t sample; /* position in the stream, as the caller gave it: when it fired, not when the word began */
};

/* All state. Nothing in it is for the caller, who may put it anywhere. */
struct runnel_word_detector {
	struct runnel_word_detector_config config;
	uint8_t scores[RUNNEL_WORD_DETECTOR_MAX_AVERAGE][RUNNEL_WORD_DETECTOR_MAX_CLASSES]; /* ring of outputs */
	uint32_t sums[RUNNEL_WORD_DETECTOR_MAX_CLASSES];                                    /* over that ring */
	bool suppressed[RUNNEL_WORD_DETECTOR_MAX_CLASSES];
	uint32_t oldest;    /* where the next output goes */
	uint32_t candidate; /* the word that is in evidence, and for how many outputs */
	uint32_t evidence;
	bool fired;
	uint64_t fired_sample;
};

/* Checks and takes over `config`, forgets everything. RUNNEL_WORD_DETECTOR_OK, or which setting is wrong. */
int runnel_word_detector_start(struct runnel_word_detector *detector, const struct runnel_word_detector_config *config);

/*
 * Takes one output of the model: int8 probabilities with scale 1/256 and zero point -128, as SOFTMAX has them;
 * `sample` is where its sound ended, counted from the start of the stream and never going back.
 * True when a word was said; then `detection` is filled.
 */
bool runnel_word_detector_take(struct runnel_word_detector *detector, const int8_t *scores, uint64_t sample,
			       struct runnel_word_detection *detection);

#ifdef __cplusplus
}
#endif

#endif /* RUNNEL_AUDIO_WORD_DETECTOR_H_ */
