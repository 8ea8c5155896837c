/* SPDX-License-Identifier: Apache-2.0 */
/* How much stack bare-metal firmware has used: paint the free part, look later how much of the paint is gone. */
#ifndef PORT_STACK_H_
#define PORT_STACK_H_

/* Call it first; port_stack_bytes() then knows the most that was used since. */
void stack_paint(void);

#endif /* PORT_STACK_H_ */
