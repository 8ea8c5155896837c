# SPDX-License-Identifier: Apache-2.0
"""Labelled photos of one split, decoded once and kept as bytes in a cache file."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from runnel.errors import InputError

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
LABELS = ("no person", "person")


@dataclass(frozen=True, eq=False)
class Split:
    """Photos (each uint8, height x width x 3, RGB), their class numbers, and the collection each came from."""

    name: str
    images: tuple[Pixels, ...]
    labels: npt.NDArray[np.int64]
    sources: tuple[str, ...]


def _read_lists(root: Path, name: str) -> tuple[list[tuple[str, int]], dict[str, str], str]:
    """Return (path, label) rows, path -> source, and a digest that names this version of the lists."""
    try:
        listing = (root / f"{name}.txt").read_text("utf-8")
        index = (root / "index.csv").read_text("utf-8")
    except OSError as error:
        raise InputError(f"no photo collection in {root}: {error.strerror}: {error.filename}") from error
    rows = [(line.split()[0], int(line.split()[1])) for line in listing.splitlines() if line.strip()]
    sources = {row["path"]: row["source"] for row in csv.DictReader(index.splitlines())}
    digest = hashlib.sha256((listing + index).encode()).hexdigest()[:16]
    return rows, sources, digest


def _decode(path: Path) -> Pixels:
    try:
        with Image.open(path) as photo:
            return np.asarray(photo.convert("RGB"))
    except OSError as error:
        raise InputError(f"cannot read photo {path}: {error}") from error


def load_split(root: Path, name: str, cache: Path | None = None) -> Split:
    """Load split `name` ("train", "val" or "test") of the collection in `root`.

    With `cache`, decoded photos are kept there (about 210 MB for 4,243 photos) and read back next time.
    Raises InputError when the lists or a photo cannot be read.
    """
    rows, source_of, digest = _read_lists(root, name)
    labels = np.array([label for _, label in rows], np.int64)
    sources = tuple(source_of.get(path, "unknown") for path, _ in rows)
    stored = cache / f"{root.name}-{name}-{digest}.npz" if cache else None
    if stored is not None and stored.exists():
        return Split(name, _load_pixels(stored), labels, sources)
    images = tuple(_decode(root / path) for path, _ in rows)
    if stored is not None:
        stored.parent.mkdir(parents=True, exist_ok=True)
        _save_pixels(stored, images)
    return Split(name, images, labels, sources)


def _save_pixels(stored: Path, images: tuple[Pixels, ...]) -> None:
    shapes = np.array([image.shape[:2] for image in images], np.int64)
    partial = stored.with_suffix(".partial.npz")
    np.savez(partial, pixels=np.concatenate([image.ravel() for image in images]), shapes=shapes)
    partial.replace(stored)  # so that an interrupted run leaves no half-written cache


def _load_pixels(stored: Path) -> tuple[Pixels, ...]:
    with np.load(stored) as arrays:
        pixels, shapes = arrays["pixels"], arrays["shapes"]
    ends = np.cumsum(shapes[:, 0] * shapes[:, 1] * 3)
    parts = np.split(pixels, ends[:-1])
    return tuple(part.reshape(h, w, 3) for part, (h, w) in zip(parts, shapes, strict=True))


def centre_square(image: Pixels, size: int) -> Pixels:
    """Crop the largest centred square and resize it to size x size (bilinear with antialiasing)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(image[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))


def unit_range(pixels: Pixels) -> Floats:
    """Pixels 0 to 255 as floats 0 to 1."""
    return np.divide(pixels, np.float32(255), dtype=np.float32)


def evaluation_pixels(split: Split, size: int) -> Pixels:
    """All photos of `split` as the model sees them: uint8, n x size x size x 3."""
    return np.stack([centre_square(image, size) for image in split.images])
