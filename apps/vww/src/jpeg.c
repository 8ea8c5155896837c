/* SPDX-License-Identifier: Apache-2.0 */
/* The entropy-coded part of a baseline JPEG: bits, Huffman codes, blocks, MCUs. ITU-T T.81, annex F.2. */
#include "jpeg.h"

#define MARKER_RESTART_0 0xD0
#define ZERO_RUN 0xF0u
#define LARGEST_COEFFICIENT 2047 /* of 8-bit pictures; keeps damaged files within the transform's 32 bits */

/* Where value i of the file's zigzag order belongs. */
static const uint8_t zigzag[JPEG_BLOCK_VALUES] = {
	0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
	41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
	30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

void jpeg_fail(struct jpeg *jpeg, enum jpeg_error error)
{
	if (jpeg->error == JPEG_OK) {
		jpeg->error = error;
	}
}

int32_t jpeg_byte(struct jpeg *jpeg)
{
	if (jpeg->error != JPEG_OK) {
		return -1;
	}
	if (jpeg->position == jpeg->used) {
		const int32_t count = jpeg->bytes.read(jpeg->bytes.context, jpeg->buffer, JPEG_BUFFER_BYTES);
		if (count <= 0) {
			jpeg_fail(jpeg, count < 0 ? JPEG_UNREADABLE : JPEG_ENDS_EARLY);
			return -1;
		}
		jpeg->used = (uint32_t)count;
		jpeg->position = 0;
	}
	return jpeg->buffer[jpeg->position++];
}

/* Eight bits more. A marker where there should be bits means that some are missing. */
static void read_bits(struct jpeg *jpeg)
{
	const int32_t byte = jpeg_byte(jpeg);
	if (byte == 0xFF) {
		const int32_t stuffed = jpeg_byte(jpeg);
		if (stuffed > 0) {
			jpeg_fail(jpeg, JPEG_ENDS_EARLY);
		}
	}
	jpeg->bits = jpeg->bits << 8 | (byte < 0 ? 0u : (uint32_t)byte);
	jpeg->bit_count += 8u;
}

/* The next `count` bits, at most 16, the first one highest. */
static uint32_t take_bits(struct jpeg *jpeg, uint32_t count)
{
	while (jpeg->bit_count < count) {
		read_bits(jpeg);
	}
	jpeg->bit_count -= count;
	return jpeg->bits >> jpeg->bit_count & ((1u << count) - 1u);
}

/* A code is compared with the range of codes of its length, one bit more at a time. */
static uint32_t take_symbol(struct jpeg *jpeg, const struct jpeg_code *code)
{
	uint32_t value = 0;
	uint32_t first = 0; /* code of this length, and where its symbol is */
	const uint8_t *symbols = code->symbols;
	uint32_t length = 0;
	while (length < JPEG_CODE_LENGTHS) {
		if (jpeg->bit_count == 0) {
			read_bits(jpeg);
		}
		/* Lengths for which there are bits; kept in registers. */
		const uint32_t bits = jpeg->bits;
		uint32_t left = jpeg->bit_count;
		while (left > 0 && length < JPEG_CODE_LENGTHS) {
			const uint32_t count = code->counts[length++];
			value = value << 1 | (bits >> --left & 1u);
			if (value - first < count) {
				jpeg->bit_count = left;
				return symbols[value - first];
			}
			symbols += count;
			first = (first + count) << 1;
		}
		jpeg->bit_count = left;
	}
	jpeg_fail(jpeg, JPEG_DAMAGED);
	return 0;
}

/* A number of so many bits: the lower half of them stands for negative ones. */
static int32_t take_number(struct jpeg *jpeg, uint32_t bits)
{
	if (bits == 0) {
		return 0;
	}
	const int32_t value = (int32_t)take_bits(jpeg, bits);
	return value < 1 << (bits - 1u) ? value - (1 << bits) + 1 : value;
}

static int32_t dequantize(int32_t value, uint8_t step)
{
	const int32_t product = value * step;
	return product < -LARGEST_COEFFICIENT ? -LARGEST_COEFFICIENT
	       : product > LARGEST_COEFFICIENT ? LARGEST_COEFFICIENT
					       : product;
}

/* The coefficients of one block, which are all 0 when it begins. */
static void take_block(struct jpeg *jpeg, struct jpeg_component *component, int32_t *values)
{
	const struct jpeg_code dc = {jpeg->dc_counts[component->dc_table], jpeg->dc_symbols[component->dc_table]};
	const struct jpeg_code ac = {jpeg->ac_counts[component->ac_table], jpeg->ac_symbols[component->ac_table]};
	const uint8_t *steps = jpeg->quantization[component->quantization];

	component->dc += take_number(jpeg, take_symbol(jpeg, &dc));
	if (component->dc > INT16_MAX || component->dc < INT16_MIN) {
		jpeg_fail(jpeg, JPEG_DAMAGED);
		return;
	}
	values[0] = dequantize(component->dc, steps[0]);
	for (uint32_t i = 1; i < JPEG_BLOCK_VALUES && jpeg->error == JPEG_OK; ++i) {
		const uint32_t symbol = take_symbol(jpeg, &ac);
		const uint32_t bits = symbol & 15u;
		if (bits == 0 && symbol != ZERO_RUN) {
			return; /* nothing but zeros up to the end */
		}
		i += symbol >> 4;
		if (i >= JPEG_BLOCK_VALUES) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
			return;
		}
		values[zigzag[i]] = dequantize(take_number(jpeg, bits), steps[i]);
	}
}

