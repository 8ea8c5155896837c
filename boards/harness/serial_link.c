/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is: number, command or status, argument, data, CRC-32; all of it with Consistent Overhead Byte Stuffing, so
 * that no byte in it is zero, and a zero behind it. After any noise the next zero is where frames begin again.
 */
#include "serial_link.h"

#include <stdbool.h>
#include <stddef.h>

#include "uart.h"

#define HEADER_BYTES 3u
#define CRC_BYTES 4u
#define CRC_START 0xFFFFFFFFu
#define CRC_OF_A_WHOLE_FRAME 0xDEBB20E3u /* what CRC-32 gives over data with its own CRC behind it, not inverted */
#define BLOCK_BYTES 254u                 /* longest run without a zero in byte stuffing */
#define COMMAND_RESET 'Z'
#define SILENT_POLLS 400000u /* without a byte before a request is repeated: about 0.1 s */

#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_RESET 0x05FA0004u

struct encoder {
	uint32_t crc;
	uint32_t used;
	uint8_t block[BLOCK_BYTES];
};

struct decoder {
	uint32_t crc;
	uint32_t position; /* in the decoded frame */
	uint32_t left;     /* bytes left in this block */
	bool zero_is_due;  /* when the next block begins */
	uint8_t header[HEADER_BYTES];
	uint8_t behind[CRC_BYTES]; /* the last bytes, which may be the CRC */
	uint8_t *destination;
	uint32_t capacity;
	uint32_t stored;
};

static struct encoder encoder;
static struct decoder decoder;
static uint8_t number;

/* CRC-32 of IEEE 802.3, four bits at a time: 64 bytes of table. */
static uint32_t add_to_crc(uint32_t crc, uint8_t byte)
{
	static const uint32_t table[16] = {
		0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
		0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
		0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
	};
	crc = table[(crc ^ byte) & 15u] ^ (crc >> 4);
	return table[(crc ^ (uint32_t)(byte >> 4)) & 15u] ^ (crc >> 4);
}

/* --- Sending --------------------------------------------------------------------------------------------------- */

static void send_block(uint8_t code)
{
	uart_write(code);
	for (uint32_t i = 0; i < encoder.used; ++i) {
		uart_write(encoder.block[i]);
	}
	encoder.used = 0;
}

static void put(uint8_t byte)
{
	if (byte == 0) {
		send_block((uint8_t)(encoder.used + 1u));
		return;
	}
	encoder.block[encoder.used++] = byte;
	if (encoder.used == BLOCK_BYTES) {
		send_block(BLOCK_BYTES + 1u);
	}
}

static void put_counted(uint8_t byte)
{
	encoder.crc = add_to_crc(encoder.crc, byte);
	put(byte);
}

static void send(const struct serial_request *request)
{
	encoder.crc = CRC_START;
	encoder.used = 0;
	uart_write(0); /* ends whatever noise came before */
	put_counted(number);
	put_counted(request->command);
	put_counted(request->argument);
	for (uint32_t i = 0; i < request->bytes; ++i) {
		put_counted(request->data[i]);
	}
	const uint32_t crc = ~encoder.crc;
	for (uint32_t i = 0; i < CRC_BYTES; ++i) {
		put((uint8_t)(crc >> (8u * i)));
	}
	send_block((uint8_t)(encoder.used + 1u));
	uart_write(0);
}

/* --- Receiving ------------------------------------------------------------------------------------------------- */

static void start_frame(void)
{
	decoder.crc = CRC_START;
	decoder.position = 0;
	decoder.left = 0;
	decoder.zero_is_due = false;
	decoder.stored = 0;
}

/* A byte of the decoded frame. Data is stored once CRC_BYTES more have come, and only if it answers our request. */
static void take(uint8_t byte)
{
	decoder.crc = add_to_crc(decoder.crc, byte);
	const uint32_t position = decoder.position++;
	if (position < HEADER_BYTES) {
		decoder.header[position] = byte;
		return;
	}
	const uint32_t slot = (position - HEADER_BYTES) % CRC_BYTES;
	const bool slot_is_full = position >= HEADER_BYTES + CRC_BYTES;
	if (slot_is_full && decoder.header[0] == number && decoder.stored < decoder.capacity) {
		decoder.destination[decoder.stored++] = decoder.behind[slot];
	}
	decoder.behind[slot] = byte;
}

static void take_stuffed(uint8_t byte)
{
	if (decoder.left != 0) {
		--decoder.left;
		take(byte);
		return;
	}
	if (decoder.zero_is_due) {
		take(0);
	}
	decoder.zero_is_due = byte != BLOCK_BYTES + 1u;
	decoder.left = byte - 1u;
}

static bool frame_is_whole(void)
{
	return decoder.left == 0 && decoder.position >= HEADER_BYTES + CRC_BYTES &&
	       decoder.crc == CRC_OF_A_WHOLE_FRAME;
}

_Noreturn static void reset(void)
{
	uart_flush();
	AIRCR = AIRCR_RESET;
	for (;;) {
	}
}

/* True when the answer to our request is there; false after a while without a byte. */
static bool receive(void)
{
	uint32_t silence = 0;
	start_frame();
	while (silence < SILENT_POLLS) {
		uint8_t byte;
		if (!uart_read(&byte)) {
			++silence;
			continue;
		}
		silence = 0;
		if (byte != 0) {
			take_stuffed(byte);
			continue;
		}
		if (frame_is_whole()) {
			if (decoder.header[1] == COMMAND_RESET) {
				reset();
			}
			if (decoder.header[0] == number) {
				return true;
			}
		}
		start_frame();
	}
	return false;
}

uint32_t serial_link_ask(const struct serial_request *request, uint8_t *destination, uint32_t capacity)
{
	++number;
	decoder.destination = destination;
	decoder.capacity = capacity;
	do {
		send(request);
	} while (!receive());
	return decoder.stored;
}

_Noreturn void serial_link_wait_for_reset(void)
{
	++number;
	decoder.capacity = 0;
	for (;;) {
		(void)receive();
	}
}
