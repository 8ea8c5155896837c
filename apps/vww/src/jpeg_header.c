/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a JPEG: its markers up to the first scan. ITU-T T.81, annex B. */
#include <string.h>

#include "jpeg.h"

#define MARKER_SOF_BASELINE 0xC0
#define MARKER_SOF_PROGRESSIVE 0xC2
#define MARKER_DHT 0xC4
#define MARKER_JPG 0xC8
#define MARKER_DAC 0xCC
#define MARKER_SOF_LAST 0xCF
#define MARKER_SOI 0xD8
#define MARKER_EOI 0xD9
#define MARKER_SOS 0xDA
#define MARKER_DQT 0xDB
#define MARKER_DRI 0xDD
#define MARKER_ADOBE 0xEE

#define LARGEST_DC_SYMBOL 11u /* bits of a difference */
#define ADOBE_TRANSFORM 11u   /* where in the segment it is said how colours are stored */

/* A byte of a segment of which `left` bytes are left. */
static uint32_t take(struct jpeg *jpeg, uint32_t *left)
{
	if (*left == 0) {
		jpeg_fail(jpeg, JPEG_DAMAGED);
		return 0;
	}
	--*left;
	const int32_t byte = jpeg_byte(jpeg);
	return byte < 0 ? 0 : (uint32_t)byte;
}

static uint32_t take_16(struct jpeg *jpeg, uint32_t *left)
{
	const uint32_t high = take(jpeg, left);
	return high << 8 | take(jpeg, left);
}

static void read_quantization(struct jpeg *jpeg, uint32_t *left)
{
	while (*left > 0 && jpeg->error == JPEG_OK) {
		const uint32_t kind = take(jpeg, left);
		if (kind > 3u) { /* 16 bits, or no table of this number */
			jpeg_fail(jpeg, kind >> 4 == 1u ? JPEG_NOT_BASELINE : JPEG_DAMAGED);
			return;
		}
		for (uint32_t i = 0; i < JPEG_BLOCK_VALUES; ++i) {
			jpeg->quantization[kind][i] = (uint8_t)take(jpeg, left);
		}
		jpeg->tables_seen |= (uint8_t)(1u << kind);
	}
}

/* The number of symbols, 0 where no code can have so many of a length. */
static uint32_t count_symbols(const uint8_t *counts)
{
	uint32_t symbols = 0;
	uint32_t used = 0; /* of the 2^length codes */
	for (uint32_t i = 0; i < JPEG_CODE_LENGTHS; ++i) {
		used = 2u * used + counts[i];
		symbols += counts[i];
		if (used > 2u << i) {
			return 0;
		}
	}
	return symbols;
}

static void read_codes(struct jpeg *jpeg, uint32_t *left)
{
	while (*left > 0 && jpeg->error == JPEG_OK) {
		const uint32_t kind = take(jpeg, left);
		const uint32_t number = kind & 15u;
		const bool ac = kind >> 4 == 1u;
		if (kind >> 4 > 1u || number >= JPEG_TABLES) {
			jpeg_fail(jpeg, JPEG_NOT_BASELINE);
			return;
		}
		uint8_t *counts = ac ? jpeg->ac_counts[number] : jpeg->dc_counts[number];
		uint8_t *symbols = ac ? jpeg->ac_symbols[number] : jpeg->dc_symbols[number];
		for (uint32_t i = 0; i < JPEG_CODE_LENGTHS; ++i) {
			counts[i] = (uint8_t)take(jpeg, left);
		}
		const uint32_t symbol_count = count_symbols(counts);
		if (symbol_count == 0 || symbol_count > (ac ? 256u : LARGEST_DC_SYMBOL + 1u)) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
			return;
		}
		for (uint32_t i = 0; i < symbol_count; ++i) {
			symbols[i] = (uint8_t)take(jpeg, left);
			if (!ac && symbols[i] > LARGEST_DC_SYMBOL) {
				jpeg_fail(jpeg, JPEG_DAMAGED);
			}
		}
		jpeg->tables_seen |= (uint8_t)((ac ? 0x40u : 0x10u) << number);
	}
}

/* Cb and Cr have one block an MCU, Y has one or two in each direction. */
static bool known_sampling(const struct jpeg *jpeg)
{
	const struct jpeg_component *y = &jpeg->component[0];
	bool known = y->across >= 1u && y->across <= 2u && y->down >= 1u && y->down <= 2u;
	for (uint32_t i = 1; i < jpeg->component_count; ++i) {
		known = known && jpeg->component[i].across == 1u && jpeg->component[i].down == 1u;
	}
	return known;
}

