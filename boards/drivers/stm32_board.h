/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is soldered to which pin: console UART (of the ST-LINK, where there is one) and LED.
 *
 * The build defines RUNNEL_BOARD_<NAME>, NAME as in boards/<name>.yaml in capitals. Sources: UM1907 (STM32F746G-DISCO),
 * UM1974 (Nucleo-144), the OpenMV Cam M7's pinout (UART 3 on P4 and P5: there is no ST-LINK on it). STM32F405 is no
 * board of ours: QEMU's netduinoplus2 has one, and tests run the STM32F4 drivers there.
 */
#ifndef STM32_BOARD_H
#define STM32_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#define STM32_PORT_A 0u
#define STM32_PORT_B 1u
#define STM32_PORT_C 2u
#define STM32_PORT_D 3u
#define STM32_PORT_I 8u

struct stm32_pin {
	uint32_t port; /* STM32_PORT_… */
	uint32_t number;
};

struct stm32_board {
	struct stm32_pin transmit;
	struct stm32_pin receive;
	uint32_t alternate_function; /* of both */
	struct stm32_pin led;
	bool led_lights_when_low;
};

#if defined(RUNNEL_BOARD_STM32F746)

#define STM32_F7
#define STM32_CONSOLE_USART 1
static const struct stm32_board stm32_board = {
	.transmit = {STM32_PORT_A, 9},
	.receive = {STM32_PORT_B, 7},
	.alternate_function = 7,
	.led = {STM32_PORT_I, 1},
	.led_lights_when_low = false,
};

#elif defined(RUNNEL_BOARD_STM32F765)

#define STM32_F7
#define STM32_CONSOLE_USART 3
static const struct stm32_board stm32_board = {
	.transmit = {STM32_PORT_B, 10},
	.receive = {STM32_PORT_B, 11},
	.alternate_function = 7,
	.led = {STM32_PORT_C, 1},
	.led_lights_when_low = true,
};

#elif defined(RUNNEL_BOARD_STM32F412)

#define STM32_F4
#define STM32_CONSOLE_USART 3
static const struct stm32_board stm32_board = {
	.transmit = {STM32_PORT_D, 8},
	.receive = {STM32_PORT_D, 9},
	.alternate_function = 7,
	.led = {STM32_PORT_B, 0},
	.led_lights_when_low = false,
};

#elif defined(RUNNEL_BOARD_STM32H743)

#define STM32_H7
#define STM32_CONSOLE_USART 3
static const struct stm32_board stm32_board = {
	.transmit = {STM32_PORT_D, 8},
	.receive = {STM32_PORT_D, 9},
	.alternate_function = 7,
	.led = {STM32_PORT_B, 0},
	.led_lights_when_low = false,
};

#elif defined(RUNNEL_BOARD_STM32F405)

#define STM32_F4
#define STM32_CONSOLE_USART 1
static const struct stm32_board stm32_board = {
	.transmit = {STM32_PORT_A, 9},
	.receive = {STM32_PORT_A, 10},
	.alternate_function = 7,
	.led = {STM32_PORT_C, 13},
	.led_lights_when_low = false,
};

#else
#error "define RUNNEL_BOARD_<NAME> for one of the STM32 boards of boards/*.yaml, or add a board here"
#endif

#endif /* STM32_BOARD_H */
