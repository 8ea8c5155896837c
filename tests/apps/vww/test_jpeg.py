# SPDX-License-Identifier: Apache-2.0
"""The JPEG decoder gives nearly Pillow's pixels, the same in any order of rows, and says what it cannot read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.vww.jpeg_filter import (
    compile_filter,
    decode,
    jpeg_bytes,
    smooth_picture,
    with_pillow,
)

SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
IDCT_DIFFERENCE = 3
"""Of inverse DCT, colour conversion and two rounded resizes against Pillow's."""

CLAMPED_DIFFERENCE = 6
"""Where colours are so strong that they are cut to 0..255: Pillow does it before it resizes, we do it behind."""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return compile_filter(tmp_path_factory.mktemp("jpeg"), request.param)


def save(folder: Path, data: bytes) -> Path:
    path = folder / "picture.jpg"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("size", [(80, 80, 3), (160, 120, 3), (96, 64, 1)])
def test_photos_are_pillows(program: Path, testdata: Path, size: tuple[int, int, int]) -> None:
    photos = sorted((testdata / "images").glob("*.jpg"))
    assert photos
    for photo in photos:
        got = decode(program, photo, size).pixels
        assert got is not None
        difference = np.abs(got - with_pillow(photo, size))
        assert np.quantile(difference, 0.999) <= IDCT_DIFFERENCE, photo.name
        assert difference.max() <= CLAMPED_DIFFERENCE, photo.name
        assert difference.mean() < 0.6, photo.name


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("shape", [(640, 480), (161, 123), (60, 90), (40, 31)])
def test_colours_of_each_resolution_lie_where_they_belong(
    program: Path, tmp_path: Path, sampling: str, shape: tuple[int, int]
) -> None:
    """Also enlarged, and cut where a sample of the colours is cut in two."""
    path = save(tmp_path, jpeg_bytes(smooth_picture(*shape), quality=95, subsampling=sampling))
    for size in ((80, 80, 3), (33, 70, 3), (50, 40, 3)):
        got = decode(program, path, size).pixels
        assert got is not None
        difference = np.abs(got - with_pillow(path, size))
        assert difference.max() <= (IDCT_DIFFERENCE if sampling == "4:4:4" else 10)
        assert difference.mean() < 0.8


@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (8, 8), (9, 16), (16, 17), (255, 257), (640, 3)])
def test_grey_pictures_of_any_size(program: Path, tmp_path: Path, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, shape[::-1], np.uint8)
    path = save(tmp_path, jpeg_bytes(Image.fromarray(noise), quality=90))
    for size in ((32, 32, 1), (20, 31, 3)):
        got = decode(program, path, size).pixels
        assert got is not None
        assert np.abs(got - with_pillow(path, size)).max() <= 1


def test_rows_and_parts_of_rows_are_the_same_in_any_order(program: Path, tmp_path: Path) -> None:
    path = save(tmp_path, jpeg_bytes(smooth_picture(321, 241), quality=95, subsampling="4:2:0"))
    whole = decode(program, path)
    assert whole.rewinds == 0
    assert whole.pixels is not None
    for parts, chunk in ((1, 1), (2, 4096), (7, 3)):
        again = decode(program, path, parts=parts, chunk=chunk)
        assert again.rewinds == parts - 1
        assert again.pixels is not None
        assert np.array_equal(again.pixels, whole.pixels)


@pytest.mark.parametrize("interval", [1, 3, 8, 500])
def test_restart_markers(program: Path, tmp_path: Path, interval: int) -> None:
    picture = smooth_picture(200, 150)
    plain = decode(program, save(tmp_path, jpeg_bytes(picture))).pixels
    data = jpeg_bytes(picture, restart_marker_blocks=interval)
    assert (b"\xff\xd0" in data) == (interval < 500)
    got = decode(program, save(tmp_path, data)).pixels
    assert plain is not None
    assert got is not None
    assert np.array_equal(got, plain)