/* Restart markers count up to 7 and begin again; bits start anew behind them. */
static void take_restart(struct jpeg *jpeg)
{
	if (jpeg->restart_interval == 0) {
		return;
	}
	if (jpeg->until_restart == 0) {
		jpeg->bit_count = 0;
		int32_t marker = jpeg_byte(jpeg);
		while (marker == 0xFF) {
			marker = jpeg_byte(jpeg);
		}
		if ((marker & ~7) != MARKER_RESTART_0) {
			jpeg_fail(jpeg, JPEG_DAMAGED);
		}
		for (uint32_t i = 0; i < jpeg->component_count; ++i) {
			jpeg->component[i].dc = 0;
		}
		jpeg->until_restart = jpeg->restart_interval;
	}
	--jpeg->until_restart;
}

bool jpeg_mcu(struct jpeg *jpeg, uint32_t wanted, uint8_t *samples)
{
	take_restart(jpeg);
	for (uint32_t i = 0; i < jpeg->component_count; ++i) {
		struct jpeg_component *component = &jpeg->component[i];
		const uint32_t row_bytes = JPEG_BLOCK_SIDE * component->across;
		const uint32_t blocks = (uint32_t)component->across * component->down;
		for (uint32_t block = 0; block < blocks && jpeg->error == JPEG_OK; ++block) {
			int32_t values[JPEG_BLOCK_VALUES] = {0};
			take_block(jpeg, component, values);
			if (i < wanted) {
				const uint32_t row = block / component->across * JPEG_BLOCK_SIDE;
				const uint32_t column = block % component->across * JPEG_BLOCK_SIDE;
				jpeg_transform(values, samples + row * row_bytes + column, row_bytes);
			}
		}
		samples += blocks * JPEG_BLOCK_VALUES;
	}
	return jpeg->error == JPEG_OK;
}

const char *jpeg_message(enum jpeg_error error)
{
	static const char *const messages[] = {
		[JPEG_OK] = "is right",
		[JPEG_UNREADABLE] = "cannot be read",
		[JPEG_ENDS_EARLY] = "ends too early",
		[JPEG_NO_JPEG] = "is no JPEG",
		[JPEG_DAMAGED] = "is damaged",
		[JPEG_PROGRESSIVE] = "is a progressive JPEG; save it as a baseline one (jpegtran does it without loss)",
		[JPEG_NOT_BASELINE] = "is no baseline JPEG (8 bits, Huffman codes); save it as one",
		[JPEG_COLOURS] = "has other colours than grey or YCbCr; save it as a usual photo",
		[JPEG_SAMPLING] = "has an unusual resolution of colours; 4:4:4, 4:2:2, 4:4:0 and 4:2:0 are known",
		[JPEG_NOT_INTERLEAVED] = "stores one colour after the other; save it as a usual baseline JPEG",
		[JPEG_SIZE] = "cannot become the model's input: it is too small, or too many times as large",
		[JPEG_MEMORY] = "is too large for the memory kept for it; build with a larger VWW_JPEG_BYTES",
	};
	return messages[error];
}
