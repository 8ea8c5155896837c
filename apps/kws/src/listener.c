/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <string.h>

#include "keywords.h"
#include "port.h"
#include "settings.h"

_Static_assert(KEYWORDS_OUTPUT_BYTES <= RUNNEL_WORD_DETECTOR_MAX_CLASSES,
	       "the model has more classes than the word detector: define RUNNEL_WORD_DETECTOR_MAX_CLASSES");

#define PROBABILITY_SCALE (1.0f / 256.0f)
#define PROBABILITY_ZERO_POINT (-128)

/* Dimensions of the input: 1 x rows x channels x 1. */
static bool input_fits(const struct runnel_edge *input)
{
	const int32_t *shape = input->dimensions;
	return keywords.input_count == 1 && input->type == RUNNEL_INT8 && input->rank == 4 && shape[0] == 1 &&
	       shape[1] >= 1 && shape[1] <= LISTENER_MAX_ROWS && shape[2] == RUNNEL_FEATURES_CHANNELS && shape[3] == 1;
}

/* Features go into the model as they are: it must have been trained on exactly these. */
static bool knows_features(const struct runnel_edge *input)
{
	return input->scale == 1.0f / RUNNEL_FEATURES_STEPS_PER_UNIT &&
	       input->zero_point == RUNNEL_FEATURES_ZERO_POINT;
}

static bool output_fits(const struct runnel_edge *output)
{
	return keywords.output_count == 1 && output->type == RUNNEL_INT8 && output->scale == PROBABILITY_SCALE &&
	       output->zero_point == PROBABILITY_ZERO_POINT;
}

static int check_model(void)
{
	if (!input_fits(&keywords.inputs[0])) {
		port_print("model: its input must be int8 1 x rows x %d x 1 with at most %d rows\n",
			   RUNNEL_FEATURES_CHANNELS, LISTENER_MAX_ROWS);
		return -1;
	}
	if (!knows_features(&keywords.inputs[0])) {
		port_print("model: its input has another scale than the features of runnel/audio/features.h: it was "
			   "trained on others; scripts/train_words makes one that fits\n");
		return -1;
	}
	if (!output_fits(&keywords.outputs[0])) {
		port_print("model: its output must be int8 probabilities: a SOFTMAX at the end\n");
		return -1;
	}
	return 0;
}

static void add_row(struct listener *listener, const int16_t *samples)
{
	const uint32_t start = port_cycles();
	runnel_features_row(&listener->features, samples, feature_ring_next(&listener->ring));
	listener->cost.feature_cycles += port_cycles() - start;
	++listener->cost.rows;
	feature_ring_advance(&listener->ring);
	listener->samples += RUNNEL_FEATURES_HOP;
}

static void fill_with_silence(struct listener *listener)
{
	static const int16_t silence[RUNNEL_FEATURES_HOP];
	const uint32_t rows = (uint32_t)keywords.inputs[0].dimensions[1];
	runnel_features_reset(&listener->features);
	feature_ring_start(&listener->ring, listener->rows, rows, RUNNEL_FEATURES_CHANNELS);
	for (uint32_t i = 0; i < rows; ++i) {
		add_row(listener, silence);
	}
}

int listener_start(struct listener *listener, const struct runnel_word_detector_config *config)
{
	if (check_model() != 0) {
		return -1;
	}
	const int result = runnel_word_detector_start(&listener->detector, config);
	if (result != RUNNEL_WORD_DETECTOR_OK) {
		port_print("settings: the word detector does not take them (%d, see runnel/audio/word_detector.h)\n",
			   result);
		return -1;
	}
	fill_with_silence(listener);
	listener->rows_until_run = KWS_STRIDE_ROWS;
	listener->ran = false;
	listener->samples = 0;
	listener->cost = (struct listener_cost){0};
	listener->detections = 0;
	return 0;
}

static void run_model(struct listener *listener)
{
	const uint32_t start = port_cycles();
	feature_ring_copy(&listener->ring, keywords_input());
	(void)keywords_run(); /* fails never: RUNNEL_OK is all it returns */
	memcpy(listener->scores, keywords_output(), KEYWORDS_OUTPUT_BYTES);
	listener->cost.model_cycles += port_cycles() - start;
	++listener->cost.runs;
}

bool listener_hear(struct listener *listener, const int16_t *samples, struct runnel_word_detection *detection)
{
	add_row(listener, samples);
	--listener->rows_until_run;
	listener->ran = listener->rows_until_run == 0;
	if (!listener->ran) {
		return false;
	}
	listener->rows_until_run = KWS_STRIDE_ROWS;
	run_model(listener);
	if (!runnel_word_detector_take(&listener->detector, listener->scores, listener->samples,
				       detection)) {
		return false;
	}
	++listener->detections;
	return true;
}

const char *listener_label(uint32_t class_index)
{
	const bool known = keywords.labels != NULL && class_index < (uint32_t)keywords.label_count;
	return known ? keywords.labels[class_index] : "?";
}
