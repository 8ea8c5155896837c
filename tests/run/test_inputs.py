# SPDX-License-Identifier: Apache-2.0
"""Inputs from files and from a seed: what a value becomes, and one clear message for whatever does not fit."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runnel.errors import InputError
from runnel.graph import Quantization, Tensor
from runnel.run.inputs import load_input, random_inputs

IMAGE = Tensor(0, "image", (1, 4, 6, 3), "int8", Quantization((1 / 255,), (-128,)))
GREY = Tensor(0, "grey", (1, 4, 4, 1), "int8", Quantization((1 / 255,), (-128,)))
FEATURES = Tensor(0, "features", (1, 49, 40, 1), "int8", Quantization((1 / 32,), (-128,)))
SOUND = Tensor(0, "sound", (1, 16), "int8", Quantization((1 / 128,), (0,)))


def write_wav(path: Path, samples: np.ndarray, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(16000)
        sound.writeframes(samples.tobytes())
    return path


def solid(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (30, 20)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_pixels_less_128(tmp_path: Path, suffix: str) -> None:
    array = load_input(solid(tmp_path / f"a.{suffix}", (255, 0, 100)), IMAGE)
    assert array.dtype == np.int8
    assert array.shape == IMAGE.shape
    assert np.array_equal(array[0, 2, 3], [127, -128, -28])


def test_mean_and_std_of_the_model(tmp_path: Path) -> None:
    path = solid(tmp_path / "a.png", (255, 0, 51))
    metadata = {"mean": (0.0, 0.0, 0.0), "std": (255.0, 255.0, 255.0), "colour_order": "bgr"}
    assert np.array_equal(load_input(path, IMAGE, metadata)[0, 0, 0], [-77, -128, 127])
    with pytest.raises(InputError, match="mean"):
        load_input(path, IMAGE, {"mean": (1.0, 2.0), "std": 1.0})


def test_centre_crop_keeps_the_aspect_ratio(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.all(load_input(tmp_path / "a.png", GREY) == 72)


def test_float_and_uint8_edges(tmp_path: Path) -> None:
    path = solid(tmp_path / "a.png", (255, 0, 128))
    assert np.array_equal(load_input(path, Tensor(0, "u", (1, 2, 2, 3), "uint8"))[0, 0, 0], [255, 0, 128])
    floats = load_input(path, Tensor(0, "f", (1, 2, 2, 3), "float32"))
    assert np.allclose(floats[0, 0, 0], [127 / 128, -1, 0])


def test_arrays_and_bytes(tmp_path: Path) -> None:
    array = random_inputs([IMAGE], 1, 5)[0][0]
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", array[0])
    (tmp_path / "a.bin").write_bytes(array.tobytes())
    for name in ("a.npy", "b.npy", "a.bin"):
        assert np.array_equal(load_input(tmp_path / name, IMAGE), array)


def test_sound_of_the_right_length(tmp_path: Path) -> None:
    samples = (np.arange(-8, 8) * 2560).astype("<i2")
    array = load_input(write_wav(tmp_path / "a.wav", samples), SOUND)
    assert np.array_equal(array, (np.arange(-8, 8) * 10).astype(np.int8)[None])


def test_sound_for_a_model_that_takes_features(tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler 'cc' on PATH")
    samples = np.random.default_rng(1).normal(0, 500, 14000).astype("<i2")
    array = load_input(write_wav(tmp_path / "a.wav", samples), FEATURES)
    assert array.shape == FEATURES.shape and array.dtype == np.int8
    assert (array[0, :2] == -128).all() and array[0, 3:-4].min() > -90  # silence before and after 14,000 samples
    with pytest.raises(InputError, match=r"17000 samples.*up to one second at 16000 Hz"):
        load_input(write_wav(tmp_path / "b.wav", np.zeros(17000, "<i2")), FEATURES)


def bad_files(folder: Path) -> dict[str, tuple[Path, Tensor, str]]:
    (folder / "noise.png").write_bytes(bytes(range(200)))
    good = solid(folder / "good.png", (1, 2, 3)).read_bytes()
    (folder / "cut.png").write_bytes(good[: len(good) // 2])
    np.save(folder / "shape.npy", np.zeros((1, 5, 6, 3), np.int8))
    np.save(folder / "type.npy", np.zeros(IMAGE.shape, np.float32))
    np.save(folder / "objects.npy", np.array([{}]), allow_pickle=True)
    (folder / "noise.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr'")
    (folder / "short.bin").write_bytes(b"12")
    (folder / "a.txt").write_text("hello")
    (folder / "noise.wav").write_bytes(b"RIFF1234")
    long = write_wav(folder / "long.wav", np.zeros(1000, "<i2"))
    (folder / "cut.wav").write_bytes(long.read_bytes()[:500])
    write_wav(folder / "stereo.wav", np.zeros(32, "<i2"), channels=2)
    return {
        "missing": (folder / "nothing.png", IMAGE, "does not exist"),
        "folder": (folder, IMAGE, "is not a file"),
        "noise.png": (folder / "noise.png", IMAGE, "cannot read the image"),
        "cut.png": (folder / "cut.png", IMAGE, "cannot read the image"),
        "no image": (folder / "good.png", SOUND, "is an image; input 'sound'"),
        "shape.npy": (folder / "shape.npy", IMAGE, "1x5x6x3.*needs 1x4x6x3"),
        "type.npy": (folder / "type.npy", IMAGE, "holds float32.*needs int8"),
        "objects.npy": (folder / "objects.npy", IMAGE, "cannot read the array"),
        "noise.npy": (folder / "noise.npy", IMAGE, "cannot read the array"),
        "short.bin": (folder / "short.bin", IMAGE, "holds 2 bytes.*72 bytes"),
        "unknown": (folder / "a.txt", IMAGE, r"known are .*\.wav"),
        "noise.wav": (folder / "noise.wav", SOUND, "cannot read the sound"),
        "long.wav": (folder / "long.wav", SOUND, "1000 samples.*16 elements.*front end"),
        "cut.wav": (folder / "cut.wav", SOUND, "cut off"),
        "stereo.wav": (folder / "stereo.wav", SOUND, "only mono"),
    }


def test_bad_files_give_one_message(tmp_path: Path) -> None:
    for name, (path, edge, message) in bad_files(tmp_path).items():
        with pytest.raises(InputError, match=message) as caught:
            load_input(path, edge)
        assert "\n" not in str(caught.value), name


def test_random_inputs_repeat_and_reach_the_extremes() -> None:
    first, second = (random_inputs([IMAGE, GREY], 20, 3) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not np.array_equal(first[0][0], random_inputs([IMAGE], 1, 4)[0][0])
    assert any(np.all(arrays[0] == -128) for arrays in first)
    assert any(np.all(arrays[0] == 127) for arrays in first)
    assert all(np.unique(arrays[0]).size > 20 for arrays in first[::8])
