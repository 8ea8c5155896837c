# SPDX-License-Identifier: Apache-2.0
"""Finds the word detector's settings on validation streams: the most words heard at a given rate of false alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from runnel.kws.detector import Scores, Settings, detect
from runnel.kws.scoring import Score, score
from runnel.kws.streams import Stream

AVERAGES_MS = (160, 240, 320, 400, 480, 560, 640, 800)
THRESHOLDS = tuple(range(50, 98, 3))
CONSECUTIVES = (1, 2, 3)
RELEASES = (30, 45)
REFRACTORIES_MS = (500, 750, 1000)
ROW_MS = 20
MOST_AVERAGE = 16
NEARLY_AS_GOOD = 0.005  # recall that a shorter delay is worth


@dataclass(frozen=True)
class Trial:
    """Settings and what came of them. `alarms_per_hour` counts the background stream's detections alone."""

    settings: Settings
    words: Score
    alarms_per_hour: float


def candidates(stride_rows: int) -> Iterator[Settings]:
    """The grid for one stride."""
    stride_ms = stride_rows * ROW_MS
    averages = sorted({min(max(round(ms / stride_ms), 1), MOST_AVERAGE) for ms in AVERAGES_MS})
    for average, threshold, consecutive, release, refractory in product(
        averages, THRESHOLDS, CONSECUTIVES, RELEASES, REFRACTORIES_MS
    ):
        yield Settings(stride_rows, average, threshold, consecutive, release, refractory)


def trials(
    words: Stream, word_scores: Mapping[int, Scores], background: Stream, background_scores: Mapping[int, Scores]
) -> list[Trial]:
    """All candidates for the strides that there are scores for."""
    hours = background.seconds / 3600
    found = []
    for stride in word_scores:
        for settings in candidates(stride):
            alarms = score(background.events, detect(background_scores[stride], settings)).false_alarms
            result = score(words.events, detect(word_scores[stride], settings))
            found.append(Trial(settings, result, alarms / hours))
    return found


def best(tried: Sequence[Trial], most_per_hour: float) -> Trial:
    """The best recall (less wrong words) within the limit; of those nearly as good, the one that answers first."""
    allowed = [trial for trial in tried if trial.alarms_per_hour <= most_per_hour]
    allowed = allowed or [min(tried, key=lambda trial: trial.alarms_per_hour)]

    def worth(trial: Trial) -> float:
        return (trial.words.hits - trial.words.wrong) / max(trial.words.words, 1)

    top = max(worth(trial) for trial in allowed)
    good = [trial for trial in allowed if worth(trial) >= top - NEARLY_AS_GOOD]
    return min(good, key=lambda trial: (trial.words.delay(), trial.alarms_per_hour))
