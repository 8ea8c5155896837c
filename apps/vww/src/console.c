/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include "port.h"

#define PRINTED_VALUES 16u /* of an output with more of them only the first */
#define MACS_PER_TENTH_OF_A_MILLION 100000u

static uint32_t milliseconds(uint64_t cycles)
{
	const uint32_t per_millisecond = port_cycles_per_second() / 1000u;
	return per_millisecond == 0 ? 0 : (uint32_t)((cycles + per_millisecond / 2u) / per_millisecond);
}

static void print_thousandths(int32_t value)
{
	const uint32_t hundredths = ((uint32_t)(value < 0 ? -value : value) + 5u) / 10u;
	port_print("%s%u.%02u", value < 0 && hundredths != 0 ? "-" : "", (unsigned int)(hundredths / 100u),
		   (unsigned int)(hundredths % 100u));
}

void console_model(const struct runnel_model *model)
{
	const struct runnel_edge *edge = &model->inputs[0];
	const uint32_t macs = (uint32_t)(model->macs / MACS_PER_TENTH_OF_A_MILLION);
	port_print("model: %s, arena %u bytes, input", model->name, (unsigned int)model->arena_bytes);
	for (int32_t i = 1; i < edge->rank; ++i) {
		port_print("%s%d", i == 1 ? " " : "x", (int)edge->dimensions[i]);
	}
	port_print(", %u.%u million multiply-accumulates, made for %s\n", (unsigned int)(macs / 10u),
		   (unsigned int)(macs % 10u), model->board);
}

void console_score(const struct answer *answer, int32_t score, uint32_t cycles)
{
	port_print("%s: ", answer->label);
	print_thousandths(score);
	port_print(" (%u ms)", (unsigned int)milliseconds(cycles));
}

void console_output(const struct answer *answer, const int8_t *output)
{
	port_print(", output:");
	for (uint32_t i = 0; i < answer->values && i < PRINTED_VALUES; ++i) {
		port_print(" %d", output[i]);
	}
}

void console_statistics(const struct statistics *statistics, const struct runnel_model *model)
{
	const uint32_t elapsed = port_milliseconds() - statistics->start;
	const uint32_t frames = statistics->frames;
	if (frames != 0 && elapsed != 0) {
		const uint32_t tenths = (uint32_t)(((uint64_t)frames * 10000u + elapsed / 2u) / elapsed);
		port_print("frames: %u.%u per second, image %u ms, model %u ms, ", (unsigned int)(tenths / 10u),
			   (unsigned int)(tenths % 10u), (unsigned int)milliseconds(statistics->image_cycles / frames),
			   (unsigned int)milliseconds(statistics->model_cycles / frames));
	} else {
		port_print("frames: %u, ", (unsigned int)frames);
	}
	port_print("arena %u bytes", (unsigned int)model->arena_bytes);
	if (port_static_sram_bytes() != 0) {
		port_print(", static SRAM %u bytes", (unsigned int)port_static_sram_bytes());
	}
	if (port_stack_bytes() != 0) {
		port_print(", stack %u bytes", (unsigned int)port_stack_bytes());
	}
	port_print("\n");
}

void console_decision(const struct answer *answer, const struct decision *decision)
{
	port_print("decision: %s, %s from ", decision->yes ? "yes" : "no", answer->label);
	print_thousandths(decision->settings.on);
	port_print(", none below ");
	print_thousandths(decision->settings.off);
	port_print("\n");
}
