/* SPDX-License-Identifier: Apache-2.0 */
/* The front end with the API of a generated model: one second of samples in, its rows out. */
#ifndef FRONT_END_H
#define FRONT_END_H

#include <stdint.h>

#include "runnel/runnel.h"

#define FRONT_END_ROWS 50
#define FRONT_END_INPUT_BYTES 32000
#define FRONT_END_OUTPUT_BYTES 2000

int16_t *front_end_input_0(void);
int front_end_run(void);
const int8_t *front_end_output_0(void);

#endif
