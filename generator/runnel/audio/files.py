# SPDX-License-Identifier: Apache-2.0
"""Reads sound files (wav, flac, ogg) as 16 kHz mono. Needs the extra runnel[search]: soundfile and SciPy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import InputError

Samples = npt.NDArray[np.int16]


def to_rate(samples: npt.NDArray[np.float32], rate: int) -> npt.NDArray[np.float32]:
    """Resample from `rate` Hz to 16 kHz."""
    from scipy.signal import resample_poly

    common = math.gcd(rate, SAMPLE_RATE)
    result: npt.NDArray[np.float32] = resample_poly(samples, SAMPLE_RATE // common, rate // common)
    return result.astype(np.float32)


def to_samples(sound: npt.NDArray[np.float32]) -> Samples:
    """Round to int16 and saturate; full scale is 32768."""
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def read_sound(path: Path) -> Samples:
    """The mean of a file's channels at 16 kHz. Raises InputError when it cannot be read as sound."""
    try:
        import soundfile
    except ImportError as error:
        raise InputError(
            f"reading {path} needs the package soundfile: pip install 'runnel[search]' ({error})"
        ) from error
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, RuntimeError) as error:  # soundfile's own errors are RuntimeErrors
        raise InputError(f"cannot read the sound {path}: {error}") from error
    if samples.shape[1] == 1 and rate == SAMPLE_RATE:
        mono: Samples = samples[:, 0]
        return mono
    return to_samples(to_rate(samples.mean(axis=1, dtype=np.float32), rate))
