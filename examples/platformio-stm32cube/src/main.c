/* SPDX-License-Identifier: Apache-2.0 */
/* A NUCLEO-F746ZG that asks a model once a second: console on the ST-LINK's serial port, answer on the blue LED. */
#include <string.h>

#include "person.h"
#include "stm32f7xx_hal.h"

static UART_HandleTypeDef console;

void SysTick_Handler(void)
{
	HAL_IncTick();
}

static void start_console(void)
{
	GPIO_InitTypeDef pins = {
		.Pin = GPIO_PIN_8 | GPIO_PIN_9,
		.Mode = GPIO_MODE_AF_PP,
		.Speed = GPIO_SPEED_FREQ_HIGH,
		.Alternate = GPIO_AF7_USART3,
	};
	__HAL_RCC_GPIOD_CLK_ENABLE();
	__HAL_RCC_USART3_CLK_ENABLE();
	HAL_GPIO_Init(GPIOD, &pins);
	console.Instance = USART3;
	console.Init.BaudRate = 115200;
	console.Init.WordLength = UART_WORDLENGTH_8B;
	console.Init.StopBits = UART_STOPBITS_1;
	console.Init.Parity = UART_PARITY_NONE;
	console.Init.Mode = UART_MODE_TX_RX;
	HAL_UART_Init(&console);
}

static void start_led(void)
{
	GPIO_InitTypeDef pin = {.Pin = GPIO_PIN_7, .Mode = GPIO_MODE_OUTPUT_PP, .Speed = GPIO_SPEED_FREQ_LOW};
	__HAL_RCC_GPIOB_CLK_ENABLE();
	HAL_GPIO_Init(GPIOB, &pin);
}

static void say(const char *text)
{
	static char line[80];
	strncpy(line, text, sizeof(line) - 1u);
	HAL_UART_Transmit(&console, (uint8_t *)line, (uint16_t)strlen(line), HAL_MAX_DELAY);
}

/* Stands for your camera: rows of red, green, blue, as person.h describes them. */
static void read_camera(int8_t *pixels)
{
	static uint8_t brightness;
	memset(pixels, brightness - 128, PERSON_INPUT_BYTES);
	brightness += 16u;
}

int main(void)
{
	HAL_Init();
	start_console();
	start_led();
	say(person_selftest() == RUNNEL_OK ? "selftest: ok\r\n" : "selftest: FAILED\r\n");
	for (;;) {
		read_camera(person_input());
		const int error = person_run();
		const int8_t *probability = person_output(); /* of no person, of a person */
		const int yes = error == RUNNEL_OK && probability[1] > probability[0];
		HAL_GPIO_WritePin(GPIOB, GPIO_PIN_7, yes ? GPIO_PIN_SET : GPIO_PIN_RESET);
		say(yes ? "person: yes\r\n" : "person: no\r\n");
		HAL_Delay(1000);
	}
}
