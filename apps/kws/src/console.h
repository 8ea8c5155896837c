/* SPDX-License-Identifier: Apache-2.0 */
/* All lines that the app prints. Numbers are integers until they are text: nobody's printf needs floats. */
#ifndef CONSOLE_H_
#define CONSOLE_H_

#include "listener.h"

void console_model(void);
void console_detection(const struct runnel_word_detection *detection);

/* The raw scores of a run (-128 to 127), in the order of the labels, and the sample at which its sound ended. */
void console_scores(const struct listener *listener);

/* Cycles and load since the last statistics, which it starts anew, and memory. */
void console_statistics(struct listener *listener);

/* The sound is over: there were this many samples of it. */
void console_end(const struct listener *listener, uint64_t samples);

#endif /* CONSOLE_H_ */
