/* SPDX-License-Identifier: Apache-2.0 */
/* Samples in flash: 16-bit mono at 16 kHz. */
#ifndef SOUND_DATA_H_
#define SOUND_DATA_H_

#include <stdint.h>

extern const uint32_t sound_data_count;
extern const int16_t sound_data[];

#endif /* SOUND_DATA_H_ */
