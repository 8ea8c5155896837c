/* SPDX-License-Identifier: Apache-2.0 */
/* How much stack bare-metal firmware has used: paint the free part, look later how much of the paint is gone. */
#ifndef PORT_STACK_H_
#define PORT_STACK_H_

#include <stdint.h>

void stack_paint(void);

/* The most that was used since stack_paint(), in bytes, from the top of the stack. */
uint32_t stack_used_bytes(void);

/* .data, .bss and the stack of firmware linked with boards/startup/firmware.ld.j2. */
uint32_t stack_and_data_bytes(void);

#endif /* PORT_STACK_H_ */
