# SPDX-License-Identifier: Apache-2.0
"""Trains a model for words of the user's choice from synthetic voices alone; scripts/train_words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from runnel.audio.files import Samples, to_samples
from runnel.audio.tables import SAMPLE_RATE
from runnel.errors import InputError
from runnel.train.espeak import Saying, check_installed, random_sayings, say_all
from runnel.train.keyword_examples import WORD, KeywordExamples, KeywordSounds, Mixture
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
from runnel.train.near_misses import near_misses
from runnel.train.sentences import SENTENCES, WORDS
from runnel.train.sound_augment import LENGTH, SoundAugmentation
from runnel.train.sounds import UNKNOWN, Clip, active_part, load_clips, load_noises, synthetic_noises

MOST_WORDS = 16
_FREE = ("silence", "unknown")
_SPLIT_SEEDS = {"train": 1, "val": 2, "test": 3}


@dataclass(frozen=True)
class Order:
    """What to train. `recordings`: a folder like ../shared/data/kws with people's speech and noise, or None.

    sayings: utterances of each word for training; val and test get an eighth each. near, other: of all words together.
    """

    words: tuple[str, ...]
    language: str = "en"
    recordings: Path | None = None
    sayings: int = 600
    near: int = 1500
    other: int = 900
    noises: int = 32
    epochs: int = 20

    @property
    def labels(self) -> tuple[str, ...]:
        return (*_FREE, *self.words)


QUICK = {"sayings": 32, "near": 32, "other": 32, "noises": 4, "epochs": 2}


def checked_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words in lower case with single spaces. Raises InputError for what cannot be a label or is there twice."""
    result = tuple(" ".join(word.lower().split()) for word in words)
    for word in result:
        if not re.search(r"\w", word) or not re.fullmatch(r"[\w' -]{1,40}", word):
            raise InputError(
                f"{word!r} cannot be a word to listen for: letters, spaces, ' and -, at most 40 characters"
            )
        if word in _FREE:
            raise InputError(f"{word!r} is a class that every model has; choose another word")
        if result.count(word) > 1:
            raise InputError(f"the word {word!r} is there twice")
    if not 1 <= len(result) <= MOST_WORDS:
        raise InputError(f"give 1 to {MOST_WORDS} words; found {len(result)}")
    return result


def check_length(word: str, sounds: Sequence[Samples]) -> None:
    """Raises InputError when the word does not fit into what a model hears at once."""
    spans = [last - first for first, last in map(active_part, sounds)]
    usual = float(np.median(spans))
    if usual > LENGTH:
        raise InputError(
            f"{word!r} takes {usual / SAMPLE_RATE:.1f} s to say; a model hears {LENGTH / SAMPLE_RATE:.2f} s. "
            "Choose fewer or shorter words"
        )


def _said(sayings: Sequence[Saying], work: Path) -> list[Samples]:
    """What is spoken of sayings that fit into a window; a slow voice may not. The pause behind it is cut off."""
    spans = [(sound, *active_part(sound)) for sound in say_all(sayings, work)]
    return [sound[first:last] for sound, first, last in spans if last - first <= LENGTH]


