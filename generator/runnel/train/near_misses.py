# SPDX-License-Identifier: Apache-2.0
"""What sounds almost like a word and must not be taken for it: other sounds in it, parts of it, its halves swapped."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import numpy as np

from runnel.train.espeak import PROGRAM, Saying, variants_of

_VOWEL_STARTS = "aeiouAEIOUVY@03&"
# espeak-ng's names of sounds that most of its languages have.
_VOWELS = ("a", "E", "I", "V", "0", "i:", "u:", "A:", "eI", "aI", "oU")
_CONSONANTS = ("p", "t", "k", "b", "d", "g", "f", "s", "S", "m", "n", "l", "r", "w", "h", "v", "z")


def sounds_of(text: str, language: str) -> tuple[str, ...]:
    """The sounds of `text` by espeak-ng's names; a space where a word ends. Stress marks stay with their sound."""
    command = [PROGRAM, "-q", "-x", "--sep=_", "-v", language, "--", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return tuple(part for word in done.stdout.split() for part in (*word.split("_"), " "))[:-1]


def spelled(sounds: Sequence[str]) -> str:
    """Sounds as espeak-ng takes them for text."""
    return f"[[{''.join(sounds)}]]"


def _is_vowel(sound: str) -> bool:
    return sound.lstrip("',%=_|")[:1] in tuple(_VOWEL_STARTS)


def changed(sounds: Sequence[str], random: np.random.Generator) -> tuple[str, ...]:
    """One or two sounds replaced, or (rarely) one end left out."""
    result = list(sounds)
    places = [i for i, sound in enumerate(result) if sound.strip(" |_',%")]
    if len(places) > 3 and random.random() < 0.2:
        half = places[len(places) // 2]
        return tuple(result[:half] if random.random() < 0.5 else result[half:])
    for place in random.choice(places, min(len(places), 1 if len(places) < 5 else 2), replace=False):
        sound = result[place]
        mark = sound[: len(sound) - len(sound.lstrip("',%"))]
        choices = _VOWELS if _is_vowel(sound) else _CONSONANTS
        others = [other for other in choices if other[0] != sound[len(mark) :][:1]]
        result[place] = mark + str(random.choice(others))
    return tuple(result)


def near_misses(
    words: Sequence[str], language: str, count: int, split: str, random: np.random.Generator
) -> list[Saying]:
    """`count` sayings that are none of `words` but close to one: changed sounds, single words, words swapped."""
    said = [sounds_of(word, language) for word in words]
    taken = {spelled(sounds) for sounds in said}
    texts = [part for word in words if " " in word for part in (*word.split(), " ".join(reversed(word.split())))]
    texts = [text for text in dict.fromkeys(texts) if text not in words]
    variants = variants_of(split)
    sayings: list[Saying] = []
    while len(sayings) < count:
        text = str(random.choice(texts)) if texts and random.random() < 0.25 else None
        if text is None:
            text = spelled(changed(said[len(sayings) % len(said)], random))
            if text in taken:
                continue
        variant = variants[int(random.integers(len(variants)))]
        sayings.append(Saying(text, language, variant, int(random.integers(110, 230)), int(random.integers(15, 90))))
    return sayings
