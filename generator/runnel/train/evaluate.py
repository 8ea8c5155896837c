# SPDX-License-Identifier: Apache-2.0
"""How often a classifier is right on a split: by collection and by class, for float nets and int8 files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runnel.run.oracle import Oracle
from runnel.train.data import LABELS, Pixels, Split

Outputs = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Score:
    """Photos classified correctly, out of how many."""

    correct: int
    total: int

    @property
    def share(self) -> float:
        return self.correct / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} % ({self.correct} of {self.total})"


def scores(classes: npt.NDArray[np.int64], split: Split) -> Mapping[str, Score]:
    """Score predicted class numbers: overall, the Open Images part, and either class within it."""
    right = classes == split.labels
    open_images = np.array([source == "openimages" for source in split.sources])
    parts = {"all": np.ones(len(right), bool), "openimages": open_images}
    for number, label in enumerate(LABELS):
        parts[f"openimages, {label}"] = open_images & (split.labels == number)
    return {name: Score(int(right[part].sum()), int(part.sum())) for name, part in parts.items()}


def int8_input(pixels: Pixels) -> Outputs:
    """Photos as the model's input: quantized = pixel - 128 (scale 1/255, zero point -128)."""
    return (pixels.astype(np.int16) - 128).astype(np.int8)


def int8_outputs(oracle: Oracle, pixels: Pixels) -> Outputs:
    """What an int8 model answers (n x classes) to photos (uint8, n x size x size x 3)."""
    return np.concatenate([outputs[0] for outputs in oracle.run([[photo[None]] for photo in int8_input(pixels)])])