def _words_and_near(order: Order, split: str, work: Path) -> tuple[list[Clip], list[Clip]]:
    part = 1 if split == "train" else 8
    random = np.random.default_rng((5, _SPLIT_SEEDS[split]))
    clips: list[Clip] = []
    for number, word in enumerate(order.words):
        sayings = random_sayings([(order.language, word)], max(order.sayings // part, 1), split, random)
        check_length(word, say_all(sayings, work))
        clips += [Clip(sound, UNKNOWN + 1 + number, "words") for sound in _said(sayings, work)]
    near = near_misses(order.words, order.language, max(order.near // part, 1), split, random)
    return clips, [Clip(sound, UNKNOWN, "near misses") for sound in _said(near, work)]


def _other_speech(order: Order, split: str, work: Path) -> list[Samples]:
    """Sentences and words in which none of the order's words is said."""
    texts = [(language, text) for language, listed in SENTENCES.items() for text in listed]
    texts += [("en", word) for word in WORDS]
    spoken = {part for word in order.words for part in word.split()}
    free = [(language, text) for language, text in texts if not spoken & set(re.findall(r"[\w']+", text.lower()))]
    random = np.random.default_rng((6, _SPLIT_SEEDS[split]))
    count = max(order.other // (1 if split == "train" else 8), 1)
    return say_all(random_sayings(free, count, split, random), work)


def _recorded(order: Order, split: str, work: Path) -> list[Clip]:
    """People's speech that is none of the words: every recording but those of a folder with a word's name."""
    if order.recordings is None:
        return []
    clips = load_clips(order.recordings, split, order.labels, work)
    return [Clip(clip.samples, UNKNOWN, "recordings") for clip in clips if clip.label == UNKNOWN]


def training_sounds(order: Order, work: Path) -> KeywordSounds:
    """Synthetic words and near misses, other speech, and noise."""
    words, near = _words_and_near(order, "train", work)
    made = synthetic_noises(order.noises, 15.0, np.random.default_rng(13))
    recorded = [] if order.recordings is None else load_noises(order.recordings, "train") * max(order.noises // 8, 1)
    other = _other_speech(order, "train", work) + [clip.samples for clip in _recorded(order, "train", work)]
    return KeywordSounds(words, near, other, recorded + made)


def examined_split(order: Order, split: str, work: Path) -> Examined:
    """Words, near misses, other speech of voices that no other split has, and recordings."""
    words, near = _words_and_near(order, split, work)
    other = [Clip(sound, UNKNOWN, "other speech") for sound in _other_speech(order, split, work)]
    return examined(words + in_noise(words, split) + near + other + _recorded(order, split, work))


def in_noise(words: Sequence[Clip], split: str) -> list[Clip]:
    """The words somewhere in the window, in a made-up room, over noise of 5 to 20 dB less."""
    random = np.random.default_rng((9, _SPLIT_SEEDS[split]))
    how = replace(SoundAugmentation(), speed_chance=0.0, room_chance=1.0, noise_chance=1.0, signal_to_noise=(5.0, 20.0))
    source = KeywordExamples(KeywordSounds(words, (), (), synthetic_noises(8, 10.0, random)))
    made = (source.example(WORD, i, how, random) for i in range(len(words)))
    return [Clip(to_samples(sound), label, "words in noise") for sound, label in made]


def recipe_of(order: Order) -> Recipe:
    """As for real voices, but with rooms and noise more often: synthetic voices come without."""
    recipe = keyword_recipe(len(order.labels), order.epochs)
    how = replace(SoundAugmentation(), room_chance=0.5, noise_chance=0.85, tone=0.3)
    return replace(recipe, augmentation=how, warmup_epochs=min(3, order.epochs // 2))


def metadata(order: Order) -> Mapping[str, Any]:
    """What the model says of itself."""
    words = ", ".join(order.words)
    return {
        "labels": list(order.labels),
        "description": f"Runnel keywords: {words}. SYNTHETIC: trained and tested with espeak-ng voices only, "
        "nothing is known of real voices. Made by scripts/train_words.",
    }


def build(order: Order, work: Path) -> tuple[bytes, dict[str, Any]]:
    """Speak, train (or continue), quantize and score; the bytes of the .tflite file and what training.json holds.

    Raises InputError when espeak-ng is missing, for words that cannot be used, and for a foreign checkpoint.
    """
    check_installed()
    order = replace(order, words=checked_words(order.words))
    mixture = Mixture(
        words=1, near=1, other=order.other, parts=order.sayings, two_parts=order.sayings // 3,
        babble=order.sayings // 8, noise=order.sayings // 2,
    )  # fmt: skip
    examples = KeywordExamples(training_sounds(order, work), mixture)
    recipe = recipe_of(order)
    validation = examined_split(order, "val", work)
    progress = train_with_bar(recipe, examples, validation, work / "words.pt")
    model = int8_model(progress.average, examples, recipe, "keywords", metadata(order))
    figures = record(progress, recipe, examples, model)
    figures.update(labels=list(order.labels), language=order.language, evidence="synthetic voices only")
    figures["recordings_as_unknown"] = order.recordings is not None
    for split, clips in (("val", validation), ("test", examined_split(order, "test", work))):
        figures[split] = scored(progress.average, model, clips, order.labels)
    return model, figures
