# SPDX-License-Identifier: Apache-2.0
"""Computes the constants of the feature front end: zephyr_module/audio/features_tables.h.

`python -m runnel.audio.tables` writes the file again; a test compares it with what this module computes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from runnel.resources import resource_root

SAMPLE_RATE = 16000  # Hz
WINDOW = 480  # samples
FFT = 512
CHANNELS = 40
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
FACTOR_BITS = 14  # window and sine: 1.0 is 2^14
WEIGHT_BITS = 12
LOG_INDEX_BITS, LOG_STEPS = 7, 256

FILE = Path("zephyr_module/audio/features_tables.h")


def window() -> list[int]:
    """The first half of a symmetric Hann window."""
    one = 1 << FACTOR_BITS
    return [round(one * math.sin(math.pi * (i + 0.5) / WINDOW) ** 2) for i in range(WINDOW // 2)]


def turns() -> list[int]:
    """Cosine (low half) and sine (high half) of each step of the FFT as far as three times a quarter turn goes."""
    one = 1 << FACTOR_BITS
    angles = [2 * math.pi * i / FFT for i in range(3 * (FFT // 4 - 2) + 1)]
    pairs = [(round(one * math.cos(angle)), round(one * math.sin(angle))) for angle in angles]
    return [(sine & 0xFFFF) << 16 | (cosine & 0xFFFF) for cosine, sine in pairs]


def mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def edges() -> list[float]:
    """Where the triangles begin, peak and end, in mel: channel c spans edges c to c + 2."""
    low, high = mel(LOWEST_HZ), mel(HIGHEST_HZ)
    return [low + (high - low) * i / (CHANNELS + 1) for i in range(CHANNELS + 2)]


def band_starts() -> list[int]:
    """The first FFT bin at or above each edge."""
    bins = [mel(SAMPLE_RATE / FFT * i) for i in range(FFT // 2)]
    return [next(i for i, place in enumerate(bins) if place >= edge) for edge in edges()]


def weights() -> list[int]:
    """Of each used bin in the triangle whose rising side it lies on."""
    starts, bounds = band_starts(), edges()
    result = []
    for band in range(CHANNELS + 1):
        for i in range(starts[band], starts[band + 1]):
            share = (mel(SAMPLE_RATE / FFT * i) - bounds[band]) / (bounds[band + 1] - bounds[band])
            result.append(round((1 << WEIGHT_BITS) * share))
    return result


def log2_steps() -> list[int]:
    """LOG_STEPS * log2 of the middle of each of 128 parts of 1 to 2."""
    parts = 1 << LOG_INDEX_BITS
    return [round(LOG_STEPS * math.log2(1 + (i + 0.5) / parts)) for i in range(parts)]


def _array(c_type: str, name: str, values: Sequence[int]) -> str:
    written = [f"0x{value:08x}" if c_type == "uint32_t" else str(value) for value in values]
    across = 8 if c_type == "uint32_t" else 16
    rows = [", ".join(written[i : i + across]) for i in range(0, len(values), across)]
    body = "".join(f"\t{row},\n" for row in rows)
    return f"static const {c_type} {name}[{len(values)}] = {{\n{body}}};\n"


def header() -> str:
    """The text of features_tables.h."""
    arrays = [
        ("int16_t", "window_table", window()),
        ("uint32_t", "turn_table", turns()),
        ("uint8_t", "band_starts", band_starts()),
        ("uint16_t", "weight_table", weights()),
        ("uint8_t", "log2_table", log2_steps()),
    ]
    return (
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Written by `python -m runnel.audio.tables`; what the numbers are is said there. */\n"
        f"#define FIRST_BIN {band_starts()[0]}u\n#define WEIGHT_BITS {WEIGHT_BITS}\n\n"
        + "\n".join(_array(*array) for array in arrays)
    )


def main() -> int:
    (resource_root() / FILE).write_text(header(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
