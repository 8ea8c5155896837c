/* SPDX-License-Identifier: Apache-2.0 */
/* For boards without any source of sound: says so. */
#include "port.h"
#include "sound_source.h"

int sound_source_start(void)
{
	port_print("sound: this board has no microphone that the app knows. Give its devicetree a dmic_dev label (a "
		   "PDM microphone), or choose the sound in flash or a wav file of the host: see apps/kws/README.md\n");
	return -1;
}

int32_t sound_source_read(int16_t *samples, uint32_t count)
{
	(void)samples;
	(void)count;
	return -1;
}
