/* SPDX-License-Identifier: Apache-2.0 */
/* The LED of an STM32 board. */
#include "led.h"

#include "stm32_pins.h"

void led_start(void)
{
	stm32_pin_enable_port(stm32_board.led);
	led_set(false); /* before the pin drives, so that it does not flash */
	stm32_pin_set_mode(stm32_board.led, STM32_PIN_OUTPUT);
}

void led_set(bool on)
{
	stm32_pin_write(stm32_board.led, on != stm32_board.led_lights_when_low);
}
