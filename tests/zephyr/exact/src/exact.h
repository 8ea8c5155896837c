/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXACT_H_
#define EXACT_H_

#include <stdint.h>

#include "runnel/runnel.h"

/* A model and the inputs that it is run with, one after the other. */
struct exact_model {
	const struct runnel_model *model;
	int8_t *(*input)(void); /* NULL where the input is pulled: rows are given then */
	int (*run)(void);
	int (*run_rows)(runnel_read_row read_row, void *context);
	const int8_t *(*output)(void);
	int (*selftest)(void);
	const int8_t *inputs;
	int input_count;
};

extern const struct exact_model exact_models[];
extern const int exact_model_count;

#endif /* EXACT_H_ */
