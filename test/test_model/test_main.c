/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled model on its target: the self-test, repeatable outputs, and two photos. */
#include <stddef.h>
#include <string.h>

#include "answer.h"
#include "check.h"
#include "frame_source.h"
#include "image.h"
#include "person.h"
#include "picture.h"

static struct image_input input;
static struct answer answer;

static void the_model_takes_images(void)
{
	CHECK(image_input_prepare(&input, &person));
}

static void selftest_passes(void)
{
	CHECK(person_selftest() == RUNNEL_OK);
}

static void description_agrees_with_header(void)
{
	CHECK(person.arena_bytes == PERSON_ARENA_BYTES);
	CHECK(strcmp(person.name, "person") == 0);
}

static int read_pattern(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	int8_t *values = destination;
	(void)context;
	for (uint32_t i = 0; i < (uint32_t)columns * input.channels; ++i) {
		const uint32_t index = ((uint32_t)y * input.width + (uint32_t)x) * input.channels + i;
		values[i] = (int8_t)(index * 7u % 256u - 128u);
	}
	return 0;
}

static void run_pattern(int8_t *output)
{
	CHECK(person_run_rows(read_pattern, NULL) == RUNNEL_OK);
	memcpy(output, person_output(), PERSON_OUTPUT_BYTES);
}

static void same_input_gives_same_output(void)
{
	int8_t first[PERSON_OUTPUT_BYTES];
	int8_t second[PERSON_OUTPUT_BYTES];
	run_pattern(first);
	CHECK(person_selftest() == RUNNEL_OK);
	run_pattern(second);
	CHECK(memcmp(first, second, sizeof(first)) == 0);
}

static int stop(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	(void)x;
	(void)columns;
	(void)destination;
	++*(int *)context;
	return y < 10 ? 0 : -7;
}

static void a_failed_row_stops_the_run(void)
{
	int calls = 0;
	CHECK(person_run_rows(stop, &calls) == -7);
	CHECK(calls >= 11 && calls < 80);
}

static int32_t score_of_next_photo(const char *name)
{
	struct frame frame = {0};
	struct picture picture;
	CHECK(frame_source_next(&frame) == 1);
	CHECK(strcmp(frame.name, name) == 0);
	CHECK(picture_open(&picture, &input, &frame));
	CHECK(person_run_rows(picture_read_row, &picture) == RUNNEL_OK);
	frame_source_release(&frame);
	return answer_score(&answer, person_output());
}

static void photos_are_told_apart(void)
{
	CHECK(answer_prepare(&answer, &person, "person"));
	CHECK(frame_source_start() == 0);
	CHECK(score_of_next_photo("astronaut.ppm") >= 700);
	CHECK(score_of_next_photo("chelsea.ppm") < 500);
}

int main(void)
{
	port_start();
	RUN(the_model_takes_images);
	RUN(selftest_passes);
	RUN(description_agrees_with_header);
	RUN(same_input_gives_same_output);
	RUN(a_failed_row_stops_the_run);
	RUN(photos_are_told_apart);
	return check_end();
}
