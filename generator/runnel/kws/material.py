# SPDX-License-Identifier: Apache-2.0
"""What streams are made of: recordings of one split. Nothing of it was trained on, nor is val's in test's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runnel.audio.files import Samples
from runnel.kws.sentences import STREAM_SENTENCES
from runnel.train.espeak import random_sayings, say_all
from runnel.train.sounds import UNKNOWN, Clip, load_clips, load_noises, synthetic_noises

SENTENCES = 64
SYNTHETIC_NOISES = 16
SYNTHETIC_SECONDS = 12


@dataclass(frozen=True)
class Material:
    """Recordings of one split.

    words      clips of keywords, their labels being the model's class numbers
    speech     other speech: clips of other words, and whole sentences of synthetic voices
    noises     recorded and synthetic background noise
    """

    words: Sequence[Clip]
    speech: Sequence[Samples]
    sentences: Sequence[Samples]
    noises: Sequence[Samples]


def load_material(data: Path, split: str, labels: Sequence[str], cache: Path) -> Material:
    """The material of "val" or "test" for a model with these labels.

    Raises InputError when a recording cannot be read or espeak-ng is not installed.
    """
    seed = {"val": 1, "test": 2}[split]
    random = np.random.default_rng((20, seed))
    clips = load_clips(data, split, labels, cache)
    sayings = random_sayings(STREAM_SENTENCES[split], SENTENCES, split, random)
    return Material(
        words=[clip for clip in clips if clip.label > UNKNOWN],
        speech=[clip.samples for clip in clips if clip.label == UNKNOWN],
        sentences=say_all(sayings, cache),
        noises=[*load_noises(data, split), *synthetic_noises(SYNTHETIC_NOISES, SYNTHETIC_SECONDS, random)],
    )
