/* SPDX-License-Identifier: Apache-2.0 */
/* Sound from a wav file of the host: emulators with semihosting, native_sim. */
#include "port.h"
#include "sound_source.h"
#include "wav.h"

#if defined(CONFIG_KWS_SOUND_FILE_PATH)
#define SOUND_FILE CONFIG_KWS_SOUND_FILE_PATH
#elif !defined(SOUND_FILE)
#define SOUND_FILE "sound.wav" /* in the folder that the emulator was started in */
#endif

static struct wav wav;
static int file;

static int32_t read_bytes(void *context, void *destination, uint32_t bytes)
{
	return port_file_read(*(const int *)context, destination, bytes);
}

static void explain(int error)
{
	const struct wav_format *format = &wav.format;
	switch (error) {
	case WAV_EFORMAT:
		port_print("%s: format %u, %u channels, %u Hz, %u bits; supported is format 1 (PCM), 1 channel, %u Hz, "
			   "16 bits. This converts it: ffmpeg -i %s -ac 1 -ar %u -c:a pcm_s16le out.wav\n",
			   SOUND_FILE, (unsigned int)format->encoding, (unsigned int)format->channels,
			   (unsigned int)format->rate, (unsigned int)format->bits, WAV_SAMPLE_RATE, SOUND_FILE,
			   WAV_SAMPLE_RATE);
		break;
	case WAV_ERIFF:
		port_print("%s: not a wav file (it does not begin with RIFF and WAVE)\n", SOUND_FILE);
		break;
	case WAV_EDATA:
		port_print("%s: damaged: it ends before its sound begins\n", SOUND_FILE);
		break;
	default:
		port_print("%s: cannot be read\n", SOUND_FILE);
		break;
	}
}

int sound_source_start(void)
{
	file = port_file_open(SOUND_FILE);
	if (file < 0) {
		port_print("%s: cannot be opened; put a wav file (PCM, 16 bits, mono, %u Hz) there\n", SOUND_FILE,
			   WAV_SAMPLE_RATE);
		return -1;
	}
	const int result = wav_open(&wav, read_bytes, &file);
	if (result != WAV_OK) {
		explain(result);
		port_file_close(file);
		return -1;
	}
	return 0;
}

int32_t sound_source_read(int16_t *samples, uint32_t count)
{
	const int32_t got = wav_read(&wav, samples, count);
	if (got < 0) {
		port_print("%s: cannot be read any further\n", SOUND_FILE);
	}
	return got;
}
