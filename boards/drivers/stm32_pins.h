/* SPDX-License-Identifier: Apache-2.0 */
/* Pins of an STM32. */
#ifndef STM32_PINS_H
#define STM32_PINS_H

#include "registers.h"
#include "stm32_registers.h"

enum stm32_pin_mode { STM32_PIN_OUTPUT = 1, STM32_PIN_ALTERNATE = 2 };

static inline uint32_t stm32_port_address(struct stm32_pin pin)
{
	return STM32_GPIO + pin.port * STM32_GPIO_STRIDE;
}

static inline void stm32_pin_enable_port(struct stm32_pin pin)
{
	const uint32_t enable = STM32_RCC + STM32_RCC_GPIO_ENABLE;
	REGISTER(enable) |= 1u << pin.port;
	(void)REGISTER(enable); /* the clock takes two cycles to arrive (errata): the read waits for it */
}

static inline void stm32_pin_set_mode(struct stm32_pin pin, enum stm32_pin_mode mode)
{
	const uint32_t shift = 2u * pin.number;
	register_set_field(stm32_port_address(pin) + STM32_GPIO_MODER, 3u << shift, (uint32_t)mode << shift);
}

static inline void stm32_pin_pull_up(struct stm32_pin pin)
{
	const uint32_t shift = 2u * pin.number;
	register_set_field(stm32_port_address(pin) + STM32_GPIO_PUPDR, 3u << shift, 1u << shift);
}

static inline void stm32_pin_use_alternate(struct stm32_pin pin, uint32_t function)
{
	const uint32_t address = stm32_port_address(pin) + STM32_GPIO_AFRL + 4u * (pin.number / 8u);
	const uint32_t shift = 4u * (pin.number % 8u);
	stm32_pin_enable_port(pin);
	register_set_field(address, 0xFu << shift, function << shift);
	stm32_pin_set_mode(pin, STM32_PIN_ALTERNATE);
}

static inline void stm32_pin_write(struct stm32_pin pin, bool high)
{
	REGISTER(stm32_port_address(pin) + STM32_GPIO_BSRR) = 1u << (pin.number + (high ? 0u : 16u));
}

#endif /* STM32_PINS_H */
