/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a host over a serial line that loses and changes bytes; docs/hardware.md describes the protocol.
 *
 * The firmware asks, the host answers. A request that is not answered is sent again under the same number, so the
 * host can tell a repetition from a new one; it never carries out a request twice.
 */
#ifndef SERIAL_LINK_H
#define SERIAL_LINK_H

#include <stdint.h>

/* The most bytes of data in one request or answer. */
#define SERIAL_LINK_DATA_BYTES 1024u

struct serial_request {
	uint8_t command;
	uint8_t argument;
	const uint8_t *data;
	uint32_t bytes;
};

/*
 * Sends `request` until it is answered, for ever if need be. At most `capacity` bytes of the answer's data are
 * stored at `destination`; how many came. The processor is reset when the host asks for it instead of answering.
 */
uint32_t serial_link_ask(const struct serial_request *request, uint8_t *destination, uint32_t capacity);

/* Waits for the host to ask for a reset. */
_Noreturn void serial_link_wait_for_reset(void);

#endif /* SERIAL_LINK_H */
