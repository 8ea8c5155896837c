/* SPDX-License-Identifier: Apache-2.0 */
/* Looks like a generated model to the harness; its output is its input. */
#ifndef ECHO_H
#define ECHO_H

#include <stdint.h>

#define ECHO_BYTES 3000

uint8_t *echo_input(void);
const uint8_t *echo_output(void);
int echo_run(void);

#endif /* ECHO_H */
