/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a wav file front to back, never more of it than asked for: PCM, 16 bits, mono, 16 kHz. */
#ifndef WAV_H_
#define WAV_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WAV_SAMPLE_RATE 16000

/* Return values of wav_open(). */
#define WAV_OK 0
#define WAV_EREAD (-1)   /* the file could not be read */
#define WAV_ERIFF (-2)   /* it does not begin like a wav file */
#define WAV_EFORMAT (-3) /* a wav file of another format: see wav.format */
#define WAV_EDATA (-4)   /* it ends, or gets lost, before its sound */

/* Bytes read: fewer at the end of the file, negative when it cannot be read. */
typedef int32_t (*wav_read_bytes)(void *context, void *destination, uint32_t bytes);

struct wav_format {
	uint16_t encoding; /* 1 is PCM, 3 is float; see the registered numbers of WAVE formats */
	uint16_t channels;
	uint32_t rate;
	uint16_t bits;
};

struct wav {
	wav_read_bytes read;
	void *context;
	uint32_t remaining; /* bytes of sound; writers of streams say more than there is */
	struct wav_format format;
};

/* Reads up to the first sample. */
int wav_open(struct wav *wav, wav_read_bytes read, void *context);

/* Samples read: fewer than `count`, also 0, at the end of the sound; negative when the file cannot be read. */
int32_t wav_read(struct wav *wav, int16_t *samples, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif /* WAV_H_ */