static void read_frame(struct jpeg *jpeg, uint32_t *left)
{
	const uint32_t precision = take(jpeg, left);
	jpeg->height = take_16(jpeg, left);
	jpeg->width = take_16(jpeg, left);
	jpeg->component_count = take(jpeg, left);
	if (jpeg->error == JPEG_OK && precision != 8u) {
		jpeg_fail(jpeg, JPEG_NOT_BASELINE);
	} else if (jpeg->width == 0 || jpeg->height == 0) {
		jpeg_fail(jpeg, JPEG_DAMAGED);
	} else if (jpeg->component_count != 1u && jpeg->component_count != JPEG_COMPONENTS) {
		jpeg_fail(jpeg, JPEG_COLOURS);
	}
	for (uint32_t i = 0; i < jpeg->component_count && jpeg->error == JPEG_OK; ++i) {
		struct jpeg_component *component = &jpeg->component[i];
		component->id = (uint8_t)take(jpeg, left);
		const uint32_t sampling = take(jpeg, left);
		component->across = (uint8_t)(sampling >> 4);
		component->down = (uint8_t)(sampling & 15u);
		component->quantization = (uint8_t)(take(jpeg, left) & 3u);
	}
	if (jpeg->component_count == 1u) { /* an MCU is one block then, whatever it says */
		jpeg->component[0].across = 1;
		jpeg->component[0].down = 1;
	} else if (jpeg->error == JPEG_OK && jpeg->component[0].id == 'R' && jpeg->component[1].id == 'G') {
		jpeg_fail(jpeg, JPEG_COLOURS);
	} else if (jpeg->error == JPEG_OK && !known_sampling(jpeg)) {
		jpeg_fail(jpeg, JPEG_SAMPLING);
	}
	const uint32_t width = JPEG_BLOCK_SIDE * jpeg->component[0].across;
	const uint32_t height = JPEG_BLOCK_SIDE * jpeg->component[0].down;
	if (jpeg->error == JPEG_OK) {
		jpeg->mcus_across = (jpeg->width + width - 1u) / width;
		jpeg->mcus_down = (jpeg->height + height - 1u) / height;
	}
}

static void read_scan(struct jpeg *jpeg, uint32_t *left)
{
	const uint32_t count = take(jpeg, left);
	if (jpeg->error == JPEG_OK && (jpeg->component_count == 0 || count != jpeg->component_count)) {
		jpeg_fail(jpeg, jpeg->component_count == 0 ? JPEG_DAMAGED : JPEG_NOT_INTERLEAVED);
	}
	for (uint32_t i = 0; i < count && jpeg->error == JPEG_OK; ++i) {
		struct jpeg_component *component = &jpeg->component[i];
		const uint32_t id = take(jpeg, left);
		const uint32_t tables = take(jpeg, left);
		component->dc_table = (uint8_t)(tables >> 4);
		component->ac_table = (uint8_t)(tables & 15u);
		if (id != component->id || component->dc_table >= JPEG_TABLES || component->ac_table >= JPEG_TABLES) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
			return;
		}
		const uint32_t needed = 1u << component->quantization | 0x10u << component->dc_table |
					0x40u << component->ac_table;
		if ((jpeg->tables_seen & needed) != needed) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
		}
	}
}

/* Photo editors say there when three colours are red, green and blue. */
static void read_adobe(struct jpeg *jpeg, uint32_t *left)
{
	uint8_t text[ADOBE_TRANSFORM + 1u];
	for (uint32_t i = 0; i < sizeof(text) && *left > 0; ++i) {
		text[i] = (uint8_t)take(jpeg, left);
		if (i == ADOBE_TRANSFORM && memcmp(text, "Adobe", 5) == 0 && text[i] == 0) {
			jpeg->adobe_plain = true;
		}
	}
}

static void read_segment(struct jpeg *jpeg, int32_t marker, uint32_t *left)
{
	if (marker == MARKER_DQT) {
		read_quantization(jpeg, left);
	} else if (marker == MARKER_DHT) {
		read_codes(jpeg, left);
	} else if (marker == MARKER_SOF_BASELINE) {
		read_frame(jpeg, left);
	} else if (marker == MARKER_SOF_PROGRESSIVE) {
		jpeg_fail(jpeg, JPEG_PROGRESSIVE);
	} else if (marker > MARKER_SOF_BASELINE && marker <= MARKER_SOF_LAST && marker != MARKER_JPG &&
		   marker != MARKER_DAC) {
		jpeg_fail(jpeg, JPEG_NOT_BASELINE);
	} else if (marker == MARKER_DRI) {
		jpeg->restart_interval = take_16(jpeg, left);
	} else if (marker == MARKER_ADOBE) {
		read_adobe(jpeg, left);
	} else if (marker == MARKER_SOS) {
		read_scan(jpeg, left);
	}
	while (*left > 0 && jpeg->error == JPEG_OK) {
		(void)take(jpeg, left);
	}
}

bool jpeg_open(struct jpeg *jpeg, const struct frame_bytes *bytes)
{
	(void)memset(jpeg, 0, sizeof(*jpeg));
	jpeg->bytes = *bytes;
	if (jpeg_byte(jpeg) != 0xFF || jpeg_byte(jpeg) != MARKER_SOI) {
		jpeg->error = jpeg->error == JPEG_UNREADABLE ? JPEG_UNREADABLE : JPEG_NO_JPEG;
	}
	int32_t marker = 0;
	while (marker != MARKER_SOS && jpeg->error == JPEG_OK) {
		marker = jpeg_byte(jpeg);
		if (marker != 0xFF) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
		}
		while (marker == 0xFF) { /* any number of them may come before the marker */
			marker = jpeg_byte(jpeg);
		}
		uint32_t left = 2;
		const uint32_t length = take_16(jpeg, &left);
		left = length < 2u ? 0 : length - 2u;
		if (marker == MARKER_EOI || length < 2u) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
		} else if (jpeg->error == JPEG_OK) {
			read_segment(jpeg, marker, &left);
		}
	}
	if (jpeg->adobe_plain && jpeg->component_count == JPEG_COMPONENTS) {
		jpeg_fail(jpeg, JPEG_COLOURS);
	}
	jpeg->until_restart = jpeg->restart_interval;
	return jpeg->error == JPEG_OK;
}
