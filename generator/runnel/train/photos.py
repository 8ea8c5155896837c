# SPDX-License-Identifier: Apache-2.0
"""The batches of an epoch of photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from runnel.train.augment import training_batch
from runnel.train.data import Split
from runnel.train.loop import Batch, Indices, Recipe, ahead, batch_rows


@dataclass(frozen=True)
class Photos:
    """Every photo of `split` once an epoch, varied as the recipe's Augmentation says."""

    split: Split

    def steps(self, recipe: Recipe) -> int:
        return max(len(self.split.images) // recipe.batch, 1)

    def batches(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        random = np.random.default_rng((recipe.seed, epoch))
        order = random.permutation(len(self.split.images))
        smooth, shape = recipe.label_smoothing, recipe.architecture.input_shape
        targets = np.eye(recipe.architecture.classes, dtype=np.float32)[self.split.labels] * (1 - smooth)
        targets += smooth / recipe.architecture.classes

        def make(indices: Indices) -> Batch:
            images = [self.split.images[i] for i in indices]
            return training_batch(images, targets[indices], shape[0], recipe.augmentation, random)

        return ahead(batch_rows(order, recipe.batch), make)
