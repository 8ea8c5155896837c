# SPDX-License-Identifier: Apache-2.0
"""The word detector in plain Python, from the words of its header, with the whole history and exact fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Config:
    """As struct runnel_word_detector_config, in the same order."""

    classes: int
    first_word: int
    average: int
    threshold: int
    consecutive: int
    release: int
    refractory_samples: int


@dataclass(frozen=True)
class Detection:
    word: int
    score: int
    sample: int


def averages(outputs: Sequence[Sequence[int]], end: int, config: Config) -> list[Fraction]:
    """Average score of each class over the outputs before `end`; those before the first one are 0."""
    window = outputs[max(0, end - config.average) : end]
    return [Fraction(sum(o[c] + 128 for o in window), config.average) for c in range(config.classes)]


def evidence(mean: Sequence[Fraction], config: Config) -> int | None:
    """The word that one average speaks for, if any."""
    best = mean.index(max(mean))
    return best if best >= config.first_word and mean[best] >= config.threshold else None


def detect(outputs: Sequence[Sequence[int]], samples: Sequence[int], config: Config) -> list[Detection]:
    """All detections. `samples` are the positions of the outputs."""
    means = [averages(outputs, end, config) for end in range(1, len(outputs) + 1)]
    words = [evidence(mean, config) for mean in means]
    found: list[Detection] = []
    fired_at: dict[int, int] = {}  # word: index of the output at which it last fired
    for i, word in enumerate(words):
        recent = words[max(0, i - config.consecutive + 1) : i + 1]
        if word is None or len(recent) < config.consecutive or set(recent) != {word}:
            continue
        since = fired_at.get(word)
        if since is not None and all(mean[word] >= config.release for mean in means[since + 1 : i + 1]):
            continue  # still the same word
        if found and samples[i] - found[-1].sample < config.refractory_samples:
            continue
        fired_at[word] = i
        found.append(Detection(word, int(means[i][word]), samples[i]))
    return found
