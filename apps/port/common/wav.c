/* SPDX-License-Identifier: Apache-2.0 */
#include "wav.h"

#include <stdbool.h>
#include <string.h>

#define ENCODING_PCM 1u
#define ENCODING_EXTENSIBLE 0xFFFEu /* the encoding proper is in the sub-format */

#define HEADER_BYTES 8u /* of a chunk: name, size */
#define FORMAT_BYTES 16u
#define EXTENSIBLE_BYTES 26u /* up to the encoding in the sub-format */
#define SUB_FORMAT 24u
#define SAMPLE_BYTES 2u

static uint32_t little_endian(const uint8_t *bytes, uint32_t count)
{
	uint32_t value = 0;
	for (uint32_t i = count; i > 0; --i) {
		value = (value << 8) | bytes[i - 1];
	}
	return value;
}

/* WAV_OK when all bytes were there. */
static int read_all(const struct wav *wav, void *destination, uint32_t bytes)
{
	const int32_t count = wav->read(wav->context, destination, bytes);
	if (count < 0) {
		return WAV_EREAD;
	}
	return (uint32_t)count == bytes ? WAV_OK : WAV_EDATA;
}

static int skip(const struct wav *wav, uint32_t bytes)
{
	uint8_t scratch[64];
	int result = WAV_OK;
	while (bytes > 0 && result == WAV_OK) {
		const uint32_t part = bytes < sizeof(scratch) ? bytes : (uint32_t)sizeof(scratch);
		result = read_all(wav, scratch, part);
		bytes -= part;
	}
	return result;
}

/* Chunks begin at even positions. An odd size at the top of the range is a lie anyway: the file ends before. */
static int skip_rest(const struct wav *wav, uint32_t size, uint32_t taken)
{
	const uint32_t rest = size - taken;
	const int result = skip(wav, rest);
	return result == WAV_OK && (size & 1u) != 0 ? skip(wav, 1) : result;
}

static int read_format(struct wav *wav, uint32_t size)
{
	uint8_t bytes[EXTENSIBLE_BYTES] = {0};
	const uint32_t taken = size < sizeof(bytes) ? size : (uint32_t)sizeof(bytes);
	if (size < FORMAT_BYTES) {
		return WAV_EDATA;
	}
	const int result = read_all(wav, bytes, taken);
	if (result != WAV_OK) {
		return result;
	}
	wav->format = (struct wav_format){
		.encoding = (uint16_t)little_endian(bytes, 2),
		.channels = (uint16_t)little_endian(bytes + 2, 2),
		.rate = little_endian(bytes + 4, 4),
		.bits = (uint16_t)little_endian(bytes + 14, 2),
	};
	if (wav->format.encoding == ENCODING_EXTENSIBLE && taken == EXTENSIBLE_BYTES) {
		wav->format.encoding = (uint16_t)little_endian(bytes + SUB_FORMAT, 2);
	}
	return skip_rest(wav, size, taken);
}

static bool is_supported(const struct wav_format *format)
{
	return format->encoding == ENCODING_PCM && format->channels == 1 && format->rate == WAV_SAMPLE_RATE &&
	       format->bits == 16;
}

/* Chunks up to the sound. */
static int find_sound(struct wav *wav)
{
	bool format_known = false;
	for (;;) {
		uint8_t header[HEADER_BYTES];
		int result = read_all(wav, header, sizeof(header));
		if (result != WAV_OK) {
			return result;
		}
		const uint32_t size = little_endian(header + 4, 4);
		if (memcmp(header, "data", 4) == 0) {
			wav->remaining = size;
			return format_known ? WAV_OK : WAV_EDATA;
		}
		const bool is_format = memcmp(header, "fmt ", 4) == 0;
		result = is_format ? read_format(wav, size) : skip_rest(wav, size, 0);
		if (result != WAV_OK) {
			return result;
		}
		if (is_format && !is_supported(&wav->format)) {
			return WAV_EFORMAT;
		}
		format_known = format_known || is_format;
	}
}

int wav_open(struct wav *wav, wav_read_bytes read, void *context)
{
	uint8_t header[12];
	*wav = (struct wav){.read = read, .context = context};
	const int result = read_all(wav, header, sizeof(header));
	if (result == WAV_EREAD) {
		return result;
	}
	if (result != WAV_OK || memcmp(header, "RIFF", 4) != 0 || memcmp(header + 8, "WAVE", 4) != 0) {
		return WAV_ERIFF;
	}
	return find_sound(wav);
}

int32_t wav_read(struct wav *wav, int16_t *samples, uint32_t count)
{
	const uint32_t left = wav->remaining / SAMPLE_BYTES;
	const uint32_t wanted = count < left ? count : left;
	uint8_t *bytes = (uint8_t *)samples;
	const int32_t got = wav->read(wav->context, bytes, wanted * SAMPLE_BYTES);
	if (got < 0) {
		return got;
	}
	const uint32_t whole = (uint32_t)got / SAMPLE_BYTES;
	for (uint32_t i = 0; i < whole; ++i) {
		samples[i] = (int16_t)little_endian(bytes + SAMPLE_BYTES * i, SAMPLE_BYTES);
	}
	/* Fewer bytes than asked for: the file ends here, whatever its header says. */
	wav->remaining = whole == wanted ? wav->remaining - whole * SAMPLE_BYTES : 0;
	return (int32_t)whole;
}
