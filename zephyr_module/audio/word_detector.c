/* SPDX-License-Identifier: Apache-2.0 */
#include "runnel/audio/word_detector.h"

#include <string.h>

#define LOWEST_SCORE (-128) /* int8 that means a probability of 0 */
#define HIGHEST_THRESHOLD 255u

static int check(const struct runnel_word_detector_config *config)
{
	if (config->classes > RUNNEL_WORD_DETECTOR_MAX_CLASSES || config->first_word >= config->classes) {
		return RUNNEL_WORD_DETECTOR_ECLASSES;
	}
	if (config->average < 1 || config->average > RUNNEL_WORD_DETECTOR_MAX_AVERAGE) {
		return RUNNEL_WORD_DETECTOR_EAVERAGE;
	}
	if (config->threshold > HIGHEST_THRESHOLD || config->release < 1 || config->release > config->threshold) {
		return RUNNEL_WORD_DETECTOR_ETHRESHOLD;
	}
	return config->consecutive < 1 ? RUNNEL_WORD_DETECTOR_ECONSECUTIVE : RUNNEL_WORD_DETECTOR_OK;
}

int runnel_word_detector_start(struct runnel_word_detector *detector, const struct runnel_word_detector_config *config)
{
	const int result = check(config);
	if (result != RUNNEL_WORD_DETECTOR_OK) {
		return result;
	}
	const struct runnel_word_detector_config taken = *config; /* it may lie in the detector */
	memset(detector, 0, sizeof(*detector));
	detector->config = taken;
	return RUNNEL_WORD_DETECTOR_OK;
}

static void average_with(struct runnel_word_detector *detector, const int8_t *scores)
{
	uint8_t *slot = detector->scores[detector->oldest];
	for (uint32_t i = 0; i < detector->config.classes; ++i) {
		const uint8_t score = (uint8_t)(scores[i] - LOWEST_SCORE);
		detector->sums[i] += (uint32_t)score - slot[i];
		slot[i] = score;
	}
	detector->oldest = detector->oldest + 1 < detector->config.average ? detector->oldest + 1 : 0;
}

/* Averages are compared as sums: no division, nothing lost. */
static bool reaches(const struct runnel_word_detector *detector, uint32_t class_index, uint32_t level)
{
	return detector->sums[class_index] >= level * detector->config.average;
}

/* The class with the largest average; the first one of equals, so that in doubt nothing was said. */
static uint32_t best_class(const struct runnel_word_detector *detector)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < detector->config.classes; ++i) {
		best = detector->sums[i] > detector->sums[best] ? i : best;
	}
	return best;
}

static void release_fallen(struct runnel_word_detector *detector)
{
	for (uint32_t i = 0; i < detector->config.classes; ++i) {
		if (!reaches(detector, i, detector->config.release)) {
			detector->suppressed[i] = false;
		}
	}
}

static void weigh(struct runnel_word_detector *detector)
{
	const uint32_t best = best_class(detector);
	if (best < detector->config.first_word || !reaches(detector, best, detector->config.threshold)) {
		detector->evidence = 0;
		return;
	}
	if (best != detector->candidate) {
		detector->candidate = best;
		detector->evidence = 0;
	}
	if (detector->evidence < detector->config.consecutive) {
		++detector->evidence;
	}
}

static bool may_fire(const struct runnel_word_detector *detector, uint64_t sample)
{
	if (detector->evidence < detector->config.consecutive || detector->suppressed[detector->candidate]) {
		return false;
	}
	return !detector->fired || sample - detector->fired_sample >= detector->config.refractory_samples;
}

bool runnel_word_detector_take(struct runnel_word_detector *detector, const int8_t *scores, uint64_t sample,
			       struct runnel_word_detection *detection)
{
	average_with(detector, scores);
	release_fallen(detector);
	weigh(detector);
	if (!may_fire(detector, sample)) {
		return false;
	}
	detector->suppressed[detector->candidate] = true;
	detector->fired = true;
	detector->fired_sample = sample;
	detection->word = detector->candidate;
	detection->score = detector->sums[detector->candidate] / detector->config.average;
	detection->sample = sample;
	return true;
}
