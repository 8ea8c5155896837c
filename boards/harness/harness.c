/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a model on every record of inputs.bin and appends what it answers to outputs.bin.
 *
 * A record is the bytes of all inputs in order; inputs are read straight into the model's arena, so the harness
 * needs no memory of its own, unless the model asks for rows of its input: harness_model.c then keeps the record. Prints `key: value` lines, read by run/result.py; numbers are hexadecimal.
 */
#include <stddef.h>

#include "harness.h"
#include "platform.h"

#define GUARD_PATTERN 0xA5u

static struct harness_measurement measurement;

static void print_pair(const char *key, uint64_t value)
{
	platform_print(key);
	platform_print(": ");
	platform_print_number(value);
	platform_print("\n");
}

_Noreturn static void fail(int code, const char *message)
{
	platform_print("error: ");
	platform_print(message);
	platform_print("\n");
	platform_exit(code);
}

static void fill_guard(uint8_t *guard)
{
	for (uint32_t i = 0; i < harness_model.guard_bytes; ++i) {
		((volatile uint8_t *)guard)[i] = GUARD_PATTERN;
	}
}

static int guard_is_intact(const uint8_t *guard)
{
	for (uint32_t i = 0; i < harness_model.guard_bytes; ++i) {
		if (((const volatile uint8_t *)guard)[i] != GUARD_PATTERN) {
			return 0;
		}
	}
	return 1;
}

static uint8_t *guard_behind(void)
{
	return harness_model.guarded + *harness_model.guarded_bytes - harness_model.guard_bytes;
}

static void fill_guards(void)
{
	if (harness_model.guarded == NULL) {
		return;
	}
	fill_guard(harness_model.guarded);
	fill_guard(guard_behind());
}

static void check_guards(void)
{
	if (harness_model.guarded == NULL) {
		return;
	}
	if (!guard_is_intact(harness_model.guarded)) {
		fail(PLATFORM_EXIT_GUARD, "the model wrote below its arena");
	}
	if (!guard_is_intact(guard_behind())) {
		fail(PLATFORM_EXIT_GUARD, "the model wrote above its arena");
	}
}

/* 1: a whole record was read; 0: the file ended before its first byte. */
static int read_record(int file)
{
	for (uint32_t i = 0; i < harness_model.input_count; ++i) {
		const struct harness_input *input = &harness_model.inputs[i];
		const uint32_t bytes = platform_read(file, input->pointer(), input->bytes);
		if (bytes == 0 && i == 0) {
			return 0;
		}
		if (bytes != input->bytes) {
			fail(PLATFORM_EXIT_FILES, "inputs.bin ends in the middle of a record");
		}
	}
	return 1;
}

static void write_record(int file)
{
	for (uint32_t i = 0; i < harness_model.output_count; ++i) {
		const struct harness_output *output = &harness_model.outputs[i];
		if (platform_write(file, output->pointer(), output->bytes) != output->bytes) {
			fail(PLATFORM_EXIT_FILES, "outputs.bin could not be written");
		}
	}
}

static void check_status(const char *key, int status)
{
	if (status == 0) {
		return;
	}
	print_pair(key, (uint64_t)(uint32_t)status);
	fail(PLATFORM_EXIT_MODEL, "the model returned an error");
}

static void run_records(int inputs, int outputs)
{
	while (read_record(inputs)) {
		const int status = harness_measure(harness_model.run, &measurement);
		check_status("status", status);
		check_guards();
		write_record(outputs);
		print_pair("ticks", measurement.ticks);
	}
}

int main(void)
{
	const int inputs = platform_open_for_reading("inputs.bin");
	const int outputs = platform_open_for_writing("outputs.bin");
	if (inputs < 0 || outputs < 0) {
		fail(PLATFORM_EXIT_FILES, "inputs.bin or outputs.bin could not be opened");
	}
	fill_guards();
	run_records(inputs, outputs);
	platform_close(outputs);
	platform_close(inputs);
	if (harness_model.selftest != NULL) {
		check_status("selftest", harness_model.selftest());
		check_guards();
		print_pair("selftest", 0);
	}
	if (measurement.stack_bytes != 0) {
		print_pair("stack_bytes", measurement.stack_bytes);
	}
	if (harness_model.guarded != NULL) {
		platform_print("guard: intact\n");
	}
	platform_print("done: 0\n");
	return PLATFORM_EXIT_OK;
}
