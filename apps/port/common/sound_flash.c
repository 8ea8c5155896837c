/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sound in flash, for boards without a microphone: once through, then it is over.
 * sound_data.c is written when the app is built: python apps/port/common/sound_data.py SOUND.wav sound_data.c
 */
#include <string.h>

#include "sound_data.h"
#include "sound_source.h"

static uint32_t position;

int sound_source_start(void)
{
	position = 0;
	return 0;
}

int32_t sound_source_read(int16_t *samples, uint32_t count)
{
	const uint32_t left = sound_data_count - position;
	const uint32_t taken = count < left ? count : left;
	memcpy(samples, &sound_data[position], taken * sizeof(samples[0]));
	position += taken;
	return (int32_t)taken;
}
