# SPDX-License-Identifier: Apache-2.0
"""What a keyword net sees in an epoch: whole words, parts of words, other speech, noise; varied at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from runnel.audio.files import Samples
from runnel.train.augment import Augmentation, blend
from runnel.train.data import Floats
from runnel.train.loop import Batch, Indices, Recipe, ahead, batch_rows
from runnel.train.sound_augment import (
    LENGTH,
    SoundAugmentation,
    at_other_speed,
    cut,
    in_a_room,
    random_cut,
    rows_of,
    to_real,
    vary_features,
    with_noise,
)
from runnel.train.sounds import SILENCE, UNKNOWN, Clip, active_part

WORD, OTHER, PART, TWO_PARTS, BABBLE, NOISE = range(6)
_MARGIN = 800  # samples (50 ms) of a word that may lie outside the window


@dataclass(frozen=True)
class Mixture:
    """How many examples of each kind an epoch has. `words` and `near`: each clip so many times."""

    words: int = 1
    near: int = 3  # short clips of other words by the speakers of the words
    other: int = 1300  # other speech
    parts: int = 450  # a word cut off by the edge of the window
    two_parts: int = 150  # the end of one word and the beginning of another
    babble: int = 80
    noise: int = 400


@dataclass(frozen=True)
class KeywordSounds:
    """The material of one split. `near` and `other` count as unknown; `other` may be longer than a window."""

    words: Sequence[Clip]
    near: Sequence[Clip]
    other: Sequence[Samples]
    noises: Sequence[Samples]


@dataclass(frozen=True)
class KeywordExamples:
    """Batches of features (n x 49 x 40 x 1) and targets. The recipe's augmentation is a SoundAugmentation."""

    sounds: KeywordSounds
    mixture: Mixture = field(default_factory=Mixture)

    @cached_property
    def fixed(self) -> list[tuple[int, int]]:
        """(kind, index) of the examples that every epoch has."""
        words = [(WORD, i) for i in range(len(self.sounds.words))]
        near = [(OTHER, i) for i in range(len(self.sounds.near))]
        return words * self.mixture.words + near * self.mixture.near

    @property
    def drawn(self) -> dict[int, tuple[int, int, int]]:
        """For each kind that is drawn anew: how many an epoch, and which indices: the first, and how many."""
        m, near, other, words = self.mixture, len(self.sounds.near), len(self.sounds.other), len(self.sounds.words)
        return {
            OTHER: (m.other if other else 0, near, other),
            PART: (m.parts, 0, words),
            TWO_PARTS: (m.two_parts, 0, words),
            BABBLE: (m.babble, 0, 1),
            NOISE: (m.noise, 0, 1),
        }

    def plan(self, random: np.random.Generator) -> Indices:
        """(kind, index) of all examples of an epoch in random order; other speech is drawn anew each time."""
        drawn = [
            (kind, first + int(i))
            for kind, (count, first, choices) in self.drawn.items()
            for i in random.integers(0, max(choices, 1), count)
        ]
        return random.permutation(np.array(self.fixed + drawn))

    def steps(self, recipe: Recipe) -> int:
        drawn = sum(count for count, _, _ in self.drawn.values())
        return max((len(self.fixed) + drawn) // recipe.batch, 1)

    def batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        random = np.random.default_rng((recipe.seed, epoch))
        how: SoundAugmentation = recipe.augmentation
        smooth, classes = recipe.label_smoothing, recipe.architecture.classes

        def make(plan: Indices) -> Batch:
            made = [self.example(int(kind), int(index), how, random) for kind, index in plan]
            rows = to_real(rows_of([sound for sound, _ in made]))
            targets = np.eye(classes, dtype=np.float32)[[label for _, label in made]] * (1 - smooth)
            targets += smooth / classes
            return blend(vary_features(rows, how, random), targets, Augmentation(blend=how.blend), random)

        return ahead(batch_rows(self.plan(random), recipe.batch), make)

    def example(self, kind: int, index: int, how: SoundAugmentation, random: np.random.Generator) -> tuple[Floats, int]:
        """One sound of LENGTH samples and its class."""
        if kind == NOISE:
            return self.silence(random), SILENCE
        if kind == BABBLE:
            voices = [self.speech(int(i), random) for i in random.integers(0, self.voices, 4)]
            return with_noise(np.sum(voices, axis=0), self.noise(random), how, random), UNKNOWN
        label = UNKNOWN
        if kind == WORD:
            clip = self.sounds.words[index]
            sound, label = self.word(clip, how, random, (1.0, 1.0)), clip.label
        elif kind == OTHER:
            sound = self.varied(self.speech(index, random), how, random)
        elif kind == PART:
            sound = self.word(self.sounds.words[index], how, random, (0.12, 0.4))
        else:
            second = self.sounds.words[int(random.integers(len(self.sounds.words)))]
            sound = self.word(self.sounds.words[index], how, random, (0.12, 0.4), at_start=True)
            sound = sound + self.word(second, how, random, (0.12, 0.4), at_start=False)
        return with_noise(sound, self.noise(random), how, random), label

    @property
    def voices(self) -> int:
        return len(self.sounds.near) + len(self.sounds.other)

    def speech(self, index: int, random: np.random.Generator) -> Floats:
        """A window somewhere in the other speech of that number; of a short word at least half is in it."""
        near = self.sounds.near
        samples = near[index].samples if index < len(near) else self.sounds.other[index - len(near)]
        if len(samples) > 2 * LENGTH:
            return random_cut(samples, random)
        first, last = active_part(samples)
        hidden = (last - first) // 2  # in a stream a word enters and leaves the window
        low, high = sorted((last - LENGTH - hidden, first + hidden))
        return cut(samples, int(random.integers(low, high + 1)))

    def noise(self, random: np.random.Generator) -> Floats:
        return random_cut(self.sounds.noises[int(random.integers(len(self.sounds.noises)))], random)

    def silence(self, random: np.random.Generator) -> Floats:
        """Noise of any level down to nothing, sometimes two noises."""
        sound = self.noise(random)
        if random.random() < 0.3:
            sound = sound + self.noise(random) * np.float32(random.uniform(0, 1))
        level = 10 ** random.uniform(-1, 3.8) / (float(np.sqrt(np.square(sound).mean())) + 1e-3)
        return sound * np.float32(level) + (random.standard_normal(LENGTH) * random.uniform(0, 3)).astype(np.float32)

    def varied(self, sound: Floats, how: SoundAugmentation, random: np.random.Generator) -> Floats:
        """Speed and room; keeps the length."""
        if random.random() < how.speed_chance:
            sound = at_other_speed(sound, random.uniform(*how.speed))
            sound = cut(sound, (len(sound) - LENGTH) // 2)
        return in_a_room(sound, how, random) if random.random() < how.room_chance else sound

    def word(
        self,
        clip: Clip,
        how: SoundAugmentation,
        random: np.random.Generator,
        visible: tuple[float, float],
        at_start: bool | None = None,
    ) -> Floats:
        """A window with the given share of the word in it: all of it anywhere, or a part at one of the edges."""
        first, last = active_part(clip.samples)
        sound = clip.samples.astype(np.float32)
        if random.random() < how.speed_chance:
            faster = random.uniform(*how.speed)
            before = len(sound)
            sound = at_other_speed(sound, faster)
            first, last = (int(x * len(sound) / before) for x in (first, last))
        if random.random() < how.room_chance:
            sound = in_a_room(sound, how, random)
        share = random.uniform(*visible)
        if share == 1.0:
            low, high = sorted((last - LENGTH - _MARGIN, first + _MARGIN))
            return cut(sound, int(random.integers(low, high + 1)))
        left = random.random() < 0.5 if at_start is None else at_start
        seen = int(share * (last - first))
        return cut(sound, last - seen if left else first + seen - LENGTH)
