# SPDX-License-Identifier: Apache-2.0
"""image.c makes exactly what numpy makes, and nearly what Pillow's antialiased bilinear resize makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.vww.image_filter import (
    SRC,
    ModelInput,
    compile_program,
    quantize,
    reference_pixels,
    run_filter,
    weights,
)
from runnel.build.frames import Frame, open_picture, to_frame
from runnel.run.inputs import from_pixels

HERE = Path(__file__).resolve().parent
FRAMES = SRC.parent / "frames"
COMPILERS = ("gcc", "clang")


@pytest.fixture(scope="module", params=COMPILERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filter, with sanitizers."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp("image")
    return compile_program(folder, [HERE / "image_program.c", SRC / "image.c", SRC / "image_axis.c"], request.param)


def random_frame(random: np.random.Generator, width: int, height: int) -> Frame:
    """Noise, sometimes extreme, with bytes behind the end of each row that nobody may read as pixels."""
    form = str(random.choice(["FRAME_RGB565_LITTLE_ENDIAN", "FRAME_RGB565_BIG_ENDIAN", "FRAME_GREY"]))
    row_bytes = width * (1 if form == "FRAME_GREY" else 2) + int(random.integers(0, 5))
    data = random.integers(0, 256, (height, row_bytes), np.uint8)
    if random.random() < 0.2:
        data[:] = random.choice([0, 255])
    return Frame("noise", width, height, row_bytes, form, data.tobytes())


def random_model(random: np.random.Generator) -> ModelInput:
    channels = int(random.choice([1, 3]))
    width, height = (int(n) for n in random.integers(1, 100, 2))
    kind = random.integers(0, 3)
    if kind == 0:
        return ModelInput(width, height, channels)
    if kind == 1:  # says nothing of its preprocessing
        return ModelInput(width, height, channels, mean=(0, 0, 0), std=(1, 1, 1), scale=0.0078125, zero_point=0)
    mean = tuple(float(m) for m in random.uniform(90, 140, 3))
    std = tuple(float(s) for s in random.uniform(40, 80, 3))
    scale, zero_point = float(random.uniform(0.01, 0.04)), int(random.integers(-128, 128))
    return ModelInput(width, height, channels, bool(random.integers(2)), mean, std, scale, zero_point)


def random_cases(seed: int, count: int) -> list[tuple[Frame, ModelInput]]:
    random = np.random.default_rng([seed, 4])
    cases = []
    for _ in range(count):
        model = random_model(random)
        width = int(random.integers(1, 8 * model.width + 2))
        height = int(random.integers(1, 8 * model.height + 2))
        cases.append((random_frame(random, width, height), model))
    return cases


def test_equals_numpy_over_random_sizes_and_formats(program: Path, seed: int, full: bool) -> None:
    cases = random_cases(seed, 400 if full else 60)
    possible = 0
    for (frame, model), values in zip(cases, run_filter(program, cases), strict=True):
        if values is None:
            continue
        possible += 1
        expected = quantize(reference_pixels(frame, model), model)
        assert np.array_equal(values, expected), (frame.width, frame.height, frame.format, model)
    assert possible > len(cases) // 2


def test_real_sizes(program: Path, seed: int) -> None:
    random = np.random.default_rng([seed, 5])
    sizes = [(160, 120), (320, 240), (640, 480), (96, 96), (176, 144), (1280, 720)]
    models = [ModelInput(80, 80, 3), ModelInput(96, 96, 1), ModelInput(224, 224, 3), ModelInput(64, 48, 3)]
    cases = [(random_frame(random, w, h), model) for w, h in sizes for model in models]
    for (frame, model), values in zip(cases, run_filter(program, cases), strict=True):
        assert values is not None
        assert np.array_equal(values, quantize(reference_pixels(frame, model), model)), (frame.width, model)


def test_frames_that_cannot_be_used_are_refused(program: Path) -> None:
    grey = ModelInput(10, 10, 1)
    wide = Frame("", 151, 151, 151, "FRAME_GREY", bytes(151 * 151))
    fits = Frame("", 150, 150, 150, "FRAME_GREY", bytes(150 * 150))
    empty = Frame("", 0, 0, 0, "FRAME_GREY", b"")
    sliver = Frame("", 1, 1, 1, "FRAME_GREY", b"\x07")
    outputs = run_filter(program, [(wide, grey), (fits, grey), (empty, grey), (sliver, grey)])
    assert [o is not None for o in outputs] == [False, True, False, True]
    assert outputs[3] is not None
    assert np.all(outputs[3] == 7 - 128)


def test_sums_of_weights_stay_within_32_bits() -> None:
    worst = 0
    for count in [*range(1, 130), 160, 224, 320]:
        for length in {1, 2, count, count + 1, count * 4 // 3, 2 * count, 7 * count + 3, 15 * count}:
            sums = weights(length, count).sum(1)
            assert sums.min() > 0
            worst = max(worst, int(sums.max()))
    assert 31 * 255 * worst * worst + 31 * worst * worst // 2 < 2**32


@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
@pytest.mark.parametrize("size", [48, 80, 96, 160])
def test_comes_near_pillows_antialiased_resize(program: Path, name: str, size: int) -> None:
    """Model and evaluation use Pillow; what RGB565 loses is at most half a step of 5 bits."""
    picture = open_picture(FRAMES / f"{name}.ppm")
    (values,) = run_filter(program, [(to_frame(picture, name), ModelInput(size, size, 3))])
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    expected = np.asarray(square.resize((size, size), Image.Resampling.BILINEAR)).astype(int) - 128
    assert values is not None
    difference = np.abs(values - expected)
    assert difference.max() <= 6
    assert difference.mean() < 1.6
    grey = to_frame(picture.convert("L"), name)
    (values,) = run_filter(program, [(grey, ModelInput(size, size, 1))])
    expected = np.asarray(square.convert("L").resize((size, size), Image.Resampling.BILINEAR)).astype(int) - 128
    assert values is not None
    assert np.abs(values[..., 0] - expected).max() <= 2


@pytest.mark.parametrize(
    ("mean", "std", "scale", "zero_point"),
    [(0, 255, 1 / 255, -128), (127.5, 127.5, 1 / 127.5, 0), (128, 128, 1 / 128, 0), (114.3, 57.1, 0.0187, 14)],
)
def test_quantizes_like_the_generator(program: Path, mean: float, std: float, scale: float, zero_point: int) -> None:
    """`runnel run --input` and the app agree on what a pixel becomes."""
    from runnel.graph import Quantization, Tensor

    ramp = Frame("", 16, 16, 16, "FRAME_GREY", bytes(range(256)))
    model = ModelInput(16, 16, 1, False, (mean,) * 3, (std,) * 3, scale, zero_point)
    (values,) = run_filter(program, [(ramp, model)])
    edge = Tensor(0, "input", (1, 16, 16, 1), "int8", Quantization((scale,), (zero_point,)))
    pixels = np.arange(256, dtype=np.float64).reshape(edge.shape)
    expected = from_pixels(pixels, edge, {"mean": [mean], "std": [std]})
    assert values is not None
    assert np.abs(values.astype(int) - expected[0].astype(int)).max() <= (1 if mean == 127.5 else 0)
