# SPDX-License-Identifier: Apache-2.0
"""Plain log-mel and MFCC features, so that models that listen get inputs with the look of real sound.

Not the front ends that those models were trained with: equal bytes are what is tested, not recognition.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Tensor

RATE = 16000
FRAMES = 49
STEP = 320  # 20 ms


def read_samples(path: Path) -> npt.NDArray[np.float64]:
    """One second of 16 kHz mono in -1..1."""
    with wave.open(str(path), "rb") as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64) / 32768
    return np.pad(samples, (0, max(0, RATE - samples.size)))[:RATE]


def log_mel(samples: npt.NDArray[np.float64], window: int, bands: int) -> npt.NDArray[np.float64]:
    """Natural log of the energy in triangular mel bands; shape (49, bands)."""
    padded = np.pad(samples, (0, window))
    frames = np.stack([padded[i * STEP : i * STEP + window] * np.hanning(window) for i in range(FRAMES)])
    spectrum = np.abs(np.fft.rfft(frames, 512 if window <= 512 else 1024)) ** 2
    frequencies = np.fft.rfftfreq(512 if window <= 512 else 1024, 1 / RATE)
    edges = 700 * (10 ** (np.linspace(20, 2840, bands + 2) / 2595) - 1)
    filters = np.stack(
        [np.interp(frequencies, edges[b : b + 3], [0.0, 1.0, 0.0], left=0.0, right=0.0) for b in range(bands)]
    )
    return np.asarray(np.log(spectrum @ filters.T + 1e-6))


def mfcc(samples: npt.NDArray[np.float64], window: int, count: int) -> npt.NDArray[np.float64]:
    """The first cosine coefficients of 40 log-mel bands; shape (49, count)."""
    energies = log_mel(samples, window, 40)
    positions = np.arange(40) + 0.5
    cosines = np.cos(np.pi / 40 * np.outer(np.arange(count), positions)) * np.sqrt(2 / 40)
    return np.asarray(energies @ cosines.T)


def sound_input(path: Path, edge: Tensor) -> npt.NDArray[Any] | None:
    """Features of the sound quantized for `edge`, or None where the input is not that of a model that listens."""
    samples = read_samples(path)
    if edge.elements == FRAMES * 40:
        features = np.clip(log_mel(samples, 480, 40) + 14, 0, 26)
    elif edge.elements == FRAMES * 10:
        features = mfcc(samples, 640, 10)
    else:
        return None
    assert edge.quantization is not None
    steps = np.round(features / edge.quantization.scale) + edge.quantization.zero_point
    return np.clip(steps, -128, 127).astype(np.int8).reshape(edge.shape)
