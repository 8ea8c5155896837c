/* SPDX-License-Identifier: Apache-2.0 */
/* Listens, and says which word it heard: on the console, and with the LED for a second. */
#include <string.h>

#include "console.h"
#include "control.h"
#include "keywords.h"
#include "listener.h"
#include "port.h"
#include "settings.h"
#include "sound_source.h"

#define LED_SAMPLES RUNNEL_FEATURES_SAMPLE_RATE /* one second */
#define SILENCE_SAMPLES RUNNEL_FEATURES_SAMPLE_RATE /* after a file: as long as the model's window */
#define STATISTICS_ROWS (KWS_STATISTICS_SECONDS * RUNNEL_FEATURES_SAMPLE_RATE / RUNNEL_FEATURES_HOP)

struct control control = {.scores = KWS_PRINT_SCORES};

static struct listener listener;

static struct runnel_word_detector_config detector_config(uint32_t threshold_percent)
{
	const uint32_t threshold = RUNNEL_WORD_DETECTOR_PERCENT(threshold_percent);
	const uint32_t release = RUNNEL_WORD_DETECTOR_PERCENT(KWS_RELEASE_PERCENT);
	return (struct runnel_word_detector_config){
		.classes = KEYWORDS_OUTPUT_BYTES,
		.first_word = 2, /* after silence and unknown */
		.average = KWS_AVERAGE,
		.threshold = threshold,
		.consecutive = KWS_CONSECUTIVE,
		.release = release < threshold ? release : threshold,
		.refractory_samples = RUNNEL_WORD_DETECTOR_MILLISECONDS(KWS_REFRACTORY_MS),
	};
}

static void obey(void)
{
	const uint32_t percent = atomic_exchange(&control.threshold_percent, 0);
	if (percent > 0) {
		const struct runnel_word_detector_config config = detector_config(percent);
		(void)runnel_word_detector_start(&listener.detector, &config);
		port_print("threshold: 0.%02u\n", (unsigned int)percent);
	}
	const bool is_time = STATISTICS_ROWS > 0 && listener.cost.rows >= (uint32_t)STATISTICS_ROWS;
	if (atomic_exchange(&control.statistics, false) || is_time) {
		console_statistics(&listener);
	}
}

static void show(bool heard, const struct runnel_word_detection *detection)
{
	static uint64_t led_off; /* the sample at which it goes off, 0 when it is off */
	if (heard) {
		console_detection(detection);
		port_led(true);
		led_off = listener.samples + LED_SAMPLES;
	} else if (led_off > 0 && listener.samples >= led_off) {
		port_led(false);
		led_off = 0;
	}
}

static void hear(const int16_t *samples)
{
	struct runnel_word_detection detection;
	const bool heard = listener_hear(&listener, samples, &detection);
	show(heard, &detection);
	if (atomic_load(&control.scores) && listener.ran) {
		console_scores(&listener);
	}
	obey();
}

/* Until the sound is over (a file's) or fails: the samples that there were, negative when it failed. */
static int64_t listen(void)
{
	static int16_t samples[RUNNEL_FEATURES_HOP];
	int32_t count;
	do {
		count = sound_source_read(samples, RUNNEL_FEATURES_HOP);
		if (count < 0) {
			return count;
		}
		memset(&samples[count], 0, sizeof(samples) - (size_t)count * sizeof(samples[0]));
		hear(samples);
	} while (count == RUNNEL_FEATURES_HOP);
	return (int64_t)listener.samples - RUNNEL_FEATURES_HOP + count;
}

/* A file that ends with its last word: give the detector the time it needs. */
static void hear_silence(void)
{
	static const int16_t silence[RUNNEL_FEATURES_HOP];
	const uint64_t end = listener.samples + SILENCE_SAMPLES;
	while (listener.samples < end) {
		hear(silence);
	}
}

int main(void)
{
	port_start();
	console_model();
	if (keywords_selftest() != RUNNEL_OK) {
		port_print("selftest: FAILED\n");
		port_exit(PORT_EXIT_SELFTEST);
	}
	port_print("selftest: ok\n");
	const struct runnel_word_detector_config config = detector_config(KWS_THRESHOLD_PERCENT);
	if (listener_start(&listener, &config) != 0 || sound_source_start() != 0) {
		port_exit(PORT_EXIT_SOURCE);
	}
	const int64_t samples = listen();
	if (samples >= 0) {
		hear_silence();
		console_statistics(&listener);
		console_end(&listener, (uint64_t)samples);
	}
	port_led(false);
	port_exit(samples >= 0 ? PORT_EXIT_OK : PORT_EXIT_SOURCE);
}
