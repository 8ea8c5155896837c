/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody at the console asks of the running app. Any thread asks, main() does it between two rows. */
#ifndef CONTROL_H_
#define CONTROL_H_

#include <stdatomic.h>
#include <stdbool.h>

struct control {
	atomic_bool statistics;        /* print them now */
	atomic_bool scores;            /* print the scores of every run */
	atomic_uint threshold_percent; /* a new threshold, 0: as it is */
};

extern struct control control;

#endif /* CONTROL_H_ */
