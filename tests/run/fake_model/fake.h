/* SPDX-License-Identifier: Apache-2.0 */
/* A hand-written stand-in for a generated model, with the same API. */
#ifndef FAKE_H
#define FAKE_H

#include <stdint.h>

#include "runnel/runnel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FAKE_INPUT_BYTES 64
#define FAKE_ARENA_BYTES 144

int8_t *fake_input_0(void);
float *fake_input_1(void);
int fake_run(void);
const int8_t *fake_output_0(void);
const uint8_t *fake_output_1(void);
int fake_selftest(void);

#ifdef __cplusplus
}
#endif

#endif
