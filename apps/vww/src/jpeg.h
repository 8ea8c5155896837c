/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes a baseline JPEG when it is asked to, one MCU (8 x 8 to 16 x 16 pixels) at a time: in 1.3 KB, whatever the
 * size of the picture. Brightness and colours stay apart (Y, Cb, Cr); who asks puts them together.
 *
 * Grey, or three colours with Cb and Cr at full, half or quarter resolution. No progressive files: they need memory
 * for the whole picture.
 */
#ifndef JPEG_H_
#define JPEG_H_

#include <stdbool.h>
#include <stdint.h>

#include "frame_source.h"

#ifdef __cplusplus
extern "C" {
#endif

#define JPEG_COMPONENTS 3u
#define JPEG_BLOCK_SIDE 8u
#define JPEG_BLOCK_VALUES 64u
#define JPEG_BUFFER_BYTES 256u
#define JPEG_TABLES 2u /* of a kind, in baseline files */
#define JPEG_CODE_LENGTHS 16u
#define JPEG_MCU_BYTES (6u * JPEG_BLOCK_VALUES) /* of 4 blocks of Y, one of Cb and one of Cr */

enum jpeg_error {
	JPEG_OK,
	JPEG_UNREADABLE,     /* the file, not what is in it */
	JPEG_ENDS_EARLY,
	JPEG_NO_JPEG,
	JPEG_DAMAGED,
	JPEG_PROGRESSIVE,
	JPEG_NOT_BASELINE,
	JPEG_COLOURS,
	JPEG_SAMPLING,
	JPEG_NOT_INTERLEAVED,
	JPEG_SIZE,           /* the ones below are found by jpeg_rows.h */
	JPEG_MEMORY,
};

/* Codes of 1 to 16 bits, `counts` of each length, in the order of `symbols`. */
struct jpeg_code {
	const uint8_t *counts;
	const uint8_t *symbols;
};

struct jpeg_component {
	uint8_t id;
	uint8_t across; /* blocks of an MCU, 1 or 2 */
	uint8_t down;
	uint8_t quantization; /* numbers of tables */
	uint8_t dc_table;
	uint8_t ac_table;
	int32_t dc; /* of the last block */
};

struct jpeg {
	struct frame_bytes bytes;
	enum jpeg_error error; /* the first one; nothing is decoded behind it */

	uint32_t width;
	uint32_t height;
	uint32_t component_count;
	struct jpeg_component component[JPEG_COMPONENTS];
	uint32_t mcus_across;
	uint32_t mcus_down;
	uint32_t restart_interval; /* in MCUs; 0: none */
	uint32_t until_restart;

	uint32_t bits; /* read and not used, the last ones at the right */
	uint32_t bit_count;
	uint32_t used; /* of buffer */
	uint32_t position;

	uint8_t quantization[4][JPEG_BLOCK_VALUES]; /* in the file's zigzag order */
	uint8_t dc_counts[JPEG_TABLES][JPEG_CODE_LENGTHS];
	uint8_t ac_counts[JPEG_TABLES][JPEG_CODE_LENGTHS];
	uint8_t dc_symbols[JPEG_TABLES][16];
	uint8_t ac_symbols[JPEG_TABLES][256];
	uint8_t tables_seen; /* bits 0..3 quantization, 4..5 DC, 6..7 AC */
	bool adobe_plain; /* colours are stored as they are: red, green, blue */
	uint8_t buffer[JPEG_BUFFER_BYTES];
};

/* Reads the header, up to the first MCU. False after an error. */
bool jpeg_open(struct jpeg *jpeg, const struct frame_bytes *bytes);

/*
 * The next MCU: first all rows of its Y, 8 * across wide, then of Cb and Cr, 8 wide. Components from `wanted` on are
 * skipped and left as they are. False after an error.
 */
bool jpeg_mcu(struct jpeg *jpeg, uint32_t wanted, uint8_t *samples);

/* What `error` means to somebody who has the file, and what to do. */
const char *jpeg_message(enum jpeg_error error);

/* Between the files of the decoder. */
int32_t jpeg_byte(struct jpeg *jpeg); /* the next byte of the file, or -1 with an error */
void jpeg_fail(struct jpeg *jpeg, enum jpeg_error error);
void jpeg_transform(int32_t *values, uint8_t *samples, uint32_t row_bytes); /* inverse DCT of 8 x 8, + 128, clamped */

#ifdef __cplusplus
}
#endif

#endif /* JPEG_H_ */
