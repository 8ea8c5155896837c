/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A digital microphone through Zephyr's DMIC API (the same in 3.5 and 4.x): the device with the alias dmic0 or the
 * label dmic_dev. The driver fills blocks of 20 ms in the background, so none is lost while the model runs.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/audio/dmic.h>
#include <zephyr/device.h>
#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>

#include "port.h"
#include "sound_source.h"

#define SAMPLE_RATE 16000
#define BLOCK_BYTES (SAMPLE_RATE / 50 * sizeof(int16_t))
#define READ_TIMEOUT_MS 1000
#define MOST_RESTARTS 3 /* without a block between them */

#if DT_NODE_EXISTS(DT_ALIAS(dmic0))
#define MICROPHONE DT_ALIAS(dmic0)
#else
#define MICROPHONE DT_NODELABEL(dmic_dev)
#endif

static const struct device *const microphone = DEVICE_DT_GET(MICROPHONE);

K_MEM_SLAB_DEFINE_STATIC(blocks, BLOCK_BYTES, CONFIG_KWS_DMIC_BLOCKS, 4);

/* The block that is being read, and how much of it was. */
static void *block;
static size_t block_bytes;
static size_t position;

static int configure(void)
{
	struct pcm_stream_cfg stream = {
		.pcm_rate = SAMPLE_RATE,
		.pcm_width = 8 * sizeof(int16_t),
		.block_size = BLOCK_BYTES,
		.mem_slab = &blocks,
	};
	struct dmic_cfg config = {
		/* What digital microphones commonly take; drivers choose a clock between these. */
		.io = {
			.min_pdm_clk_freq = 1000000,
			.max_pdm_clk_freq = 3500000,
			.min_pdm_clk_dc = 40,
			.max_pdm_clk_dc = 60,
		},
		.streams = &stream,
		.channel = {
			.req_num_streams = 1,
			.req_num_chan = 1,
			.req_chan_map_lo = dmic_build_channel_map(0, 0, PDM_CHAN_LEFT),
		},
	};

	return dmic_configure(microphone, &config);
}

int sound_source_start(void)
{
	if (!device_is_ready(microphone)) {
		port_print("microphone: %s is not ready; is its driver enabled, are its pins right?\n",
			   microphone->name);
		return -1;
	}
	const int configured = configure();
	if (configured < 0) {
		port_print("microphone: %s does not take 16 kHz, 16 bits, mono (error %d)\n", microphone->name,
			   configured);
		return -1;
	}
	const int started = dmic_trigger(microphone, DMIC_TRIGGER_START);
	if (started < 0) {
		port_print("microphone: %s does not start (error %d)\n", microphone->name, started);
		return -1;
	}
	return 0;
}

/* Drivers stop when nobody gave blocks back in time: sound is lost then, and everything goes on. */
static int restart(int error)
{
	if (error == -EAGAIN) {
		port_print("microphone: no sound for %d ms; starting it again\n", READ_TIMEOUT_MS);
	} else {
		port_print("microphone: sound was lost (error %d): the app did not take it in time? See "
			   "KWS_STRIDE_ROWS and KWS_DMIC_BLOCKS\n",
			   error);
	}
	(void)dmic_trigger(microphone, DMIC_TRIGGER_STOP);
	return dmic_trigger(microphone, DMIC_TRIGGER_START);
}

static int next_block(void)
{
	int result = dmic_read(microphone, 0, &block, &block_bytes, READ_TIMEOUT_MS);
	for (int i = 0; result < 0 && i < MOST_RESTARTS; ++i) {
		if (restart(result) < 0) {
			break;
		}
		result = dmic_read(microphone, 0, &block, &block_bytes, READ_TIMEOUT_MS);
	}
	if (result < 0) {
		port_print("microphone: %s gives no more sound (error %d)\n", microphone->name, result);
		block = NULL;
		return -1;
	}
	position = 0;
	return 0;
}

int32_t sound_source_read(int16_t *samples, uint32_t count)
{
	uint8_t *destination = (uint8_t *)samples;
	size_t missing = count * sizeof(samples[0]);

	while (missing > 0) {
		if (block == NULL && next_block() < 0) {
			return -1;
		}
		const size_t part = MIN(missing, block_bytes - position);

		memcpy(destination, (const uint8_t *)block + position, part);
		destination += part;
		position += part;
		missing -= part;
		if (position == block_bytes) {
			k_mem_slab_free(&blocks, block);
			block = NULL;
		}
	}
	return (int32_t)count;
}
