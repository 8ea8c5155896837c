/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "keywords.h"
#include "port.h"
#include "settings.h"

#define ROWS_PER_SECOND (RUNNEL_FEATURES_SAMPLE_RATE / RUNNEL_FEATURES_HOP)

void console_model(void)
{
	port_print("model: %s, arena %u bytes, %u classes:", keywords.name, (unsigned int)keywords.arena_bytes,
		   (unsigned int)KEYWORDS_OUTPUT_BYTES);
	for (uint32_t i = 0; i < KEYWORDS_OUTPUT_BYTES; ++i) {
		port_print(" %s", listener_label(i));
	}
	port_print("\n");
}

/* A position in the stream as seconds and thousandths. */
static void print_seconds(uint64_t samples)
{
	const uint64_t milliseconds = samples * 1000u / RUNNEL_FEATURES_SAMPLE_RATE;
	port_print("%u.%03u s", (unsigned int)(milliseconds / 1000u), (unsigned int)(milliseconds % 1000u));
}

void console_detection(const struct runnel_word_detection *detection)
{
	const unsigned int percent = (unsigned int)(detection->score * 100u / RUNNEL_WORD_DETECTOR_ONE);
	port_print("heard: %s 0.%02u at ", listener_label(detection->word), percent);
	print_seconds(detection->sample);
	port_print("\n");
}

void console_scores(const struct listener *listener)
{
	port_print("scores: %u", (unsigned int)listener->samples);
	for (uint32_t i = 0; i < KEYWORDS_OUTPUT_BYTES; ++i) {
		port_print(" %d", listener->scores[i]);
	}
	port_print("\n");
}

static void print_load(const char *name, uint64_t cycles, uint64_t available)
{
	const unsigned int permille = (unsigned int)(cycles * 1000u / available);
	port_print(", %s %u.%u %%", name, permille / 10u, permille % 10u);
}

static unsigned int average(uint64_t sum, uint32_t count)
{
	return count > 0 ? (unsigned int)(sum / count) : 0;
}

void console_statistics(struct listener *listener)
{
	const struct listener_cost *cost = &listener->cost;
	const uint64_t available = (uint64_t)cost->rows * port_cycles_per_second() / ROWS_PER_SECOND;
	port_print("statistics: ");
	print_seconds((uint64_t)cost->rows * RUNNEL_FEATURES_HOP);
	port_print(" of sound, %u cycles a row, %u a run of the model", average(cost->feature_cycles, cost->rows),
		   average(cost->model_cycles, cost->runs));
	if (available > 0) {
		port_print("; of %u kHz", (unsigned int)(port_cycles_per_second() / 1000u));
		print_load("features", cost->feature_cycles, available);
		print_load("model", cost->model_cycles, available);
	}
	if (port_static_sram_bytes() > 0) {
		port_print("; SRAM %u bytes", (unsigned int)port_static_sram_bytes());
	}
	if (port_stack_bytes() > 0) {
		port_print(", stack %u bytes", (unsigned int)port_stack_bytes());
	}
	port_print("\n");
	listener->cost = (struct listener_cost){0};
}

void console_end(const struct listener *listener, uint64_t samples)
{
	port_print("end: ");
	print_seconds(samples);
	port_print(" of sound, %u detections\n", (unsigned int)listener->detections);
}
