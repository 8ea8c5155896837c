/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log-mel features of 16 kHz sound in fixed point: framing, window, FFT, mel filters, logarithm.
 *
 * Every RUNNEL_FEATURES_HOP samples give one row of RUNNEL_FEATURES_CHANNELS int8 values, computed from the last
 * RUNNEL_FEATURES_WINDOW samples. Integers only: the same bits on every processor and compiler; Python's
 * runnel.audio calls this very code. A model's input is a number of rows, the oldest first.
 */
#ifndef RUNNEL_AUDIO_FEATURES_H_
#define RUNNEL_AUDIO_FEATURES_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RUNNEL_FEATURES_SAMPLE_RATE 16000
#define RUNNEL_FEATURES_WINDOW 480 /* samples: 30 ms */
#define RUNNEL_FEATURES_HOP 320    /* samples: 20 ms */
#define RUNNEL_FEATURES_FFT 512
#define RUNNEL_FEATURES_CHANNELS 40

/* Scale and zero point of a feature: real = SCALE * (value - ZERO_POINT). Set by features.c's authors; see there. */

/* All that is kept between two rows, and the scratch of a row. The caller owns it. */
struct runnel_features {
	int16_t samples[RUNNEL_FEATURES_WINDOW];
	int32_t spectrum[RUNNEL_FEATURES_FFT]; /* scratch */
};

/* Forgets all sound: as if silence had come before. */
void runnel_features_reset(struct runnel_features *features);

/* Takes the next RUNNEL_FEATURES_HOP samples and writes the next row. */
void runnel_features_row(struct runnel_features *features, const int16_t *samples, int8_t *row);

#ifdef __cplusplus
}
#endif

#endif /* RUNNEL_AUDIO_FEATURES_H_ */