def test_memory_is_as_much_as_it_says(program: Path, tmp_path: Path) -> None:
    """A sanitizer watches the end of exactly so many bytes; one less is refused."""
    for sampling in SAMPLINGS:
        path = save(tmp_path, jpeg_bytes(smooth_picture(480, 480), subsampling=sampling))
        needed = decode(program, path).needed
        assert 4000 < needed <= 6144  # VWW_JPEG_BYTES: six times the model's 80 x 80
        assert decode(program, path, memory=needed).pixels is not None
        refused = decode(program, path, memory=needed - 1)
        assert refused.needed == needed
        assert "larger VWW_JPEG_BYTES" in refused.message


def test_a_picture_more_than_fifteen_times_as_large_is_refused(program: Path, tmp_path: Path) -> None:
    path = save(tmp_path, jpeg_bytes(Image.new("L", (300, 300), 99)))
    assert decode(program, path, (20, 20, 1)).pixels is not None
    assert "cannot become the model's input" in decode(program, path, (19, 19, 1)).message


def changed(data: bytes, marker: int, offset: int, value: int) -> bytes:
    """`data` with one byte of the first segment with this marker changed."""
    start = data.index(bytes((0xFF, marker))) + 4 + offset
    return data[:start] + bytes((value,)) + data[start + 1 :]


SOF, SOS, DQT, DHT = 0xC0, 0xDA, 0xDB, 0xC4
PHOTO = jpeg_bytes(smooth_picture(64, 48), subsampling="4:2:0")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (jpeg_bytes(smooth_picture(64, 48), progressive=True), "progressive JPEG"),
        (jpeg_bytes(smooth_picture(64, 48).convert("CMYK")), "other colours"),
        (jpeg_bytes(smooth_picture(64, 48), keep_rgb=True), "other colours"),
        (PHOTO.replace(b"\xff\xc0", b"\xff\xc1", 1), "no baseline JPEG"),
        (PHOTO.replace(b"\xff\xc0", b"\xff\xc9", 1), "no baseline JPEG"),
        (changed(PHOTO, SOF, 0, 12), "no baseline JPEG"),
        (changed(PHOTO, SOF, 7, 0x41), "unusual resolution"),
        (changed(PHOTO, SOF, 10, 0x22), "unusual resolution"),
        (changed(PHOTO, SOF, 2, 0), "is damaged"),
        (changed(PHOTO, SOS, 0, 1), "one colour after the other"),
        (changed(PHOTO, SOS, 1, 9), "is damaged"),
        (changed(PHOTO, SOS, 2, 0x33), "is damaged"),
        (changed(PHOTO, DQT, 0, 0x10), "no baseline JPEG"),
        (changed(PHOTO, DQT, 0, 0x09), "is damaged"),
        (changed(PHOTO, DHT, 0, 0x04), "no baseline JPEG"),
        (changed(PHOTO, DHT, 1, 3), "is damaged"),
        (b"", "is no JPEG"),
        (b"\xff", "is no JPEG"),
        (b"P6\n1 1\n255\nabc", "is no JPEG"),
        (b"\xff\xd8", "ends too early"),
        (b"\xff\xd8\xff\xd9\x00\x02", "is damaged"),
        (b"\xff\xd8\x00", "is damaged"),
        (PHOTO[:-40], "ends too early"),
    ],
)
def test_what_cannot_be_read_is_said(program: Path, tmp_path: Path, data: bytes, message: str) -> None:
    decoded = decode(program, save(tmp_path, data))
    assert decoded.pixels is None
    assert message in decoded.message


def test_damage_never_does_harm(program: Path, tmp_path: Path, full: bool) -> None:
    """Whatever is in the file, sanitizers stay silent and it ends: with pixels, or with a message."""
    random = np.random.default_rng(7)
    refused = 0
    rounds = 400 if full else 60
    for i in range(rounds):
        data = bytearray(
            jpeg_bytes(smooth_picture(70, 50, i), subsampling=SAMPLINGS[i % 3], restart_marker_blocks=i % 4)
        )
        for _ in range(int(random.integers(1, 6))):
            data[int(random.integers(2, len(data)))] = int(random.integers(256))
        decoded = decode(program, save(tmp_path, bytes(data)), parts=2)
        refused += decoded.pixels is None
    assert 0 < refused < rounds
