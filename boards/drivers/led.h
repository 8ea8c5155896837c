/* SPDX-License-Identifier: Apache-2.0 */
/* The LED of a board. */
#ifndef LED_H
#define LED_H

#include <stdbool.h>

/* Switches the board's LED; off after led_start(). */
void led_start(void);
void led_set(bool on);

#endif /* LED_H */
