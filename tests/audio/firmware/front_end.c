/* SPDX-License-Identifier: Apache-2.0 */
#include "front_end.h"

#include "runnel/audio/features.h"

uint8_t front_end_arena[FRONT_END_INPUT_BYTES + FRONT_END_OUTPUT_BYTES] __attribute__((aligned(16)));
static struct runnel_features state;

int16_t *front_end_input_0(void)
{
	return (int16_t *)(void *)front_end_arena;
}

const int8_t *front_end_output_0(void)
{
	return (const int8_t *)front_end_arena + FRONT_END_INPUT_BYTES;
}

int front_end_run(void)
{
	int8_t *rows = (int8_t *)front_end_arena + FRONT_END_INPUT_BYTES;
	runnel_features_reset(&state);
	for (int i = 0; i < FRONT_END_ROWS; ++i) {
		runnel_features_row(&state, front_end_input_0() + i * RUNNEL_FEATURES_HOP,
				    rows + i * RUNNEL_FEATURES_CHANNELS);
	}
	return 0;
}
