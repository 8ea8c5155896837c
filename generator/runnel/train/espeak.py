# SPDX-License-Identifier: Apache-2.0
"""Synthetic speech from espeak-ng: many voices, speeds and pitches; kept in a cache file."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runnel.audio.files import Samples, to_rate, to_samples
from runnel.errors import InputError
from runnel.train.sound_cache import cached_sounds

PROGRAM = "espeak-ng"

# Variants change the speaker of a language. Whole variants belong to one split: no voice is in two of them.
VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "adam", "Alex", "Alicia", "Andrea",
    "Andy", "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david", "Denis", "Diogo", "ed",
    "edward", "Gene", "grandma", "grandpa", "Henrique", "iven", "Jacky", "john", "kaukovalta", "klatt2", "klatt4",
    "linda", "marcelo", "Marco", "Mario", "max", "Michael", "michel", "miguel", "Mike", "norbert", "pablo",
    "paul", "pedro", "quincy", "rob", "robert", "sandro", "steph", "steph2", "Storm", "travis", "victor", "zac",
)  # fmt: skip
ENGLISH = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")


@dataclass(frozen=True)
class Saying:
    """A text and how it is said; speed in words a minute, pitch 0 to 99."""

    text: str
    language: str
    variant: str
    speed: int
    pitch: int


def variants_of(split: str) -> tuple[str, ...]:
    """The variants of "train", "val" and "test"; every sixth is val's, every sixth test's."""
    rests = {"train": (0, 1, 2, 3), "val": (4,), "test": (5,)}[split]
    return tuple(variant for i, variant in enumerate(VARIANTS) if i % 6 in rests)


def random_sayings(
    texts: Sequence[tuple[str, str]], count: int, split: str, random: np.random.Generator
) -> list[Saying]:
    """`count` ways to say (language, text) pairs, each text as often as the others; "en" means any English accent."""
    variants = variants_of(split)
    sayings = []
    for i in range(count):
        language, text = texts[i % len(texts)]
        accent = str(random.choice(ENGLISH)) if language == "en" else language
        variant = variants[int(random.integers(len(variants)))]
        sayings.append(Saying(text, accent, variant, int(random.integers(110, 230)), int(random.integers(15, 90))))
    return sayings


def check_installed() -> None:
    """Raises InputError when there is no espeak-ng."""
    if shutil.which(PROGRAM) is None:
        raise InputError(
            f"{PROGRAM} was not found, which speaks the words; on Debian or Ubuntu: apt-get install espeak-ng"
        )


def say(saying: Saying) -> Samples:
    """16 kHz samples. Raises InputError when espeak-ng fails."""
    import soundfile

    voice = f"{saying.language}+{saying.variant}"
    command = [PROGRAM, "-v", voice, "-s", str(saying.speed), "-p", str(saying.pitch), "--stdout", "--", saying.text]
    done = subprocess.run(command, capture_output=True, timeout=60)
    try:
        sound, rate = soundfile.read(io.BytesIO(done.stdout), dtype="int16")
    except RuntimeError as error:
        message = done.stderr.decode(errors="replace").strip() or str(error)
        raise InputError(f"{PROGRAM} could not say {saying.text!r} with the voice {voice}: {message}") from error
    return to_samples(to_rate(sound.astype(np.float32), rate))


def say_all(sayings: Iterable[Saying], cache: Path | None = None) -> list[Samples]:
    """All sayings in order, from a file in the folder `cache` where an earlier call left one."""
    check_installed()
    listed = list(sayings)
    stored = None if cache is None else cache / f"espeak-{hashlib.sha256(repr(listed).encode()).hexdigest()[:16]}.npz"

    def speak() -> list[Samples]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(say, listed))

    return cached_sounds(stored, speak)
