/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the apps need of the system they run on, and nothing else. One folder implements it for Zephyr, one for
 * bare metal on emulators, one for bare metal on STM32; the apps' own sources are the same in all of them.
 */
#ifndef PORT_H_
#define PORT_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exit codes of the apps where there is somebody to give them to (emulators, native_sim). */
#define PORT_EXIT_OK 0
#define PORT_EXIT_SELFTEST 3 /* the model does not compute what it should */
#define PORT_EXIT_SOURCE 5   /* the camera, the microphone or the files behind them do not work */

/* Clocks, console, LED. Call it first. */
void port_start(void);

/* Milliseconds and cycles since port_start(); both wrap around. */
uint32_t port_milliseconds(void);
uint32_t port_cycles(void);
uint32_t port_cycles_per_second(void);

/* The LED that says yes: led0 where the board has one, nothing elsewhere. */
void port_led(bool on);

/* Writes to the console. Formats: %d %u %x %s %c %% with width and zero padding (%3d, %02u); no floats, no long. */
void port_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes of static SRAM that the firmware takes (.data + .bss), the stacks in it included; 0 where nobody knows. */
uint32_t port_static_sram_bytes(void);

/* The most stack bytes that the calling thread has used so far; 0 where nobody knows. Looks through the stack. */
uint32_t port_stack_bytes(void);

/* Ends the program with this code where that means something; stops for good on a board. */
void port_exit(int code) __attribute__((noreturn));

/*
 * Files of the host, where there is one (semihosting, native_sim). Handles are not negative. A relative path is
 * relative to the folder that the emulator was started in.
 */
int port_file_open(const char *path);                                          /* to read; -1: cannot be opened */
int32_t port_file_read(int file, void *destination, uint32_t bytes);           /* bytes read; fewer at the end; -1 */
void port_file_close(int file);

#ifdef __cplusplus
}
#endif

#endif /* PORT_H_ */
