/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include <zephyr/sys/printk.h>

#include "exact.h"

/* Models take turns, so that a shared arena or a stray write shows. */
static void run_case(const struct exact_model *exact, int number)
{
	const size_t bytes = exact->model->inputs[0].bytes;
	const size_t outputs = exact->model->outputs[0].bytes;

	memcpy(exact->input(), exact->inputs + (size_t)number * bytes, bytes);
	if (exact->run() != RUNNEL_OK) {
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
		       (void *)exact->input());
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
