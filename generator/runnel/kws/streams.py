# SPDX-License-Identifier: Apache-2.0
"""Streams of sound as a microphone would hear them: background noise, speech over it, and what was said when.

The same material and seed give the same samples.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runnel.audio.files import Samples, to_samples
from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import InputError
from runnel.kws.material import Material
from runnel.train.sounds import active_part

Floats = npt.NDArray[np.float32]

FULL_SCALE = 32768
SCENE_SECONDS = (6.0, 20.0)  # one background noise
FADE = SAMPLE_RATE // 20
NOISE_LEVEL = (-72.0, -38.0)  # RMS of the background, dB below full scale
LOUD_LEVEL = (-36.0, -18.0)  # of noise with nobody speaking
SPEECH_OVER_NOISE = (8.0, 30.0)  # RMS of speech above that of the background, dB
SPEECH_LEVEL = (-45.0, -14.0)  # limits of that, dB below full scale
LARGEST_PEAK = 0.9


@dataclass(frozen=True)
class Event:
    """Something said: a keyword (its class number), or other speech (None). Positions in samples."""

    start: int
    end: int
    word: int | None


@dataclass(frozen=True, eq=False)
class Stream:
    """16 kHz samples and what is said in them, in order."""

    samples: Samples
    events: tuple[Event, ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def _rms(sound: npt.NDArray[np.generic]) -> float:
    return float(np.sqrt(np.square(sound.astype(np.float64)).mean())) + 1e-3


def _amplitude(decibels: float) -> float:
    return FULL_SCALE * float(10 ** (decibels / 20))


class _Scene:
    """A stretch of background noise that speech is put on."""

    def __init__(self, material: Material, seconds: float, level: float, random: np.random.Generator) -> None:
        noise = material.noises[int(random.integers(len(material.noises)))].astype(np.float32)
        count = int(seconds * SAMPLE_RATE)
        start = int(random.integers(len(noise)))
        looped = np.resize(np.roll(noise, -start), count)
        fade = np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / FADE)
        self.level = level
        self.sound: Floats = (looped * (_amplitude(level) / _rms(looped)) * fade).astype(np.float32)
        self.sound += random.normal(0, 1.5, count).astype(np.float32)  # no microphone gives zeros
        self.random = random
        self.events: list[Event] = []

    def say(self, speech: Samples, position: int, word: int | None) -> int:
        """Adds speech at `position` and returns where it ends; what lies outside the scene is cut off."""
        first, last = active_part(speech)
        over = float(self.random.uniform(*SPEECH_OVER_NOISE))
        wanted = _amplitude(float(np.clip(self.level + over, *SPEECH_LEVEL)))
        peak = float(np.abs(speech.astype(np.float32)).max()) + 1.0
        gain = min(wanted / _rms(speech[first:last]), LARGEST_PEAK * FULL_SCALE / peak)
        part = speech[: len(self.sound) - position].astype(np.float32)
        self.sound[position : position + len(part)] += part * np.float32(gain)
        self.events.append(Event(position + first, min(position + last, len(self.sound)), word))
        return position + len(part)


def _joined(scenes: Sequence[_Scene], seconds: float | None = None) -> Stream:
    samples = to_samples(np.concatenate([scene.sound for scene in scenes]))
    if seconds is not None:
        samples = samples[: int(seconds * SAMPLE_RATE)]
    events = []
    start = 0
    for scene in scenes:
        events += [Event(start + e.start, start + e.end, e.word) for e in scene.events]
        start += len(scene.sound)
    return Stream(samples, tuple(event for event in events if event.end <= len(samples)))


def _gap(random: np.random.Generator, low: float, high: float) -> int:
    return int(random.uniform(low, high) * SAMPLE_RATE)


def _background_scene(material: Material, random: np.random.Generator) -> _Scene:
    """Noise alone, single words that are no keywords, or a sentence or two."""
    kind = random.choice(["noise", "clips", "sentences"], p=[0.25, 0.45, 0.3])
    level = float(random.uniform(*(LOUD_LEVEL if kind == "noise" else NOISE_LEVEL)))
    scene = _Scene(material, float(random.uniform(*SCENE_SECONDS)), level, random)
    choices = material.sentences if kind == "sentences" else material.speech
    position = _gap(random, 0.2, 1.0)
    while kind != "noise" and position < len(scene.sound) - SAMPLE_RATE:
        position = scene.say(choices[int(random.integers(len(choices)))], position, None)
        position += _gap(random, 0.05, 1.2)
    return scene


def background_stream(material: Material, seconds: float, seed: int) -> Stream:
    """Noise and other speech, not one keyword: whatever fires is a false alarm."""
    random = np.random.default_rng((1, seed))
    scenes: list[_Scene] = []
    while sum(len(scene.sound) for scene in scenes) < seconds * SAMPLE_RATE:
        scenes.append(_background_scene(material, random))
    return _joined(scenes, seconds)


def word_stream(material: Material, seconds: float, seed: int) -> Stream:
    """Keywords with pauses of 0.8 to 2.5 s over noise; each clip is used once before any is used again."""
    if not material.words:
        raise InputError("the collection has no recordings of the model's words")
    random = np.random.default_rng((2, seed))
    scenes: list[_Scene] = []
    order: list[int] = []
    while sum(len(scene.sound) for scene in scenes) < seconds * SAMPLE_RATE:
        scene = _Scene(material, float(random.uniform(*SCENE_SECONDS)), float(random.uniform(*NOISE_LEVEL)), random)
        position = _gap(random, 0.3, 1.0)
        while position < len(scene.sound) - 2 * SAMPLE_RATE:
            order = order or random.permutation(len(material.words)).tolist()
            clip = material.words[order.pop()]
            position = scene.say(clip.samples, position, clip.label) + _gap(random, 0.8, 2.5)
        scenes.append(scene)
    return _joined(scenes)


def write_stream(stream: Stream, path: Path) -> None:
    """`path` (a wav file), and its events beside it as .json."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(stream.samples.astype("<i2").tobytes())
    events = json.dumps([asdict(event) for event in stream.events], indent=1)
    path.with_suffix(".json").write_text(events + "\n", encoding="utf-8")
