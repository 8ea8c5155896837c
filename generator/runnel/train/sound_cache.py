# SPDX-License-Identifier: Apache-2.0
"""Sounds that take long to make, kept in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from runnel.audio.files import Samples


def cached_sounds(stored: Path | None, make: Callable[[], list[Samples]]) -> list[Samples]:
    """What an earlier call left in the file `stored` (.npz); else what `make` returns, which is left there."""
    if stored is not None and stored.exists():
        with np.load(stored) as arrays:
            return np.split(arrays["samples"], arrays["ends"][:-1])
    sounds = make()
    if stored is not None:
        stored.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: another process may be writing the same sounds.
        partial = stored.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, samples=np.concatenate(sounds), ends=np.cumsum([len(sound) for sound in sounds]))
        partial.replace(stored)  # so that an interrupted run leaves no half-written cache
    return sounds
