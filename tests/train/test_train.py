# SPDX-License-Identifier: Apache-2.0
"""Data, augmentation and the loop on a handful of made-up photos; seconds, no download."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'runnel[search]'")

from runnel.errors import InputError  # noqa: E402
from runnel.train.augment import Augmentation, training_batch  # noqa: E402
from runnel.train.data import Split, centre_square, load_split, unit_range  # noqa: E402
from runnel.train.loop import Recipe, learning_rate, logits_of, resume, start, train  # noqa: E402
from runnel.train.net import Architecture, Block, Net, same_padding  # noqa: E402
from runnel.train.photos import Photos  # noqa: E402

TINY = Architecture(16, 8, (Block(8, 8), Block(8, 16), Block(12, 24, stride=2)), 16)
RECIPE = Recipe(TINY, epochs=3, batch=8, warmup_epochs=1, threads=1)


def made_up_photos(count: int = 24) -> Split:
    """Class 1 is reddish, class 0 is bluish."""
    random = np.random.default_rng(3)
    labels = np.arange(count) % 2
    images = []
    for label in labels:
        image = random.integers(0, 120, (20, 26, 3))
        image[..., 0 if label else 2] += 120
        images.append(image.astype(np.uint8))
    return Split("train", tuple(images), labels.astype(np.int64), ("made up",) * count)


def write_collection(root: Path, photos: Split) -> None:
    root.mkdir()
    lines, index = [], ["path,label,source"]
    for number, (image, label) in enumerate(zip(photos.images, photos.labels, strict=True)):
        Image.fromarray(image).save(root / f"{number}.png")
        lines.append(f"{number}.png {label}")
        index.append(f"{number}.png,x,made up")
    (root / "train.txt").write_text("\n".join(lines) + "\n")
    (root / "index.csv").write_text("\n".join(index) + "\n")


def test_a_cached_split_equals_the_decoded_one(tmp_path: Path) -> None:
    photos = made_up_photos(5)
    write_collection(tmp_path / "photos", photos)
    first = load_split(tmp_path / "photos", "train", tmp_path / "cache")
    (tmp_path / "photos/0.png").unlink()  # so that only the cache can answer
    second = load_split(tmp_path / "photos", "train", tmp_path / "cache")
    for split in (first, second):
        assert split.sources == photos.sources
        np.testing.assert_array_equal(split.labels, photos.labels)
        for image, expected in zip(split.images, photos.images, strict=True):
            np.testing.assert_array_equal(image, expected)
    with pytest.raises(InputError, match=r"0\.png"):
        load_split(tmp_path / "photos", "train")


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        load_split(tmp_path / "nowhere", "train")


def test_centre_square_keeps_the_middle() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 200
    assert (centre_square(image, 10) == 200).all()


def test_batches_are_seeded_and_stay_in_range() -> None:
    photos = made_up_photos(8)
    targets = np.eye(2, dtype=np.float32)[photos.labels]
    how = Augmentation(erase_chance=1.0, grey_chance=0.5)
    runs = [training_batch(photos.images, targets, 16, how, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    batch, mixed = runs[0]
    assert batch.shape == (8, 16, 16, 3) and batch.dtype == np.float32
    assert batch.min() >= 0 and batch.max() <= 1
    np.testing.assert_allclose(mixed.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(batch, runs[1][0])
    assert (batch != runs[2][0]).any()


def test_padding_is_tensorflows() -> None:
    assert same_padding(80, 3, 2) == (0, 1)
    assert same_padding(80, 3, 1) == (1, 1)
    assert same_padding(5, 3, 2) == (1, 1)
    assert same_padding(8, 1, 1) == (0, 0)


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    rates = [learning_rate(RECIPE, epoch / 8) for epoch in range(25)]
    assert rates[0] == 0 and max(rates) == pytest.approx(RECIPE.learning_rate) and rates[-1] == pytest.approx(0)


def test_the_loop_learns_and_an_interrupted_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    photos = made_up_photos()
    losses: list[float] = []
    whole = start(RECIPE)
    train(whole, Photos(photos), RECIPE, tmp_path / "whole.pt", lambda _, loss: losses.append(loss))
    assert len(losses) == 3 and losses[-1] < losses[0]

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(start(RECIPE), Photos(photos), RECIPE, tmp_path / "parts.pt", interrupt)
    rest = resume(RECIPE, tmp_path / "parts.pt")
    assert rest.epoch == 1
    train(rest, Photos(photos), RECIPE, tmp_path / "parts.pt", lambda *_: None)
    pixels = np.stack([centre_square(image, 16) for image in photos.images])
    results = [logits_of(progress.average, pixels, unit_range) for progress in (rest, whole)]
    np.testing.assert_array_equal(*results)
    with pytest.raises(InputError, match="other settings"):
        resume(replace(RECIPE, seed=9), tmp_path / "parts.pt")


def test_the_net_does_not_care_about_memory_order() -> None:
    net = Net(TINY).eval()
    photos = torch.from_numpy(unit_range(made_up_photos(1).images[0][None, :16, :16])).permute(0, 3, 1, 2)
    with torch.no_grad():
        torch.testing.assert_close(net(photos), net(photos.contiguous()))
