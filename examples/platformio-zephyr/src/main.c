/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a model once a second. PlatformIO compiles the model as a library, so that no CMake is needed for it. */
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "person.h"

int main(void)
{
	uint8_t brightness = 0; /* stands for your camera */

	printk("selftest: %s\n", person_selftest() == RUNNEL_OK ? "ok" : "FAILED");
	for (;;) {
		memset(person_input(), brightness - 128, PERSON_INPUT_BYTES);
		if (person_run() != RUNNEL_OK) {
			printk("person: the model failed\n");
			return 0;
		}
		const int8_t *probability = person_output(); /* of no person, of a person: 0 to 1 in 256 steps */
		printk("person: %d %%\n", (probability[1] + 128) * 100 / 256);
		brightness += 16;
		k_sleep(K_SECONDS(1));
	}
}
