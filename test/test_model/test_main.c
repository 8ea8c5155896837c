/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled model on its target: the self-test, repeatable outputs, and two photos. */
#include <string.h>

#include "answer.h"
#include "check.h"
#include "frame_source.h"
#include "image.h"
#include "person.h"

static struct image_input input;
static struct answer answer;

static void selftest_passes(void)
{
	CHECK(person_selftest() == RUNNEL_OK);
}

static void description_agrees_with_header(void)
{
	CHECK(person.arena_bytes == PERSON_ARENA_BYTES);
	CHECK(strcmp(person.name, "person") == 0);
}

static void run_pattern(int8_t *output)
{
	for (uint32_t i = 0; i < PERSON_INPUT_BYTES; ++i) {
		person_input()[i] = (int8_t)(i * 7u % 256u - 128u);
	}
	CHECK(person_run() == RUNNEL_OK);
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

static int32_t score_of_next_photo(const char *name)
{
	struct frame frame = {0};
	struct image_view view;
	CHECK(frame_source_next(&frame) == 1);
	CHECK(strcmp(frame.name, name) == 0);
	CHECK(image_view_prepare(&view, &input, &frame));
	image_fill(&view, person_input());
	frame_source_release(&frame);
	CHECK(person_run() == RUNNEL_OK);
	return answer_score(&answer, person_output());
}

static void photos_are_told_apart(void)
{
	CHECK(image_input_prepare(&input, &person));
	CHECK(answer_prepare(&answer, &person, "person"));
	CHECK(frame_source_start() == 0);
	CHECK(score_of_next_photo("astronaut.ppm") >= 700);
	CHECK(score_of_next_photo("chelsea.ppm") < 500);
}

int main(void)
{
	port_start();
	RUN(selftest_passes);
	RUN(description_agrees_with_header);
	RUN(same_input_gives_same_output);
	RUN(photos_are_told_apart);
	return check_end();
}
