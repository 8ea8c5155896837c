/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include <zephyr/sys/printk.h>

#include "exact.h"

/* The picture that a pulled input takes its rows from. */
struct picture {
	const int8_t *values;
	int32_t width;
	int32_t channels;
};

static int read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	const struct picture *picture = context;

	memcpy(destination, picture->values + (y * picture->width + x) * picture->channels,
	       (size_t)(columns * picture->channels));
	return 0;
}

static int run(const struct exact_model *exact, const int8_t *values)
{
	const struct runnel_edge *edge = &exact->model->inputs[0];

	if (exact->input == NULL) {
		struct picture picture = { values, edge->dimensions[2], edge->dimensions[3] };

		return exact->run_rows(read_row, &picture);
	}
	memcpy(exact->input(), values, edge->bytes);
	return exact->run();
}

/* Models take turns, so that a shared arena or a stray write shows. */
static void run_case(const struct exact_model *exact, int number)
{
	const size_t bytes = exact->model->inputs[0].bytes;
	const size_t outputs = exact->model->outputs[0].bytes;

	if (run(exact, exact->inputs + (size_t)number * bytes) != RUNNEL_OK) {
		printk("error: %s %d\n", exact->model->name, number);
		return;
	}
	printk("output: %s %d:", exact->model->name, number);
	for (size_t i = 0; i < outputs; i++) {
		printk(" %d", exact->output()[i]);
	}
	printk("\n");
}

int main(void)
{
	int most = 0;

	for (int i = 0; i < exact_model_count; i++) {
		const struct exact_model *exact = &exact_models[i];

		printk("model: %s, arena %u bytes at %p\n", exact->model->name, (unsigned int)exact->model->arena_bytes,
		       (const void *)exact->output());
		printk("selftest: %s %s\n", exact->model->name, exact->selftest() == RUNNEL_OK ? "ok" : "FAILED");
		most = exact->input_count > most ? exact->input_count : most;
	}
	for (int number = 0; number < most; number++) {
		for (int i = 0; i < exact_model_count; i++) {
			if (number < exact_models[i].input_count) {
				run_case(&exact_models[i], number);
			}
		}
	}
	printk("end: all\n");
	return 0;
}
