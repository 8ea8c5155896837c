# SPDX-License-Identifier: Apache-2.0
"""Random speed, room, place, level and noise of training sounds. All randomness comes from the generator passed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve, firwin, resample_poly

from runnel.audio.files import Samples, to_samples
from runnel.audio.front_end import FRAMES, HOP, QUANTIZATION, Rows, features
from runnel.audio.tables import CHANNELS, SAMPLE_RATE, WINDOW
from runnel.train.data import Floats

LENGTH = (FRAMES - 1) * HOP + WINDOW  # samples that a model's input covers


@dataclass(frozen=True)
class SoundAugmentation:
    """How strongly training sounds are varied. Ranges are (lowest, highest); chances are 0 to 1."""

    speed: tuple[float, float] = (0.84, 1.2)  # pitch goes with it
    speed_chance: float = 0.8
    room_chance: float = 0.25
    reverberation: tuple[float, float] = (0.08, 0.5)  # seconds until 60 dB down
    level: tuple[float, float] = (-36.0, 0.0)  # of a word's peak, dB below full scale
    noise_chance: float = 0.7
    signal_to_noise: tuple[float, float] = (2.0, 40.0)  # dB
    tone: float = 0.2  # standard deviation of the microphone's frequency response, in features (1.0 = 12 dB)
    time_masks: int = 2
    time_mask: int = 8  # rows, at most
    channel_mask: int = 6  # channels, at most
    blend: float = 0.1  # parameter of mixup's beta distribution; 0 switches it off


def to_real(rows: Rows) -> Floats:
    """Features as a model sees them: n x 49 x 40 (x 1) int8 to n x 49 x 40 x 1 floats."""
    real = (rows.astype(np.float32) - QUANTIZATION.zero_point) * np.float32(QUANTIZATION.scale)
    return real.reshape(len(rows), FRAMES, CHANNELS, 1)


@cache
def _low_pass(rate: int) -> npt.NDArray[np.float64]:
    """resample_poly's own default, which it would compute anew for every sound."""
    coefficients: npt.NDArray[np.float64] = firwin(20 * rate + 1, 1 / rate, window=("kaiser", 5.0))
    return coefficients


def at_other_speed(sound: Floats, factor: float) -> Floats:
    """Played `factor` times as fast, in steps of 1/40."""
    down = round(40 * factor)
    up, down = 40 // math.gcd(40, down), down // math.gcd(40, down)
    if up == down:
        return sound
    result: Floats = resample_poly(sound, up, down, window=_low_pass(max(up, down))).astype(np.float32)
    return result


def in_a_room(sound: Floats, how: SoundAugmentation, random: np.random.Generator) -> Floats:
    """Add the echoes of a made-up room: noise that decays, some milliseconds behind the direct sound."""
    seconds = random.uniform(*how.reverberation)
    count = int(seconds * SAMPLE_RATE)
    echoes = random.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    echoes[: int(random.integers(16, 160))] = 0
    echoes *= random.uniform(0.1, 1.0) / math.sqrt(float(np.square(echoes).sum()) + 1e-9)
    echoes[0] = 1
    result: Floats = fftconvolve(sound, echoes)[: len(sound)].astype(np.float32)
    return result


def cut(sound: Floats | Samples, start: int) -> Floats:
    """LENGTH samples from `start` (may be negative), zeros where there are none."""
    result = np.zeros(LENGTH, np.float32)
    first, last = max(start, 0), min(start + LENGTH, len(sound))
    if first < last:
        result[first - start : last - start] = sound[first:last]
    return result


def random_cut(sound: Samples, random: np.random.Generator) -> Floats:
    """LENGTH samples from anywhere; a shorter sound lies somewhere between zeros."""
    low, high = sorted((0, len(sound) - LENGTH))
    return cut(sound, int(random.integers(low, high + 1)))


def with_noise(sound: Floats, noise: Floats, how: SoundAugmentation, random: np.random.Generator) -> Floats:
    """Set the level of `sound` (LENGTH samples), and perhaps mix in `noise`."""
    peak = float(np.abs(sound).max()) + 1.0
    sound = sound * np.float32(32768 / peak * 10 ** (random.uniform(*how.level) / 20))
    if random.random() < how.noise_chance:
        loudness = math.sqrt(float(np.square(sound).mean()) * 2) + 1.0  # a word fills about half of the window
        strength = math.sqrt(float(np.square(noise).mean())) + 1e-3
        ratio = 10 ** (-random.uniform(*how.signal_to_noise) / 20)
        sound = sound + noise * np.float32(loudness / strength * ratio)
    return sound + (random.standard_normal(LENGTH) * random.uniform(0, 4)).astype(np.float32)


def rows_of(sounds: Sequence[Floats]) -> Rows:
    """Features of sounds of LENGTH samples each: n x 49 x 40."""
    return np.stack([features(to_samples(sound)) for sound in sounds])


def vary_features(batch: Floats, how: SoundAugmentation, random: np.random.Generator) -> Floats:
    """Change the frequency response and cover some rows and channels, in place (n x 49 x 40 x 1)."""
    knots = np.linspace(0, CHANNELS - 1, 5)
    for sound in batch:
        heard = sound > 0
        response = np.interp(np.arange(CHANNELS), knots, random.normal(0, how.tone, len(knots))).astype(np.float32)
        sound += response[:, None] * heard
        fill = float(sound.mean())
        for _ in range(how.time_masks):
            count = int(random.integers(0, how.time_mask + 1))
            start = int(random.integers(0, FRAMES - count))
            sound[start : start + count] = fill
        count = int(random.integers(0, how.channel_mask + 1))
        start = int(random.integers(0, CHANNELS - count))
        sound[:, start : start + count] = fill
    return np.clip(batch, 0, 255 * QUANTIZATION.scale, out=batch)
