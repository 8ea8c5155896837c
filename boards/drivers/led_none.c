/* SPDX-License-Identifier: Apache-2.0 */
/* Boards without an LED that anybody could see. */
#include "led.h"

void led_start(void)
{
}

void led_set(bool on)
{
	(void)on;
}
