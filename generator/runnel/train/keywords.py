# SPDX-License-Identifier: Apache-2.0
"""Trains models/kws: ten Arabic and three English words, silence and unknown, from recordings of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runnel.audio.files import Samples
from runnel.train.espeak import random_sayings, say_all
from runnel.train.keyword_examples import KeywordExamples, KeywordSounds, Mixture
from runnel.train.keyword_model import (
    Examined,
    examined,
    int8_model,
    keyword_recipe,
    record,
    scored,
    train_with_bar,
)
from runnel.train.loop import Recipe
from runnel.train.sentences import ARABIC_WORDS, SENTENCES, WORDS
from runnel.train.sounds import UNKNOWN, load_clips, load_noises, synthetic_noises

ARABIC = ("disable", "down", "enable", "left", "no", "right", "start", "stop", "up", "yes")
ENGLISH = ("bed", "cat", "happy")
LABELS = ("silence", "unknown", *ARABIC, *ENGLISH)
# English words like one of ENGLISH, for the synthetic voices. Rhymes (hat, bad) are left out: with them as unknown the
# net refused one in twenty recordings of the words.
NEAR_ENGLISH = (
    "bird", "bedroom", "red", "said", "bread", "can", "catch", "carry", "cattle", "happen", "hobby", "puppy", "copy",
    "apple", "heavy",
)  # fmt: skip
ENGLISH_REPEATS = 2  # an epoch has each clip so often: there are half as many as Arabic ones, of more speakers
METADATA: Mapping[str, Any] = {
    "labels": list(LABELS),
    "description": "Runnel keywords: ten Arabic and three English words. Trained by scripts/train_keywords.",
}
SAYINGS = 2000
NOISES, NOISE_SECONDS = 48, 20.0


@dataclass(frozen=True)
class Settings:
    """What a quick test changes. `sayings`: utterances of synthetic voices; 0 leaves them out."""

    recipe: Recipe
    mixture: Mixture
    sayings: int = SAYINGS
    noises: int = NOISES


SETTINGS = Settings(keyword_recipe(len(LABELS)), Mixture())


def other_texts() -> list[tuple[str, str]]:
    """(language, text) of what synthetic voices say that is no keyword."""
    sentences = [(language, text) for language, texts in SENTENCES.items() for text in texts]
    english = [("en", word) for word in (*WORDS, *NEAR_ENGLISH)]
    return sentences + english + [("ar", word) for word in ARABIC_WORDS]


def other_speech(split: str, count: int, work: Path) -> list[Samples]:
    """Synthetic voices; those of one split are in no other."""
    if count == 0:
        return []
    seed = ("train", "val", "test").index(split)
    return say_all(random_sayings(other_texts(), count, split, np.random.default_rng((7, seed))), work)


def training_sounds(data: Path, work: Path, settings: Settings) -> KeywordSounds:
    """All that the training split holds."""
    clips = load_clips(data, "train", LABELS, work)
    words = [clip for clip in clips if clip.label != UNKNOWN]
    digits = [clip.samples for clip in clips if clip.source == "en_digits"]
    made = synthetic_noises(settings.noises, NOISE_SECONDS, np.random.default_rng(11))
    return KeywordSounds(
        words=words + [clip for clip in words if clip.source == "en_gsc"] * (ENGLISH_REPEATS - 1),
        near=[clip for clip in clips if clip.label == UNKNOWN and clip.source != "en_digits"],
        other=digits + other_speech("train", settings.sayings, work),
        noises=load_noises(data, "train") * max(settings.noises // 8, 1) + made,
    )


def examined_split(data: Path, split: str, work: Path) -> Examined:
    """The clips of a split as the model sees them; digits are other speech."""
    return examined(load_clips(data, split, LABELS, work))


def build(data: Path, work: Path, settings: Settings = SETTINGS, use_test: bool = True) -> tuple[bytes, dict[str, Any]]:
    """Train (or continue), quantize and score; the bytes of the .tflite file and what training.json holds.

    use_test: also score the test split, which is for the finished model only.
    Raises InputError for unreadable data or a foreign checkpoint.
    """
    examples = KeywordExamples(training_sounds(data, work, settings), settings.mixture)
    validation = examined_split(data, "val", work)
    progress = train_with_bar(settings.recipe, examples, validation, work / "keywords.pt")
    net = progress.average
    model = int8_model(net, examples, settings.recipe, "keywords", METADATA)
    figures = record(progress, settings.recipe, examples, model)
    figures["labels"] = list(LABELS)
    figures["val"] = scored(net, model, validation, LABELS)
    if use_test:
        figures["test"] = scored(net, model, examined_split(data, "test", work), LABELS)
    return model, figures
