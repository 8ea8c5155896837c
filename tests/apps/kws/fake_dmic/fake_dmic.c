/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for Zephyr's DMIC API without hardware: a timer delivers blocks of pseudo-random noise, as an interrupt of a
 * PDM peripheral would, into blocks of the app's slab. Without a free block, or at FAKE_DMIC_FAILS_AT, it stops with
 * an error until it is triggered again, as real drivers do.
 */
#define DT_DRV_COMPAT runnel_fake_dmic

#include <errno.h>

#include <zephyr/audio/dmic.h>
#include <zephyr/device.h>
#include <zephyr/kernel.h>

static struct k_mem_slab *slab;
static size_t bytes;
static uint32_t delivered;
static uint32_t state = 1;
static bool failed;
static bool has_failed;

K_MSGQ_DEFINE(full_blocks, sizeof(void *), 64, sizeof(void *));

static void deliver(struct k_timer *timer)
{
	void *block;

	if (delivered >= CONFIG_FAKE_DMIC_BLOCKS) {
		return;
	}
	if (delivered + 1 == CONFIG_FAKE_DMIC_FAILS_AT && !has_failed) {
		has_failed = true;
		failed = true;
		k_timer_stop(timer);
		return;
	}
	if (k_mem_slab_alloc(slab, &block, K_NO_WAIT) != 0) {
		failed = true;
		k_timer_stop(timer);
		return;
	}
	for (size_t i = 0; i < bytes / sizeof(int16_t); ++i) {
		state = state * 1664525u + 1013904223u;
		((int16_t *)block)[i] = (int16_t)(state >> 16);
	}
	++delivered;
	(void)k_msgq_put(&full_blocks, &block, K_NO_WAIT);
}

K_TIMER_DEFINE(clock, deliver, NULL);

static int configure(const struct device *device, struct dmic_cfg *config)
{
	const struct pcm_stream_cfg *stream = &config->streams[0];

	ARG_UNUSED(device);
	if (stream->pcm_rate != 16000 || stream->pcm_width != 16 || config->channel.req_num_chan != 1 ||
	    config->channel.req_num_streams != 1 || stream->mem_slab == NULL || config->io.min_pdm_clk_freq == 0) {
		return -EINVAL;
	}
	slab = stream->mem_slab;
	bytes = stream->block_size;
	config->channel.act_num_chan = 1;
	config->channel.act_num_streams = 1;
	config->channel.act_chan_map_lo = config->channel.req_chan_map_lo;
	return 0;
}

static int trigger(const struct device *device, enum dmic_trigger command)
{
	const uint32_t block_ms = (uint32_t)(bytes / sizeof(int16_t) * 1000u / 16000u);

	ARG_UNUSED(device);
	if (slab == NULL) {
		return -EIO;
	}
	if (command == DMIC_TRIGGER_START) {
		failed = false;
		k_timer_start(&clock, K_MSEC(block_ms), K_MSEC(block_ms));
	} else {
		k_timer_stop(&clock);
	}
	return 0;
}

static int read(const struct device *device, uint8_t stream, void **buffer, size_t *size, int32_t timeout)
{
	ARG_UNUSED(device);
	ARG_UNUSED(stream);
	for (int32_t waited = 0; waited <= timeout; waited += 10) {
		if (k_msgq_get(&full_blocks, buffer, K_MSEC(10)) == 0) {
			*size = bytes;
			return 0;
		}
		if (failed) {
			return -EIO;
		}
	}
	return -EAGAIN;
}

static const struct _dmic_ops operations = {
	.configure = configure,
	.trigger = trigger,
	.read = read,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_KERNEL_INIT_PRIORITY_DEVICE, &operations);
