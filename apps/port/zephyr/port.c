/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port of the apps to Zephyr. Files of the host and the exit code exist on native_sim and, through semihosting, on
 * emulators (CONFIG_SEMIHOST); a board has neither.
 */
#include "port.h"

#include <stdarg.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#if defined(CONFIG_ARCH_POSIX)
#include <nsi_host_trampolines.h>
#include <posix_board_if.h>
#elif defined(CONFIG_SEMIHOST)
#include <zephyr/arch/common/semihost.h>
#endif

#if defined(CONFIG_GPIO) && DT_NODE_HAS_PROP(DT_ALIAS(led0), gpios)
#define HAS_LED 1
#include <zephyr/drivers/gpio.h>

static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);
static bool led_works;
#else
#define HAS_LED 0
#endif

void port_start(void)
{
#if HAS_LED
	led_works = gpio_is_ready_dt(&led) && gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE) == 0;
#endif
}

uint32_t port_milliseconds(void)
{
	return k_uptime_get_32();
}

uint32_t port_cycles(void)
{
	return k_cycle_get_32();
}

uint32_t port_cycles_per_second(void)
{
	return (uint32_t)sys_clock_hw_cycles_per_sec();
}

void port_led(bool on)
{
#if HAS_LED
	if (led_works) {
		(void)gpio_pin_set_dt(&led, on ? 1 : 0);
	}
#else
	ARG_UNUSED(on);
#endif
}

void port_print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintk(format, arguments);
	va_end(arguments);
}

uint32_t port_static_sram_bytes(void)
{
#if defined(CONFIG_ARM)
	/* From Zephyr's linker script: .data, .bss and .noinit, with the stacks and heaps in it. */
	extern char _image_ram_start[], _image_ram_end[];

	return (uint32_t)((uintptr_t)_image_ram_end - (uintptr_t)_image_ram_start);
#else
	return 0;
#endif
}

uint32_t port_stack_bytes(void)
{
#if defined(CONFIG_INIT_STACKS) && defined(CONFIG_THREAD_STACK_INFO) && !defined(CONFIG_ARCH_POSIX)
	size_t unused;

	if (k_thread_stack_space_get(k_current_get(), &unused) == 0) {
		return (uint32_t)(k_current_get()->stack_info.size - unused);
	}
#endif
	return 0;
}

#if defined(CONFIG_ARCH_POSIX)

#define HOST_READ_ONLY 0 /* O_RDONLY of the host */

void port_exit(int code)
{
	posix_exit(code);
	CODE_UNREACHABLE;
}

int port_file_open(const char *path)
{
	return nsi_host_open(path, HOST_READ_ONLY);
}

int32_t port_file_read(int file, void *destination, uint32_t bytes)
{
	return (int32_t)nsi_host_read(file, destination, bytes);
}

void port_file_close(int file)
{
	(void)nsi_host_close(file);
}

#elif defined(CONFIG_SEMIHOST)

#define SEMIHOST_EXIT_EXTENDED ((enum semihost_instr)0x20)
#define APPLICATION_EXIT 0x20026L

void port_exit(int code)
{
	long arguments[2] = {APPLICATION_EXIT, code};

	for (;;) {
		(void)semihost_exec(SEMIHOST_EXIT_EXTENDED, arguments);
	}
}

int port_file_open(const char *path)
{
	return (int)semihost_open(path, SEMIHOST_OPEN_RB);
}

/* Not semihost_read(): of a short read it returns the bytes that are missing. */
int32_t port_file_read(int file, void *destination, uint32_t bytes)
{
	long arguments[3] = {file, (long)(uintptr_t)destination, (long)bytes};
	const long missing = semihost_exec(SEMIHOST_READ, arguments);

	return missing < 0 || missing > (long)bytes ? -1 : (int32_t)((long)bytes - missing);
}

void port_file_close(int file)
{
	(void)semihost_close(file);
}

#else

void port_exit(int code)
{
	printk("stopped: exit code %d\n", code);
	for (;;) {
		k_sleep(K_FOREVER);
	}
}

int port_file_open(const char *path)
{
	ARG_UNUSED(path);
	return -1;
}

int32_t port_file_read(int file, void *destination, uint32_t bytes)
{
	ARG_UNUSED(file);
	ARG_UNUSED(destination);
	ARG_UNUSED(bytes);
	return -1;
}

void port_file_close(int file)
{
	ARG_UNUSED(file);
}

#endif
