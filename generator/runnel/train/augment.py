# SPDX-License-Identifier: Apache-2.0
"""Random crops, flips, colours and blends of training photos. All randomness comes from the generator passed in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from runnel.train.data import Floats, Pixels, unit_range


@dataclass(frozen=True)
class Augmentation:
    """How strongly training photos are varied. Ranges are (lowest, highest); chances are 0 to 1."""

    area: tuple[float, float] = (0.4, 1.0)  # of the photo, kept by a crop
    stretch: tuple[float, float] = (0.72, 1.38)  # width / height of a crop: the photos were squashed unevenly
    colour: float = 0.35  # brightness, contrast and saturation vary by this fraction either way
    tint: float = 0.08  # each colour channel's gain varies by this fraction
    grey_chance: float = 0.05
    erase_chance: float = 0.25
    blend: float = 0.2  # parameter of mixup's beta distribution; 0 switches it off


def random_crop(image: Pixels, size: int, how: Augmentation, random: np.random.Generator) -> Pixels:
    """Cut a random rectangle, perhaps mirrored, and resize it to size x size."""
    height, width = image.shape[:2]
    area = random.uniform(*how.area) * min(height, width) ** 2
    stretch = math.exp(random.uniform(math.log(how.stretch[0]), math.log(how.stretch[1])))
    crop_width = min(width, math.sqrt(area * stretch))
    crop_height = min(height, math.sqrt(area / stretch))
    left = random.uniform(0, width - crop_width)
    top = random.uniform(0, height - crop_height)
    box = (left, top, left + crop_width, top + crop_height)
    crop = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, box=box)
    pixels: Pixels = np.asarray(crop)
    return pixels[:, ::-1] if random.random() < 0.5 else pixels


def vary_colours(batch: Floats, how: Augmentation, random: np.random.Generator) -> Floats:
    """Vary brightness, contrast, saturation and tint of each photo (n x height x width x 3, values 0 to 1)."""
    count = len(batch)

    def gains(spread: float, channels: int = 1) -> Floats:
        return random.uniform(1 - spread, 1 + spread, (count, 1, 1, channels)).astype(np.float32)

    brightness, contrast, saturation = gains(how.colour), gains(how.colour), gains(how.colour)
    saturation[random.random(count) < how.grey_chance] = 0
    batch = batch * (brightness * gains(how.tint, 3))
    mean = batch.mean((1, 2, 3), keepdims=True)
    batch = mean + (batch - mean) * contrast
    grey = batch @ np.array([[0.299], [0.587], [0.114]], np.float32)
    batch = grey + (batch - grey) * saturation
    return np.clip(batch, 0, 1, out=batch)


def erase(batch: Floats, how: Augmentation, random: np.random.Generator) -> None:
    """Cover a rectangle of some photos with one random colour, in place."""
    size = batch.shape[1]
    for photo in batch:
        if random.random() < how.erase_chance:
            height, width = random.integers(size // 8, size // 2, 2)
            top, left = random.integers(0, size - height), random.integers(0, size - width)
            photo[top : top + height, left : left + width] = random.random(3)


def blend(batch: Floats, targets: Floats, how: Augmentation, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Mix each photo and its target (n x classes) with another of the batch (mixup)."""
    if how.blend <= 0:
        return batch, targets
    share = random.beta(how.blend, how.blend, (len(batch), 1)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    order = random.permutation(len(batch))
    image_share = share[:, :, None, None]
    mixed = image_share * batch + (1 - image_share) * batch[order]
    return mixed, share * targets + (1 - share) * targets[order]


def training_batch(
    images: Sequence[Pixels], targets: Floats, size: int, how: Augmentation, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return photos (n x size x size x 3, 0 to 1) and targets (n x classes), varied at random."""
    crops = np.stack([random_crop(image, size, how, random) for image in images])
    batch = vary_colours(unit_range(crops), how, random)
    erase(batch, how, random)
    return blend(batch, targets, how, random)
