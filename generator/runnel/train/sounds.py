# SPDX-License-Identifier: Apache-2.0
"""Labelled sound clips and noises of one split, decoded once and kept in a cache file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runnel.audio.files import Samples, read_sound
from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import InputError
from runnel.train.sound_cache import cached_sounds

SILENCE, UNKNOWN = 0, 1  # class numbers; words begin at 2
OTHER = "_unknown_"

# Which part of a noise recording belongs to which split, as shares of its length.
_NOISE_PARTS: Mapping[str, tuple[float, float]] = {"train": (0, 0.7), "val": (0.7, 0.85), "test": (0.85, 1)}


@dataclass(frozen=True, eq=False)
class Clip:
    """A short recording, its class number, and the collection it came from."""

    samples: Samples
    label: int
    source: str


def load_clips(root: Path, split: str, labels: Sequence[str], cache: Path) -> list[Clip]:
    """The clips of `split` ("train", "val", "test"); a folder that is no label counts as unknown.

    Raises InputError when index.csv or a clip cannot be read.
    """
    try:
        index = (root / "index.csv").read_text("utf-8")
    except OSError as error:
        raise InputError(f"no keyword collection in {root}: {error.strerror}: {error.filename}") from error
    rows = [row for row in csv.DictReader(index.splitlines()) if row["split"] == split]
    if not rows:
        raise InputError(f"{root}/index.csv lists no clips of the split {split}")
    digest = hashlib.sha256(index.encode()).hexdigest()[:16]
    stored = cache / f"{root.name}-{split}-{digest}.npz"
    sounds = cached_sounds(stored, lambda: [read_sound(root / row["path"]) for row in rows])
    words = {word: number for number, word in enumerate(labels) if number > UNKNOWN}
    return [Clip(sound, words.get(row["label"], UNKNOWN), row["set"]) for sound, row in zip(sounds, rows, strict=True)]


def load_noises(root: Path, split: str) -> list[Samples]:
    """The part of each background recording that belongs to `split`."""
    noises = []
    for path in sorted(root.glob("*/_background_noise_/*")):
        sound = read_sound(path)
        first, last = (int(share * len(sound)) for share in _NOISE_PARTS[split])
        noises.append(sound[first:last])
    if not noises:
        raise InputError(f"no background noise in {root}: expected files in */_background_noise_/")
    return noises


def active_part(samples: Samples) -> tuple[int, int]:
    """First and last sample of what is spoken: the frames of 10 ms within 26 dB of the loudest."""
    frame = SAMPLE_RATE // 100
    count = len(samples) // frame
    if count == 0:
        return 0, len(samples)
    frames = samples[: count * frame].reshape(count, frame).astype(np.float32)
    energy = np.square(frames - frames.mean(axis=1, keepdims=True)).mean(axis=1)
    loud = np.flatnonzero(energy >= energy.max() / 400)
    return int(loud[0]) * frame, (int(loud[-1]) + 1) * frame


def coloured_noise(seconds: float, tilt: float, random: np.random.Generator) -> Samples:
    """Noise whose power falls with frequency^tilt (0 white, 1 pink, 2 brown), its level wandering; peak 8000."""
    count = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 40)
    sound = np.fft.irfft(spectrum * frequency ** (-tilt / 2), count)
    marks = max(int(seconds * 2), 2)
    level = np.exp(random.normal(0, random.uniform(0, 0.8), marks))
    sound *= np.interp(np.linspace(0, 1, count), np.linspace(0, 1, marks), level)
    return (sound * (8000 / np.abs(sound).max())).astype(np.int16)


def hum(seconds: float, random: np.random.Generator) -> Samples:
    """A machine: a low tone with overtones and a little noise."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    base = random.uniform(45, 400)
    sound = random.standard_normal(len(time)) * random.uniform(0.02, 0.3)
    for overtone in range(1, int(random.integers(2, 12))):
        phase = random.uniform(0, 6.28)
        sound += np.sin(2 * np.pi * base * overtone * time + phase) * random.uniform(0, 1) / overtone
    return (sound * (8000 / np.abs(sound).max())).astype(np.int16)


def clicks(seconds: float, random: np.random.Generator) -> Samples:
    """Knocks and clicks: short decaying bursts at random times over faint noise."""
    count = int(seconds * SAMPLE_RATE)
    sound = random.standard_normal(count) * 0.003
    for _ in range(int(seconds * random.uniform(0.7, 4))):
        length = int(random.integers(80, 2400))
        burst = random.standard_normal(length) * np.exp(-np.arange(length) / (length / 6))
        pitch = np.sin(np.arange(length) * random.uniform(0.02, 1.5))
        burst = burst if random.random() < 0.5 else pitch * np.exp(-np.arange(length) / (length / 6))
        at = int(random.integers(0, count - length))
        sound[at : at + length] += burst * random.uniform(0.2, 1)
    return (sound * (8000 / np.abs(sound).max())).astype(np.int16)


def synthetic_noises(count: int, seconds: float, random: np.random.Generator) -> list[Samples]:
    """Noises of all kinds in turn."""
    makers = (
        lambda: coloured_noise(seconds, random.uniform(-0.5, 2.5), random),
        lambda: coloured_noise(seconds, random.uniform(0, 2), random),
        lambda: hum(seconds, random),
        lambda: clicks(seconds, random),
    )
    return [makers[i % len(makers)]() for i in range(count)]
