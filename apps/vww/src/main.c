/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at frames and says whether there is a person: on the console, and with the LED. */
#include <stddef.h>

#include "answer.h"
#include "console.h"
#include "control.h"
#include "decision.h"
#include "frame_source.h"
#include "image.h"
#include "person.h"
#include "picture.h"
#include "port.h"
#include "settings.h"

#define STATISTICS_MILLISECONDS 1000u

struct control control;

static struct image_input input;
static struct answer answer;
static struct decision decision;
static struct statistics statistics;
static struct {
	uint32_t frames;
	uint32_t yes;
} total;

static void start_decision(uint32_t on_percent)
{
	const int32_t gap = 10 * (VWW_ON_PERCENT - VWW_OFF_PERCENT);
	const int32_t on = 10 * (int32_t)on_percent;
	const struct decision_settings settings = {
		.on = on,
		.off = on > gap ? on - gap : 0,
		.on_frames = VWW_ON_FRAMES,
		.off_frames = VWW_OFF_FRAMES,
	};
	decision_start(&decision, &settings);
	port_led(false);
}

static bool selftest(void)
{
	const bool right = person_selftest() == RUNNEL_OK;
	port_print("selftest: %s\n", right ? "ok" : "FAILED");
	return right;
}

/* A picture is answered at once; what comes from a camera when the decision changes. */
static void report(const char *name, int32_t score, uint32_t cycles)
{
	if (name != NULL) {
		const bool yes = score >= decision.settings.on;
		total.yes += yes ? 1u : 0u;
		port_led(yes);
		port_print("%s: ", name);
		console_score(&answer, score, cycles);
		console_output(&answer, person_output());
		port_print("\n");
	} else if (decision_update(&decision, score)) {
		total.yes += decision.yes ? 1u : 0u;
		port_led(decision.yes);
		console_score(&answer, score, cycles);
		port_print(", %s\n", decision.yes ? "yes" : "no");
	}
}

/* False when the frame cannot be used. The source has it back when the model has read its last row. */
static bool look(struct frame *frame)
{
	struct picture picture;
	const char *name = frame->name;
	const uint32_t start = port_cycles();
	if (!picture_open(&picture, &input, frame)) {
		return false;
	}
	if (person_run_rows(picture_read_row, &picture) != RUNNEL_OK) {
		return false; /* only a picture can fail, and it said why */
	}
	frame_source_release(frame);
	const uint32_t cycles = port_cycles() - start;
	statistics.image_cycles += picture.cycles;
	statistics.model_cycles += cycles - picture.cycles;
	++statistics.frames;
	++total.frames;
	report(name, answer_score(&answer, person_output()), cycles);
	return true;
}

static void start_statistics(void)
{
	statistics = (struct statistics){.start = port_milliseconds()};
}

static void obey(void)
{
	const uint32_t percent = atomic_exchange(&control.threshold_percent, 0);
	if (percent != 0) {
		start_decision(percent);
		console_decision(&answer, &decision);
	}
	if (atomic_exchange(&control.selftest, false)) {
		(void)selftest();
	}
	if (atomic_exchange(&control.status, false)) {
		console_decision(&answer, &decision);
		console_statistics(&statistics, &person);
	}
	if (port_milliseconds() - statistics.start >= STATISTICS_MILLISECONDS) {
		console_statistics(&statistics, &person);
		start_statistics();
	}
}

/* Until there are no more frames: the exit code. */
static int watch(void)
{
	struct frame frame;
	for (;;) {
		const int found = frame_source_next(&frame);
		if (found < 0 || (found > 0 && !look(&frame))) {
			return PORT_EXIT_SOURCE;
		}
		if (found == 0 || (VWW_LAST_FRAME != 0 && total.frames == VWW_LAST_FRAME)) {
			return PORT_EXIT_OK;
		}
		obey();
	}
}

static bool prepare(void)
{
	if (!image_input_prepare(&input, &person) || !answer_prepare(&answer, &person, VWW_LABEL)) {
		port_print("model: %s is no classifier of images: needed are one int8 input 1xHxWx1 or 1xHxWx3 and an "
			   "int8 output\n",
			   person.name);
		return false;
	}
	return true;
}

int main(void)
{
	port_start();
	console_model(&person);
	if (!prepare() || !selftest()) {
		port_exit(PORT_EXIT_SELFTEST);
	}
	start_decision(VWW_ON_PERCENT);
	if (frame_source_start() != 0) {
		port_exit(PORT_EXIT_SOURCE);
	}
	start_statistics();
	const int code = watch();
	if (code == PORT_EXIT_OK) {
		console_statistics(&statistics, &person);
		port_print("end: %u frames, %u times %s\n", (unsigned int)total.frames, (unsigned int)total.yes,
			   answer.label);
	}
	port_exit(code);
}
