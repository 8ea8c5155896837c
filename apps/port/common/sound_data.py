# SPDX-License-Identifier: Apache-2.0
"""Writes a wav file as C: python sound_data.py SOUND.wav sound_data.c. Needs nothing but Python's own modules."""

from __future__ import annotations

import array
import sys
import wave
from pathlib import Path

SAMPLE_RATE = 16000
VALUES_PER_LINE = 16


class SoundError(Exception):
    """A wav file that the app cannot play; the message says why."""


def read_samples(path: Path) -> list[int]:
    """Samples of a wav file: PCM, 16-bit, mono, 16 kHz. Raises SoundError for anything else."""
    try:
        with wave.open(str(path), "rb") as sound:
            found = (sound.getnchannels(), 8 * sound.getsampwidth(), sound.getframerate())
            data = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SoundError(f"{path}: cannot be read as a PCM wav file: {error}") from error
    if found != (1, 16, SAMPLE_RATE):
        raise SoundError(
            f"{path}: {found[0]} channels of {found[1]} bits at {found[2]} Hz; supported: 1 channel of 16 bits at "
            f"{SAMPLE_RATE} Hz. This converts it: ffmpeg -i {path} -ac 1 -ar {SAMPLE_RATE} -c:a pcm_s16le out.wav"
        )
    samples = array.array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    if not samples:
        raise SoundError(f"{path}: there are no samples in it")
    return samples.tolist()


def c_source(samples: list[int], name: str) -> str:
    """A C file that defines the two symbols of sound_data.h."""
    lines = [
        "\t" + " ".join(f"{value}," for value in samples[start : start + VALUES_PER_LINE])
        for start in range(0, len(samples), VALUES_PER_LINE)
    ]
    return "\n".join(
        [
            "/* SPDX-License-Identifier: Apache-2.0 */",
            f"/* Written by apps/port/common/sound_data.py from {name}. */",
            '#include "sound_data.h"',
            "",
            f"const uint32_t sound_data_count = {len(samples)};",
            f"const int16_t sound_data[{len(samples)}] = {{",
            *lines,
            "};",
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write("usage: sound_data.py SOUND.wav sound_data.c\n")
        return 2
    source, target = map(Path, arguments)
    try:
        text = c_source(read_samples(source), source.name)
    except SoundError as error:
        sys.stderr.write(f"sound_data: {error}\n")
        return 2
    temporary = target.with_name(target.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
