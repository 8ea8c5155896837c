/* SPDX-License-Identifier: Apache-2.0 */
/* Platform of the emulated boards: Arm semihosting for files, console and exit code; a timer of the board. */
#include "platform.h"

#include "print_number.h"
#include "timer.h"

/* Operations of "Semihosting for AArch32 and AArch64". */
#define SYS_OPEN 0x01u
#define SYS_CLOSE 0x02u
#define SYS_WRITE0 0x04u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u

#define OPEN_READ_BINARY 1u
#define OPEN_WRITE_BINARY 5u
#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

static uint32_t semihosting_call(uint32_t operation, const volatile void *argument)
{
	register uint32_t r0 __asm__("r0") = operation;
	register uintptr_t r1 __asm__("r1") = (uintptr_t)argument;
	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

static int open_file(const char *path, uint32_t mode)
{
	uint32_t length = 0;
	while (path[length] != '\0') {
		++length;
	}
	const uint32_t block[3] = {(uint32_t)(uintptr_t)path, mode, length};
	return (int)semihosting_call(SYS_OPEN, block);
}

int platform_open_for_reading(const char *path)
{
	return open_file(path, OPEN_READ_BINARY);
}

int platform_open_for_writing(const char *path)
{
	return open_file(path, OPEN_WRITE_BINARY);
}

/* SYS_READ and SYS_WRITE return the number of bytes that were NOT transferred. */
static uint32_t transfer(uint32_t operation, int handle, const volatile uint8_t *memory, uint32_t bytes)
{
	const uint32_t block[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)memory, bytes};
	const uint32_t missing = semihosting_call(operation, block);
	return missing > bytes ? 0 : bytes - missing;
}

uint32_t platform_read(int handle, uint8_t *destination, uint32_t bytes)
{
	return transfer(SYS_READ, handle, destination, bytes);
}

uint32_t platform_write(int handle, const uint8_t *source, uint32_t bytes)
{
	return transfer(SYS_WRITE, handle, source, bytes);
}

void platform_close(int handle)
{
	const uint32_t block[1] = {(uint32_t)handle};
	semihosting_call(SYS_CLOSE, block);
}

void platform_print(const char *text)
{
	semihosting_call(SYS_WRITE0, text);
}

void platform_print_number(uint64_t number)
{
	char text[NUMBER_TEXT_BYTES];
	platform_print(number_text(number, text));
}

void platform_timer_start(void)
{
	timer_start();
}

uint64_t platform_timer_ticks(void)
{
	return timer_ticks();
}

_Noreturn void platform_exit(int code)
{
	const uint32_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint32_t)code};
	for (;;) {
		semihosting_call(SYS_EXIT_EXTENDED, block);
	}
}
