# SPDX-License-Identifier: Apache-2.0
"""The front end in floating point, and the sounds that it is compared on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from runnel.audio import tables
from runnel.audio.front_end import HOP

Samples = npt.NDArray[np.int16]
CLIP = 16000
KEYWORDS = Path(__file__).resolve().parents[3] / "shared/data/kws"


def energies(samples: Samples) -> npt.NDArray[np.float64]:
    """Energy in each mel band of every whole window: rows x 40."""
    count = (len(samples) - tables.WINDOW) // HOP + 1
    frames = np.stack([samples[i * HOP : i * HOP + tables.WINDOW] for i in range(count)]).astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)
    window = np.sin(np.pi * (np.arange(tables.WINDOW) + 0.5) / tables.WINDOW) ** 2
    power = np.abs(np.fft.rfft(frames * window, tables.FFT)) ** 2
    places = 2595 * np.log10(1 + np.arange(tables.FFT // 2 + 1) * tables.SAMPLE_RATE / tables.FFT / 700)
    low, high = 2595 * np.log10(1 + np.array([80.0, 7600.0]) / 700)
    edges = np.linspace(low, high, tables.CHANNELS + 2)
    filters = [np.interp(places, edges[c : c + 3], [0, 1, 0], left=0, right=0) for c in range(tables.CHANNELS)]
    result: npt.NDArray[np.float64] = power @ np.stack(filters).T
    return result


def reference(samples: Samples) -> npt.NDArray[np.float64]:
    """Unrounded features, limited to what int8 holds."""
    return np.clip(8 * (np.log2(np.maximum(energies(samples), 1e-9)) - 9) - 128, -128, 127)


def made_up_clip(kind: int, random: np.random.Generator) -> Samples:
    """One second of something: noises, tones, chirps, full scale, impulses, offsets, silence."""
    time = np.arange(CLIP)
    level = 2 ** random.uniform(0, 15)
    makers = (
        lambda: random.normal(0, level / 3, CLIP),
        lambda: random.normal(0, level / 3, CLIP) * np.linspace(0, 1, CLIP) ** 4,
        lambda: level * np.sin(time * random.uniform(0.01, 3.1)),
        lambda: level * np.sin(time**2 * random.uniform(1e-6, 9e-5)) + random.normal(0, 3, CLIP),
        lambda: random.choice([-32768, 32767], CLIP),
        lambda: np.where(time % int(random.integers(2, 900)) == 0, 32767, 0),
        lambda: np.where(time // int(random.integers(1, 400)) % 2 == 0, level, -level),
        lambda: np.full(CLIP, random.integers(-32768, 32768)),
        lambda: random.integers(-2, 3, CLIP),
        lambda: np.where(time > int(random.integers(CLIP)), 32767, -32768),
    )
    return np.clip(np.rint(makers[kind % len(makers)]()), -32768, 32767).astype(np.int16)


def made_up_clips(count: int, seed: int) -> list[Samples]:
    random = np.random.default_rng(seed)
    return [made_up_clip(i, random) for i in range(count)]


def real_clips(count: int, seed: int) -> list[Samples]:
    """Recordings of people beside the repository, padded to one second; [] where they or soundfile are absent."""
    try:
        import soundfile
    except ImportError:
        return []
    files = sorted(KEYWORDS.glob("*/*/*.flac"))
    if not files:
        return []
    chosen = np.random.default_rng(seed).choice(len(files), count, replace=count > len(files))
    clips = [soundfile.read(files[i], dtype="int16")[0][:CLIP] for i in chosen]
    return [np.pad(clip, (0, CLIP - len(clip))) for clip in clips]
