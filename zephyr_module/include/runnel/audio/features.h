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

/*
 * A value is RUNNEL_FEATURES_STEPS_PER_OCTAVE times log2 of the energy in a mel band: 0.376 dB a step. -128 means
 * "at most the floor", an energy of 2^RUNNEL_FEATURES_FLOOR (noise of about 2 of 32768, -86 dBFS), 127 is 96 dB
 * above it. Energy: sum over the band of |FFT of the windowed samples|^2 times the band's triangle (peak 1).
 */
#define RUNNEL_FEATURES_STEPS_PER_OCTAVE 8
#define RUNNEL_FEATURES_FLOOR 9

/*
 * What a model's input tensor says: real = (value - ZERO_POINT) / STEPS_PER_UNIT. Real 0 is the floor, so that a
 * model that pads with zeros pads with silence; the unit is 12 dB.
 */
#define RUNNEL_FEATURES_ZERO_POINT (-128)
#define RUNNEL_FEATURES_STEPS_PER_UNIT 32

/* What is kept between two rows, and the scratch of a row (2,368 bytes). The caller owns it. */
struct runnel_features {
	int16_t samples[RUNNEL_FEATURES_WINDOW - RUNNEL_FEATURES_HOP]; /* the last ones of the row before */
	int32_t spectrum[RUNNEL_FEATURES_FFT];                         /* scratch: free for others between two rows */
};

/* Forgets all sound: as if silence had come before. */
void runnel_features_reset(struct runnel_features *features);

/* Takes the next RUNNEL_FEATURES_HOP samples and writes the next row. */
void runnel_features_row(struct runnel_features *features, const int16_t *samples, int8_t *row);

#ifdef __cplusplus
}
#endif

#endif /* RUNNEL_AUDIO_FEATURES_H_ */
