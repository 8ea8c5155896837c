/* SPDX-License-Identifier: Apache-2.0 */
/* Where sound comes from: a microphone, or a wav file of the host. One of them is linked into an app. */
#ifndef SOUND_SOURCE_H_
#define SOUND_SOURCE_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 16-bit mono at 16 kHz. 0, or a negative number after a message that says what is missing and what to do. */
int sound_source_start(void);

/* Waits for `count` samples: count, fewer (also 0) at the end of a file, negative when the source failed. */
int32_t sound_source_read(int16_t *samples, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif /* SOUND_SOURCE_H_ */
