# SPDX-License-Identifier: Apache-2.0
"""Compares what was heard with what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import RunError
from runnel.kws.streams import Event

LATEST = 1.5  # seconds after the end of a word in which a detection counts as that word's

_HEARD = re.compile(r"^heard: (.+) (\d\.\d\d) at (\d+\.\d\d\d) s$")
_END = re.compile(r"^end: (\d+\.\d\d\d) s of sound, (\d+) detections$")


@dataclass(frozen=True)
class Heard:
    """A detection: class number of the word, and the sample position of the decision."""

    word: int
    sample: int


@dataclass(frozen=True)
class Score:
    """What came of a stream.

    words         keywords said
    hits          of these heard as what they are
    wrong         heard as another word
    false_alarms  detections where no keyword was said
    delays        of the hits, in seconds from the end of the word to the decision
    """

    words: int
    hits: int
    wrong: int
    false_alarms: int
    delays: tuple[float, ...]

    @property
    def recall(self) -> float:
        return self.hits / self.words if self.words else 0.0

    def delay(self, percentile: float | None = None) -> float:
        """Mean delay, or a percentile of it; 0 without hits."""
        if not self.delays:
            return 0.0
        return float(np.mean(self.delays) if percentile is None else np.percentile(self.delays, percentile))


def score(events: Sequence[Event], heard: Sequence[Heard]) -> Score:
    """Each detection belongs to the last keyword that began before it, if that ended at most LATEST before it.

    The first one of a word decides whether it was heard right; any further one is wrong or a false alarm too.
    """
    said = [event for event in events if event.word is not None]
    starts = [event.start for event in said]
    hits, wrong, false_alarms = 0, 0, 0
    delays = []
    answered: set[int] = set()
    for detection in heard:
        index = int(np.searchsorted(starts, detection.sample)) - 1
        if index < 0 or detection.sample > said[index].end + LATEST * SAMPLE_RATE:
            false_alarms += 1
        elif detection.word != said[index].word:
            wrong += 1
            answered.add(index)
        elif index in answered:
            false_alarms += 1
        else:
            hits += 1
            answered.add(index)
            delays.append((detection.sample - said[index].end) / SAMPLE_RATE)
    return Score(len(said), hits, wrong, false_alarms, tuple(delays))


def parse_console(text: str, labels: Sequence[str], seconds: float) -> list[Heard]:
    """Detections in the app's output for a stream of that length.

    Raises RunError when the app did not get to the end of the stream.
    """
    heard = []
    end = None
    for line in text.splitlines():
        if found := _HEARD.match(line):
            heard.append(Heard(labels.index(found[1]), round(float(found[3]) * SAMPLE_RATE)))
        end = _END.match(line) or end
    if end is None or abs(float(end[1]) - seconds) > 0.001 or int(end[2]) != len(heard):
        raise RunError(
            f"the app did not come to the end of the {seconds:.3f} s of sound; its last lines:\n{text[-500:]}"
        )
    return heard
