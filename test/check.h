/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a test on a target needs. test_custom_runner.py reads what it prints.
 *
 *   static void one_and_one(void) { CHECK(1 + 1 == 2); }
 *   int main(void) { port_start(); RUN(one_and_one); return check_end(); }
 */
#ifndef CHECK_H_
#define CHECK_H_

#include <stdbool.h>

#include "port.h"

static const char *check_failure;
static int check_line;
static int check_tests;
static int check_failures;

/* The first failure of a test counts. */
static inline void check_note(bool right, const char *condition, int line)
{
	if (!right && check_failure == (const char *)0) {
		check_failure = condition;
		check_line = line;
	}
}

static inline void check_run(void (*test)(void), const char *name, const char *file)
{
	check_failure = (const char *)0;
	test();
	++check_tests;
	if (check_failure == (const char *)0) {
		port_print("PASS %s\n", name);
	} else {
		++check_failures;
		port_print("FAIL %s:%d: %s: %s\n", file, check_line, name, check_failure);
	}
}

/* The exit code of the firmware. */
static inline int check_end(void)
{
	port_print("tests: %d, failed: %d\n", check_tests, check_failures);
	return check_failures == 0 ? 0 : 1;
}

#define CHECK(condition) check_note((condition), #condition, __LINE__)
#define RUN(test) check_run((test), #test, __FILE__)

#endif /* CHECK_H_ */
